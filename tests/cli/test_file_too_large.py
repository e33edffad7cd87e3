"""A limit on the size of files, met while a report, a sheet or a summary is written: nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import siman_synth
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

pytestmark = pytest.mark.slow
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv[1:2] = []
from siman_synth.__main__ import run
run()
"""


def limited(limit_bytes: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command that may write files of so many bytes at most."""
    root = str(Path(siman_synth.__file__).parents[1])
    command = [sys.executable, "-c", LIMITED, str(limit_bytes), *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)


@pytest.fixture
def words(crop_folder: Path, tmp_path: Path) -> Path:
    """A labeled data set of sixty images."""
    crops: list[Any] = [cv2.imread(str(path)) for path in sorted(crop_folder.iterdir())]
    with LmdbWriter.create(tmp_path / "words") as writer:
        for number in range(60):
            image = np.roll(crops[number % len(crops)], number, axis=1)
            writer.write(
                Sample(cv2.imencode(".png", image)[1].tobytes(), "word", image.shape[1], image.shape[0])
            )
    return tmp_path / "words"


def test_a_report_that_does_not_fit_leaves_the_older_one(words: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    real = tmp_path / "real"
    real.mkdir()
    for number in range(60):
        noise = np.random.default_rng(number).integers(0, 255, (32, 100, 3), np.uint8)
        cv2.imwrite(str(real / f"{number}.png"), noise)
    out = tmp_path / "report"
    options = ("evaluate", words, "--real", real, "--out", out, "--ocr", "none", "--features", "none")
    for before in (False, True):
        if before:
            assert limited(1 << 30, *options).returncode == 0
        found = {path.name: path.read_bytes() for path in out.iterdir()} if before else {}
        result = limited(20_000, *options, "--seed", 1)
        assert (result.returncode, result.stderr) == (1, "Error: The disk refused: File too large.\n")
        assert {path.name: path.read_bytes() for path in out.iterdir()} == found


def test_a_sheet_that_does_not_fit_leaves_nothing(words: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    result = limited(5_000, "inspect", words, "--sheet", sheet)
    assert result.returncode == 1
    assert (
        result.stderr == f"Error: Cannot write the sheet {sheet}: File too large. Choose another --sheet.\n"
    )
    assert not list(tmp_path.glob("sheet*"))


def test_a_sheet_of_rejects_that_does_not_fit_ends_the_run_before_it_is_done(
    word_file: Path, crop_folder: Path, tiny_weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    # The network is untrained. With these settings two thirds pass: less data than the sheet takes.
    options = [
        *("generate", "--n", 60, "--out", out, "--corpus", word_file, "--styles", crop_folder),
        *("--weights", tiny_weights, "--fonts", "roboto", "--device", "cpu", "--workers", 1),
        *("--set", "execution.max_dropped=0.9", "--set", "execution.max_attempts=2"),
        *("--set", "execution.shard_size=5", "--set", "gate.min_contrast=3.2"),
        *("--set", "gate.min_character=0", "--set", "gate.min_separation=0.5"),
    ]
    result = limited(200_000, *options)
    assert (result.returncode, result.stderr.splitlines()) == (
        1,
        [
            f"Error: The disk is full. Finished shards are kept in {out}.run; free some space and "
            "resume the run."
        ],
    )
    assert [path.name for path in tmp_path.iterdir()] == ["words.run"]
    result = limited(1 << 30, *options, "--resume")
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "words", "words.config.toml", "words.rejected.png", "words.summary.json",
    ]  # fmt: skip
    assert cv2.imread(str(tmp_path / "words.rejected.png")) is not None
