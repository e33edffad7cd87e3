"""The order in which a shard reaches the disk: its bytes, its names, and only then what says "done".

Recorded from outside by strace where it is installed, and everywhere by a shim around the calls of
Python (which cannot see those that LMDB makes itself).
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import siman_synth

PUBLISH = """
import sys
from pathlib import Path
from siman_synth.files import publish_folder, write_text
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

run = Path(sys.argv[1])
with LmdbWriter.create(run / "shards" / "0.partial", chunk=2) as writer:
    for number in range(3):
        writer.write(Sample(b"image", f"word{number}", 9, 32, {}))
publish_folder(run / "shards" / "0.partial", run / "shards" / "0.lmdb")
write_text(run / "shards" / "0.json", "{}")
"""
SHIM = """
import os

def named(number):
    return os.readlink(f"/proc/self/fd/{number}")

def recorded(name, function, describe):
    def call(*arguments, **options):
        with open(RECORD, "a") as file:
            file.write(f"{name} {describe(*arguments)}\\n")
        return function(*arguments, **options)
    return call

os.fsync = recorded("sync", os.fsync, named)
os.replace = recorded("rename", os.replace, lambda source, target: f"{source} {target}")
"""


def run(code: str, folder: Path, *before: str) -> None:
    root = str(Path(siman_synth.__file__).parents[1])
    command = [*before, sys.executable, "-c", code, str(folder)]
    subprocess.run(command, check=True, timeout=300, env=os.environ | {"PYTHONPATH": root})


def with_shim(folder: Path, record: Path) -> list[str]:
    run(f"RECORD = {str(record)!r}\n{SHIM}\n{PUBLISH}", folder)
    return record.read_text().splitlines()


def with_strace(folder: Path, record: Path) -> list[str]:
    traced = "trace=fsync,fdatasync,msync,rename,renameat,renameat2"
    run(PUBLISH, folder, "strace", "-f", "-y", "-e", traced, "-o", str(record))
    calls = []
    for line in record.read_text().splitlines():
        if found := re.search(r"(?:fsync|fdatasync)\(\d+<(.*?)>\)\s+= 0", line):
            calls.append(f"sync {found[1]}")
        elif found := re.search(r'rename\w*\(.*?"(.*?)".*?"(.*?)".*= 0', line):
            calls.append(f"rename {found[1]} {found[2]}")
    return calls


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize("recorder", [with_shim, with_strace])
def test_nothing_says_done_before_it_is_on_the_disk(recorder: object, tmp_path: Path) -> None:
    if recorder is with_strace and not shutil.which("strace"):
        pytest.skip("strace is not installed")
    folder = tmp_path / "new" / "run"
    calls = recorder(folder, tmp_path / "record")  # type: ignore[operator]
    calls = [re.sub(r"partial-\d+", "partial", call.replace(f"{tmp_path}/", "")) for call in calls]
    shards = "new/run/shards"
    wanted = [
        "sync new",  # its name "run"
        "sync new/run",
        f"sync {shards}",
        f"sync {shards}/0.partial",  # the name data.mdb
        f"sync {shards}/0.partial/data.mdb",
        f"sync {shards}/0.partial",
        f"rename {shards}/0.partial {shards}/0.lmdb",
        f"sync {shards}",
        f"sync {shards}/0.json.partial",
        f"rename {shards}/0.json.partial {shards}/0.json",
        f"sync {shards}",
    ]
    remaining = iter(calls)
    missing = [step for step in wanted if step not in remaining]
    assert not missing, calls
    if recorder is with_strace:
        # LMDB itself: every commit of data before the folder gets its final name.
        assert calls[: calls.index(wanted[6])].count(f"sync {shards}/0.partial/data.mdb") >= 3
