"""Finished shards are not believed: whatever became of one, the result is that of the undisturbed run."""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from siman_synth.errors import OutputError
from siman_synth.runs import merge as merging
from siman_synth.runs.generate import generate
from siman_synth.runs.inputs import check_inputs
from siman_synth.runs.job import Job
from siman_synth.runs.markers import marker_file, read_marker, shard_folder
from siman_synth.runs.result import GenerateResult
from siman_synth.runs.run_folder import RunPaths, begin
from siman_synth.runs.samples import Workshop
from siman_synth.runs.shards import make_shard
from siman_synth.sealed import sealed, unsealed

MakeJob = Callable[..., Job]
ROUNDS = 60


def run(job: Job, out: Path, **options: bool) -> GenerateResult:
    return generate(job, out, show_progress=False, **options)  # type: ignore[arg-type]


def digest(out: Path) -> str:
    return hashlib.sha256((out / "data.mdb").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def job(make_job: MakeJob) -> Job:
    return make_job("execution.shard_size=2", count=6)


@pytest.fixture(scope="module")
def expected(job: Job, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The hash of the data set of an undisturbed run."""
    out = tmp_path_factory.mktemp("undisturbed") / "words"
    run(job, out)
    return digest(out)


@pytest.fixture(scope="module")
def stopped(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run leaves that was killed after its last shard; copy it before damaging it."""
    paths = RunPaths(tmp_path_factory.mktemp("stopped") / "words")
    inputs = check_inputs(job)
    paths.run.mkdir()
    paths.lock.touch()
    begin(paths, job.identity(inputs.contents))
    for shard in range(job.shard_count):
        make_shard(Workshop(job, inputs.opened), shard, paths.shards)
    return paths.run


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """Return data that was cut, zeroed in part, or of which some bits were flipped."""
    changed = bytearray(data)
    kind = rng.integers(4)
    if kind == 0:
        return bytes(changed[: rng.integers(len(changed))])
    if kind == 1:
        start = int(rng.integers(len(changed)))
        length = int(rng.choice([1, 16, 4096, len(changed)]))
        changed[start : start + length] = bytes(len(changed[start : start + length]))
    elif kind == 2:
        for place in rng.integers(len(changed), size=int(rng.integers(1, 9))):
            changed[place] ^= 1 << int(rng.integers(8))
    else:  # the head: page numbers, offsets and flags that LMDB follows
        changed[int(rng.integers(200))] ^= 1 << int(rng.integers(8))
    return bytes(changed)


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, ROUNDS, 10))
def test_the_result_is_that_of_the_undisturbed_run(
    start: int, job: Job, stopped: Path, expected: str, tmp_path: Path
) -> None:
    for seed in range(start, start + 10):
        rng = np.random.default_rng(seed)
        out = tmp_path / f"{seed}"
        shards = Path(shutil.copytree(stopped, f"{out}.run")) / "shards"
        shard = int(rng.integers(job.shard_count))
        file = shard_folder(shards, shard) / "data.mdb" if rng.random() < 0.7 else marker_file(shards, shard)
        before = file.read_bytes()
        file.write_bytes(damaged(before, rng))
        is_damaged = file.read_bytes() != before
        result = run(job, out, resume=True)
        assert digest(out) == expected, seed
        # What was harmless may be kept: white space in a marker.
        assert result.remade.total <= is_damaged
        if file.suffix == ".mdb":
            assert result.remade.total == is_damaged
            assert result.new_samples == 2 * is_damaged
        summary = json.loads(out.with_name(out.name + ".summary.json").read_text())
        assert (summary["made"], summary["dropped"]) == (6, 0)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("cut", "shard whose data was damaged"),
        ("gone", "shard whose data cannot be read"),
        ("swapped", "shard whose data was damaged"),
        ("other run", "shard of another run"),
        ("other number", "shard of another run"),
        ("marker", "shard whose marker was damaged"),
        ("counts", "shard whose marker was damaged"),
    ],
)
def test_what_was_made_again_is_said(
    damage: str, reason: str, job: Job, make_job: MakeJob, stopped: Path, expected: str, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    shards = Path(shutil.copytree(stopped, f"{out}.run")) / "shards"
    marker, data = marker_file(shards, 1), shard_folder(shards, 1) / "data.mdb"
    if damage == "cut":
        data.write_bytes(data.read_bytes()[:9000])
    elif damage == "gone":
        data.unlink()
    elif damage == "swapped":
        shutil.copy(shard_folder(shards, 0) / "data.mdb", data)
    elif damage == "other run":
        other = make_job("execution.shard_size=2", count=6, seed=9)
        make_shard(Workshop(other, check_inputs(other).opened), 1, shards)
    elif damage == "other number":
        shutil.copy(marker_file(shards, 0), marker)
        shutil.copy(shard_folder(shards, 0) / "data.mdb", data)
    elif damage == "marker":
        marker.write_text(marker.read_text()[:-3])
    else:
        marker.write_text(marker.read_text().replace('"dropped": 0', '"dropped": 1'))
    result = run(job, out, resume=True)
    assert result.to_text().splitlines()[-1] == f"made again: 1 {reason} (shard 1)"
    assert result.new_samples == 2
    assert digest(out) == expected


def test_a_shard_that_is_damaged_after_it_was_made_is_made_again_in_the_same_run(
    job: Job, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = merging.merge
    calls: Iterator[int] = iter(range(9))

    def merge(shards: Path, *rest: object) -> None:
        call = next(calls)
        if call < 2:
            (shard_folder(shards, 2 * call) / "data.mdb").write_bytes(b"\0" * 8192)
        real(shards, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("siman_synth.runs.run.merge", merge)
    result = run(job, tmp_path / "words")
    assert result.remade.counts == {"shard whose data was damaged": 2}
    assert digest(tmp_path / "words") == expected
    assert not RunPaths(tmp_path / "words").run.exists()


def test_a_disk_that_damages_everything_is_said_and_the_run_ends(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = merging.merge

    def merge(shards: Path, *rest: object) -> None:
        (shard_folder(shards, 0) / "data.mdb").write_bytes(b"")
        real(shards, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("siman_synth.runs.run.merge", merge)
    with pytest.raises(OutputError, match="other bytes than were written, again and again: 6 shard"):
        run(job, tmp_path / "words")
    assert not (tmp_path / "words").exists()


def test_a_marker_says_what_the_report_says(stopped: Path) -> None:
    report = read_marker(stopped / "shards", 1)
    assert report is not None
    data = (shard_folder(stopped / "shards", 1) / "data.mdb").read_bytes()
    assert (report.shard, report.made, report.sha256) == (1, 2, hashlib.sha256(data).hexdigest())
    assert type(report).from_values(unsealed(sealed(report.to_values()))) == report
