"""A program that is started without stdin, stdout or stderr: files get none of their numbers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import siman_synth
from siman_synth.storage.lmdb_reader import LmdbReader


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream(closed: str, crop_folder: Path, tiny_weights: Path, tmp_path: Path) -> None:
    arguments = [
        "generate",
        "--n",
        "3",
        "--workers",
        "1",
        "--gate",
        "off",
        "--fonts",
        "roboto",
        "--out",
        "out",
    ]
    arguments += ["--styles", str(crop_folder), "--weights", str(tiny_weights)]
    found = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "siman_synth", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(siman_synth.__file__).parents[1])},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    assert ("3 samples in out" in found.stdout) == (">&-" not in closed.replace("2>&-", ""))
    with LmdbReader.open(tmp_path / "out") as words:
        assert len(list(words)) == 3
