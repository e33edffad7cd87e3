"""A disk that is really full in the middle of a run."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import siman_synth

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"cannot mount a small disk: {error}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_ends_the_run_cleanly_and_room_lets_it_finish(
    workers: int, small_disk: Path, tmp_path: Path, word_file: Path, crop_folder: Path, tiny_weights: Path
) -> None:
    def generate(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
        command = [
            *(sys.executable, "-m", "siman_synth", "generate", "--n", "200", "--out", str(out)),
            *("--corpus", str(word_file), "--styles", str(crop_folder), "--weights", str(tiny_weights)),
            *("--fonts", "roboto", "--device", "cpu", "--workers", str(workers)),
            *("--set", "execution.shard_size=10", "--gate", "off", *options),
        ]
        root = str(Path(siman_synth.__file__).parents[1])
        environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    out = small_disk / "words"
    for options in ((), ("--resume",)):
        result = generate(out, *options)
        assert result.returncode == 1, result.stderr
        assert result.stderr.splitlines()[-1] == (
            f"Error: The disk is full. Finished shards are kept in {out}.run; free some space and "
            "resume the run."
        )
        assert "Traceback" not in result.stderr
        assert len(list(Path(f"{out}.run").glob("shards/*.json"))) >= 2
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    result = generate(out, "--resume")
    assert result.returncode == 0, result.stderr
    generate(tmp_path / "roomy")
    digests = {hashlib.sha256((f / "data.mdb").read_bytes()).hexdigest() for f in (out, tmp_path / "roomy")}
    assert len(digests) == 1
    assert sorted(path.name for path in small_disk.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip
