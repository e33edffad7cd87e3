"""The bank keeps crops that show text, and says why it left the others out."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError
from siman_synth.imaging.sharpness import sharpness
from siman_synth.synthesis import style_bank as module
from siman_synth.synthesis.config import StyleConfig
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.style_bank import StyleBank


@pytest.fixture
def mixed(crop_folder: Path, tmp_path: Path) -> Path:
    """Two good crops; one each that is tall, flat, truncated and empty."""
    good = sorted(crop_folder.iterdir())[:2]
    for path in good:
        (tmp_path / path.name).write_bytes(path.read_bytes())
    Image.open(good[0]).rotate(90, expand=True).save(tmp_path / "tall.png")
    Image.new("RGB", (90, 30), (120, 130, 140)).save(tmp_path / "flat.png")
    (tmp_path / "half.png").write_bytes(good[0].read_bytes()[:900])
    (tmp_path / "none.jpg").touch()
    return tmp_path


def test_keeps_the_usable_and_counts_the_others(mixed: Path) -> None:
    bank = StyleBank.build(CropPool.open(mixed))
    assert len(bank) == 2
    assert [bank[i].id for i in range(2)] == ["crop00.png", "crop01.png"]
    assert bank.skipped.counts == {
        "too little contrast": 1, "truncated": 1, "zero bytes": 1, "taller than wide": 1,
    }  # fmt: skip
    assert bank.skipped.examples["taller than wide"] == ["tall.png"]


def test_says_how_many_failed_for_which_reason_when_none_is_usable(mixed: Path) -> None:
    for path in mixed.glob("crop*"):
        path.unlink()
    with pytest.raises(CropError) as caught:
        StyleBank.build(CropPool.open(mixed))
    assert str(caught.value) == (
        f"None of the 4 crops in {mixed} can be used: 1 taller than wide (tall.png); 1 too little contrast "
        "(flat.png); 1 truncated (half.png); 1 zero bytes (none.jpg). Give crops that are images of one word "
        "each, wider than high."
    )


def test_a_large_pool_is_probed_only_and_bad_crops_show_when_drawn(mixed: Path) -> None:
    bank = StyleBank.build(CropPool.open(mixed), StyleConfig(scan_limit=0))
    assert (len(bank), bank.choice) == (6, None)
    assert {bank.draw(np.random.default_rng(seed)) for seed in range(60)} == set(range(6))
    reasons = []
    for index in range(6):
        try:
            bank[index]
        except CropError as error:
            reasons.append(error.reason)
    assert sorted(reasons) == ["taller than wide", "too little contrast", "truncated", "zero bytes"]
    for path in mixed.glob("crop*"):
        path.unlink()
    with pytest.raises(CropError, match="None of the"):
        StyleBank.build(CropPool.open(mixed), StyleConfig(scan_limit=0))


@pytest.mark.parametrize(("height", "width"), [(32, 100), (7, 13), (40, 3000), (31, 25), (200, 333)])
def test_a_style_has_the_height_and_a_width_that_the_network_takes(height: int, width: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    pool = CropPool(Path(), source=None, skipped=None)  # type: ignore[arg-type]
    style = StyleBank(pool, StyleConfig(max_width_px=130, min_contrast=0), 32).prepare(pixels, "x")
    assert style.image.shape[0] == 32
    assert style.image.shape[1] % 4 == 0
    assert 4 <= style.image.shape[1] <= 128
    assert style.image.flags.c_contiguous


def test_of_a_wide_crop_the_middle_lends_its_style() -> None:
    pixels = np.zeros((32, 400, 3), np.uint8)
    pixels[:, 190:210] = 255
    bank = StyleBank(None, StyleConfig(max_width_px=40, min_contrast=0), 32)  # type: ignore[arg-type]
    middle = bank.prepare(pixels).image[0, :, 0]
    assert middle.tolist() == [0] * 10 + [255] * 20 + [0] * 10


def test_an_index_beyond_the_bank_is_an_index_error(crop_folder: Path) -> None:
    bank = StyleBank.build(CropPool.open(crop_folder))
    with pytest.raises(IndexError, match="the bank holds 24"):
        bank[24]


def test_remembers_a_bounded_number_of_styles(crop_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_REMEMBERED", 2)
    bank = StyleBank.build(CropPool.open(crop_folder))
    first, second = bank[0], bank[1]
    assert bank[0] is first
    bank[2]  # forgets the one that was asked for longest ago
    assert bank[0] is first
    assert bank[1] is not second
    assert np.array_equal(bank[1].image, second.image)


def test_crops_are_read_at_the_height_that_the_network_learned_from() -> None:
    """However high the words are; how sharp a crop is counts at theirs."""
    picture = np.random.default_rng(2).integers(0, 255, (90, 240, 3)).astype(np.uint8)
    low, same, high = (Style.from_image(picture, height_px=height) for height in (24, 32, 64))
    assert [style.image.shape[0] for style in (low, same, high)] == [24, 32, 32]
    assert np.array_equal(same.image, high.image)
    assert high.sharpness != same.sharpness == sharpness(same.image)
    other = Style.from_image(picture, height_px=64, config=StyleConfig(height_px=48))
    assert other.image.shape[0] == 48
