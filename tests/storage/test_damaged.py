"""Damaged LMDBs: a sentence or a report, never a signal, a traceback or a hang, whoever reads them."""

import os
import re
import resource
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from siman_synth.cli import main
from siman_synth.crops.pool import CropPool
from siman_synth.errors import SimanError
from siman_synth.storage.dataset_sheet import dataset_sheet
from siman_synth.storage.inspect import inspect_dataset
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.verify import verify_dataset
from tests.storage.damage import KINDS, PAGE, damaged

Make = Callable[..., Sample]
Write = Callable[..., Path]
GOOD, SAID, BUG = 0, 3, 4
LONGEST_S, MOST_MB = 60, 2_000


@pytest.fixture
def good(sample: Make, write_set: Write) -> bytes:
    """Return an LMDB of a hundred pages, with images inside its leaves and outside."""
    samples = []
    for number in range(1, 120):
        whole = sample(number)
        samples.append(sample(number, image=whole.image[:900]) if number % 3 else whole)
    return (write_set(*samples, name="good") / "data.mdb").read_bytes()


def place(folder: Path, data: bytes) -> Path:
    folder.mkdir()
    (folder / "data.mdb").write_bytes(data)
    return folder


def read_all(folder: Path) -> None:
    """Read a data set as everything does that a user can point at it."""
    pool = CropPool.open(folder)
    pool.fingerprint()
    list(pool.iter_decoded())
    with LmdbReader.open(folder) as reader:
        verify_dataset(reader)
        for act in (inspect_dataset, dataset_sheet):
            try:
                act(reader)
            except SimanError:
                continue


def data_bytes() -> int:
    """Return how much memory of its own this process has asked for."""
    kilobytes = re.search(r"^VmData:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert kilobytes is not None
    return 1024 * int(kilobytes[1])


def outcome(folder: Path) -> int:
    """Return how a process ends that reads the data set: its exit status, or minus its signal."""
    pid = os.fork()
    if pid == 0:
        # Processor time: on a busy machine the clock says nothing. Memory on top of what is there already.
        resource.setrlimit(resource.RLIMIT_CPU, (LONGEST_S, LONGEST_S))
        resource.setrlimit(resource.RLIMIT_DATA, (data_bytes() + MOST_MB * 1_000_000,) * 2)
        status = BUG
        try:
            read_all(folder)
            status = GOOD
        except SimanError:
            status = SAID
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("kind", range(KINDS))
def test_no_reader_dies(kind: int, good: bytes, tmp_path: Path) -> None:
    ends = []
    for number in range(5):
        folder = place(tmp_path / f"{number}", damaged(good, kind, np.random.default_rng([kind, number])))
        ends.append(outcome(folder))
    assert set(ends) <= {GOOD, SAID}, ends


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(KINDS))
def test_no_reader_dies_of_many(kind: int, good: bytes, tmp_path: Path) -> None:
    seen = set()
    for number in range(100):
        folder = place(tmp_path / f"{number}", damaged(good, kind, np.random.default_rng([kind, 1, number])))
        seen.add(outcome(folder))
    assert seen <= {GOOD, SAID}


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(KINDS))
def test_commands_say_what_they_found(
    kind: int, good: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for number in range(12):
        folder = place(tmp_path / f"{number}", damaged(good, kind, np.random.default_rng([kind, 2, number])))
        for command in (["verify"], ["inspect"], ["inspect", "--sheet", str(tmp_path / "sheet.png")]):
            result = CliRunner().invoke(main, [command[0], str(folder), *command[1:]], catch_exceptions=False)
            assert result.exit_code in (0, 1)
            assert "Traceback" not in result.output
            assert len(result.output.splitlines()) < 100
            if result.exit_code == 1 and command[0] == "inspect":
                assert len(result.stderr.splitlines()) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_the_damaged_page_is_named(command: str, good: bytes, tmp_path: Path) -> None:
    data = bytearray(good)
    for start in range(2 * PAGE, len(good), PAGE):
        if data[start + 10] == 2:  # a leaf: its count of nodes
            data[start + 12 : start + 14] = b"\xff\xff"
    folder = place(tmp_path / "bad", bytes(data))
    result = CliRunner().invoke(main, [command, str(folder)])
    assert result.exit_code == 1
    message = (
        rf"Error: {re.escape(str(folder))}/data\.mdb is damaged: its page \d+ has a damaged head\. "
        r"Copy it again from its source\.\n"
    )
    assert re.fullmatch(message, result.stderr)
