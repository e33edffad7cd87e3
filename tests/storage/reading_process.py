"""Read data sets as everything does that a user can point at them, each in a process that may die of it.

A program of its own, started by a test: it is small and has one thread, so that forking is cheap, and no lock
that another thread holds is waited for in vain.
"""

import os
import re
import resource
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from siman_synth.crops.pool import CropPool
from siman_synth.errors import SimanError
from siman_synth.storage.dataset_sheet import dataset_sheet
from siman_synth.storage.inspect import inspect_dataset
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.verify import verify_dataset

GOOD, SAID, BUG = 0, 3, 4
LONGEST_S, MOST_MB = 60, 2_000
ROOT = Path(__file__).parents[2]


def outcomes(folders: Sequence[Path]) -> list[int]:
    """Return how a process ends that reads a data set, for each: its exit status, or minus its signal."""
    command = [sys.executable, "-m", "tests.storage.reading_process", *map(str, folders)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), *sys.path))}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    found = [int(line) for line in done.stdout.split()]
    assert len(found) == len(folders)
    return found


def read_all(folder: Path) -> None:
    """Read a data set in every way."""
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
    """Return how a process ends that reads the data set."""
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


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(outcome(Path(argument)), flush=True)
