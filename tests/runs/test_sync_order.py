"""What a power cut leaves: nothing says "done" before what it vouches for is on the disk."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from siman_synth.runs.generate import generate
from siman_synth.runs.inputs import check_inputs
from siman_synth.runs.job import Job
from siman_synth.runs.samples import Workshop
from siman_synth.runs.shards import make_shard

MakeJob = Callable[..., Job]
Calls = list[tuple[str, ...]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every sync and rename of this process, in order, by the names at that time."""
    found: Calls = []
    fsync = os.fsync

    def synced(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        found.append(("sync", path.name.replace(str(os.getpid()), "PID")))
        fsync(descriptor)

    def noted(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(source: os.PathLike[str], target: os.PathLike[str], **options: object) -> object:
            old = Path(source).name.replace(str(os.getpid()), "PID")
            result = real(source, target, **options)
            found.append((name, old, Path(target).name))
            return result

        return call

    if not Path("/proc/self/fd").exists():
        pytest.skip("this system does not tell the names of open files")
    monkeypatch.setattr(os, "fsync", synced)
    for name in ("replace", "rename", "link"):
        monkeypatch.setattr(os, name, noted(name, getattr(os, name)))
    return found


def test_a_marker_comes_after_its_data(make_job: MakeJob, tmp_path: Path, calls: Calls) -> None:
    job = make_job(count=6)
    workshop = Workshop(job, check_inputs(job).opened)
    calls.clear()
    make_shard(workshop, 0, tmp_path)
    ending = calls[-8:]
    assert set(ending[:2]) == {("sync", "data.mdb"), ("sync", "lock.mdb")}
    assert ending[2:] == [
        ("sync", "000000.partial-PID"),
        ("replace", "000000.partial-PID", "000000.lmdb"),
        ("sync", tmp_path.name),
        ("sync", "000000.json.partial-PID"),
        ("replace", "000000.json.partial-PID", "000000.json"),
        ("sync", tmp_path.name),
    ]


def test_the_data_set_gets_its_name_after_its_data_and_the_summary_comes_last(
    make_job: MakeJob, tmp_path: Path, calls: Calls
) -> None:
    out = tmp_path / "words"
    generate(make_job(count=6), out, show_progress=False)
    start = next(i for i, call in enumerate(calls) if call[0] == "sync" and call[1].startswith("config.toml"))
    ending = calls[start:]
    named = ending.index(("replace", "merged", "words"))
    before = ending[:named]
    for name in ("config.toml", "summary.json"):
        partial = f"{name}.partial-PID"
        assert before.index(("sync", partial)) < before.index(("replace", partial, name))
    assert set(before[-3:]) == {("sync", "data.mdb"), ("sync", "lock.mdb"), ("sync", "merged")}
    assert before[-1] == ("sync", "merged")
    assert ending[named + 1 :] == [
        ("sync", tmp_path.name),
        ("link", "config.toml", "words.config.toml"),
        ("link", "summary.json", "words.summary.json"),
        ("sync", tmp_path.name),
    ]
