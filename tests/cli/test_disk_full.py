"""A disk that is really full in the middle of a run."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import siman_synth
from tests.in_process import run_here
from tests.runs.processes import digest

pytestmark = pytest.mark.slow
Command = Callable[..., list[str]]


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


@pytest.fixture(scope="module")
def command(word_file: Path, crop_folder: Path, tiny_weights: Path) -> Command:
    """Return a function that gives the command of a run that takes more than 1 MB."""

    def command(out: Path, workers: int, *options: str) -> list[str]:
        return [
            *(sys.executable, "-m", "siman_synth", "generate", "--n", "200", "--out", str(out)),
            *("--corpus", str(word_file), "--styles", str(crop_folder), "--weights", str(tiny_weights)),
            *("--fonts", "roboto", "--device", "cpu", "--workers", str(workers)),
            *("--set", "execution.shard_size=10", "--gate", "off", *options),
        ]

    return command


@pytest.fixture(scope="module")
def expected(command: Command, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run gives that has room."""
    out = tmp_path_factory.mktemp("roomy") / "words"
    run_here(command(out, 1))
    return digest(out)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_ends_the_run_cleanly_and_room_lets_it_finish(
    workers: int, small_disk: Path, command: Command, expected: str
) -> None:
    root = str(Path(siman_synth.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    out = small_disk / "words"
    for options in ((), ("--resume",)):
        run = command(out, workers, *options)
        result = subprocess.run(run, capture_output=True, text=True, env=environment)
        assert result.returncode == 1, result.stderr
        assert result.stderr.splitlines()[-1] == (
            f"Error: The disk is full. Finished shards are kept in {out}.run; free some space and "
            "resume the run."
        )
        assert "Traceback" not in result.stderr
        assert len(list(Path(f"{out}.run").glob("shards/*.json"))) >= 2
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    run_here(command(out, workers, "--resume"))
    assert digest(out) == expected
    assert sorted(path.name for path in small_disk.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip
