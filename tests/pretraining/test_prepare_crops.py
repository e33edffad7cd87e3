"""pretrain/prepare_crops.py: a folder of crops becomes one unlabeled LMDB."""

import io
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from siman_synth.crops.pool import CropPool
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.verify import verify_dataset

PROGRAM = Path(__file__).resolve().parents[2] / "pretrain" / "prepare_crops.py"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(runpy.run_path(str(PROGRAM))["main"], [str(argument) for argument in arguments])


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Return a folder of a small crop, a tall one, a narrow one, and four that are none."""
    folder = tmp_path / "crops"
    (folder / "sub").mkdir(parents=True)
    for name, (width, height) in {"a.png": (90, 30), "sub/b.jpg": (400, 128), "c.png": (20, 60)}.items():
        image = np.random.default_rng(len(name)).integers(0, 256, (height, width, 3), np.uint8)
        cv2.imwrite(str(folder / name), cv2.GaussianBlur(image, (9, 9), 3))
    (folder / "empty.jpg").touch()
    (folder / "text.png").write_text("no image")
    (folder / "cut.jpg").write_bytes((folder / "sub/b.jpg").read_bytes()[:500])
    (folder / "notes.md").write_text("not even called an image")
    return folder


def test_packs_what_is_usable_and_counts_the_rest(crops: Path, tmp_path: Path) -> None:
    out = tmp_path / "crops.lmdb"
    result = run(crops, out)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        f"3 crops in {out}, 4 skipped",
        "  skipped: 1 not an image (text.png)",
        "  skipped: 1 not an image file (notes.md)",
        "  skipped: 1 truncated (cut.jpg)",
        "  skipped: 1 zero bytes (empty.jpg)",
    ]
    with LmdbReader.open(out) as reader:
        sizes = [(sample.width_px, sample.height_px) for sample in reader]
        assert sizes == [(90, 30), (20, 60), (200, 64)]
        assert [Image.open(io.BytesIO(sample.image)).size for sample in reader] == sizes
        assert all(sample.label is None for sample in reader)
        assert not verify_dataset(reader).problems.total
    assert sorted(path.name for path in out.iterdir()) == ["data.mdb", "lock.mdb"]


def test_pixels_survive(crops: Path, tmp_path: Path) -> None:
    run(crops, tmp_path / "crops.lmdb")
    before, after = CropPool.open(crops).decode(0), CropPool.open(tmp_path / "crops.lmdb").decode(0)
    assert np.abs(before.astype(int) - after).mean() < 2


def test_narrow_crops_can_be_left_out(crops: Path, tmp_path: Path) -> None:
    result = run(crops, tmp_path / "crops.lmdb", "--min-aspect", 2, "--max-height", 32)
    assert "2 crops in" in result.output
    assert "1 narrower than 2 heights (c.png)" in result.output
    with LmdbReader.open(tmp_path / "crops.lmdb") as reader:
        assert [sample.height_px for sample in reader] == [30, 32]


def test_an_existing_set_is_replaced_only_when_told_and_only_by_crops(crops: Path, tmp_path: Path) -> None:
    out, useless = tmp_path / "crops.lmdb", tmp_path / "useless"
    useless.mkdir()
    (useless / "x.png").touch()
    run(crops, out)
    assert "already holds a data set of 3 samples" in run(crops, out).output
    refused = run(useless, out, "--overwrite")
    assert refused.exit_code == 1
    assert "None of the 1 crops" in refused.output
    assert len(CropPool.open(out)) == 3
    assert run(crops / "a.png", out, "--overwrite").exit_code == 0
    assert len(CropPool.open(out)) == 1
