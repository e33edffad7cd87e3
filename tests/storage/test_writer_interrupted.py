"""Real kills and really full disks: what was committed stays a valid data set."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import siman_synth
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter

CHUNK = 7
WRITE_FOREVER = """
import resource, sys
from siman_synth.errors import OutputError
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

folder, limit = sys.argv[1], int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with LmdbWriter.create(folder, chunk=7, map_bytes=1 << 16) as writer:
        number = 0
        while True:
            number += 1
            writer.write(Sample(b"%d," % number * 900, f"word{number}", number, 32, {"seed": number}))
            if number == 30:
                print("started", flush=True)
except OutputError as error:
    print(error)
    sys.exit(3)
"""


def start(folder: Path, limit_bytes: int = 0) -> subprocess.Popen[str]:
    root = str(Path(siman_synth.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", WRITE_FOREVER, str(folder), str(limit_bytes)],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": root},
    )


def assert_valid(folder: Path) -> int:
    """Assert that every sample is whole and nothing lies beyond the last; return their number."""
    with LmdbReader.open(folder) as reader:
        count = len(reader)
        assert count % CHUNK == 0
        for number, sample in enumerate(reader, 1):
            assert sample.image == b"%d," % number * 900
            assert (sample.label, sample.width_px) == (f"word{number}", number)
            assert sample.meta == {"seed": number}
        assert len(list(reader.all_keys())) == 4 * count + 1
    return count


@pytest.mark.parametrize("delay_ms", [0, 13, 40, 90])
def test_a_killed_run_is_a_shorter_set(delay_ms: int, tmp_path: Path) -> None:
    process = start(tmp_path / "words")
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(delay_ms / 1000)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert assert_valid(tmp_path / "words") >= 28
    # The lock that the dead process left does not keep anyone out.
    LmdbWriter.create(tmp_path / "words", overwrite=True).close()
    assert len(LmdbReader.open(tmp_path / "words")) == 0


def test_a_file_size_limit_is_told_as_a_full_disk(tmp_path: Path) -> None:
    process = start(tmp_path / "words", limit_bytes=1_000_000)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 3
    count = assert_valid(tmp_path / "words")
    assert count > 100
    message = output.splitlines()[-1]
    assert message.startswith("The disk is full")
    assert message.endswith(
        f"{tmp_path / 'words'} takes no more samples. "
        f"The {count} samples committed before it are intact. Free some space."
    )


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1 MiB, which needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("cannot mount a small disk here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_what_was_committed(small_disk: Path) -> None:
    process = start(small_disk / "words")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 3
    assert "The disk is full" in output
    assert assert_valid(small_disk / "words") > 100


def test_a_disk_that_is_full_already_is_told_at_once(small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    process = start(small_disk / "words")
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 3
    assert output.endswith("takes no more samples. Nothing was committed. Free some space.\n")
