"""Two runs on one OUT: one of them has it, and no data set ends under the other's summary."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from siman_synth.errors import OutputError
from siman_synth.runs import generate as running
from siman_synth.runs.generate import generate
from siman_synth.runs.inputs import CheckedInputs, check_inputs
from siman_synth.runs.job import Job
from siman_synth.runs.run_folder import RunPaths
from siman_synth.storage.lmdb_reader import LmdbReader
from tests.runs.processes import PATIENCE_S, Processes, digest, finish, generate_command, wait_until

MakeJob = Callable[..., Job]
SEEDS = (1, 2)


def seed_of(out: Path) -> int:
    """Return the seed that made a data set; assert that all that says so agrees."""
    summary = json.loads(RunPaths(out).summary.read_text())
    with LmdbReader.open(out) as reader:
        record = json.loads(reader.raw(b"siman-synth") or b"")
        seeds = {(sample.meta or {})["seed"] for sample in reader}
    assert seeds == {summary["identity"]["seed"]}
    assert record["identity"] == summary["identity"]
    return int(summary["identity"]["seed"])


@pytest.mark.parametrize(
    ("option", "refusal"),
    [
        ("neither", "exists already"),
        ("resume", "belongs to a run with other settings: seed: 1 there, 2 here"),
        ("overwrite", None),
    ],
)
def test_what_was_looked_at_before_the_lock_is_looked_at_again(
    option: str, refusal: str | None, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run does all of its work while this one opens its inputs."""
    out = tmp_path / "words"

    def slow(job: Job) -> CheckedInputs:
        monkeypatch.setattr(running, "check_inputs", check_inputs)
        generate(make_job(count=6, seed=1), out, show_progress=False)
        return check_inputs(job)

    monkeypatch.setattr(running, "check_inputs", slow)
    job, options = make_job(count=6, seed=2), {} if option == "neither" else {option: True}
    if refusal is None:
        generate(job, out, show_progress=False, **options)  # type: ignore[arg-type]
        assert seed_of(out) == 2
    else:
        with pytest.raises(OutputError, match=refusal):
            generate(job, out, show_progress=False, **options)  # type: ignore[arg-type]
        assert seed_of(out) == 1
    assert not RunPaths(out).run.exists()


def test_another_run_that_begins_meanwhile_is_not_joined(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "words"
    paths = RunPaths(out)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def slow(job: Job) -> CheckedInputs:
        monkeypatch.setattr(running, "check_inputs", check_inputs)
        with monkeypatch.context() as patch:
            patch.setattr(running, "prepare", killed)
            with pytest.raises(KeyboardInterrupt):
                generate(make_job(count=6, seed=1), out, show_progress=False)
        return check_inputs(job)

    monkeypatch.setattr(running, "check_inputs", slow)
    with pytest.raises(OutputError, match="holds an unfinished run"):
        generate(make_job(count=6, seed=2), out, show_progress=False)
    assert paths.shards.exists()
    generate(make_job(count=6, seed=1), out, show_progress=False, resume=True)
    assert seed_of(out) == 1


@pytest.mark.parametrize("stage", ["data", "config", "half a config", "all but tidied"])
def test_killed_while_it_is_published_a_run_is_finished_by_resume(
    stage: str, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, out = make_job(count=6), tmp_path / "words"
    paths = RunPaths(out)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if stage == "all but tidied":
            patch.setattr("siman_synth.own_names.OwnNames.remove", killed)
        else:
            patch.setattr("siman_synth.runs.published.place_side_files", killed)
        with pytest.raises(KeyboardInterrupt):
            generate(job, out, show_progress=False)
    if stage == "config":
        (paths.beside / "config.toml").rename(paths.config)
    elif stage == "half a config":
        paths.config.hardlink_to(paths.beside / "config.toml")
    assert out.exists()
    assert generate(job, out, show_progress=False, resume=True).new_samples == 0
    assert seed_of(out) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip


# Real processes.


@pytest.fixture
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.end()


@pytest.fixture(scope="module")
def command(word_file: Path, crop_folder: Path, tiny_weights: Path) -> Callable[..., list[str]]:
    def command(out: Path, seed: int, *options: str) -> list[str]:
        options = ("--n", "30", "--seed", str(seed), "--workers", "1", *options)
        return generate_command(word_file, crop_folder, tiny_weights, out, *options)

    return command


@pytest.mark.slow
def test_two_processes_on_one_out(
    processes: Processes, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    expected = {}
    for seed in SEEDS:
        finish(processes.start(command(tmp_path / f"alone{seed}", seed)))
        expected[seed] = digest(tmp_path / f"alone{seed}")
    for number in range(6):
        rng = np.random.default_rng(number)
        out = tmp_path / f"round{number}" / "words"
        out.parent.mkdir()
        choices = [(), ("--resume",), ("--overwrite",)]
        first = processes.start(command(out, 1, *choices[int(rng.integers(3))]))
        # Moments of the first run at which the second starts, spread by what lies on disk.
        paths = RunPaths(out)
        moments: list[Callable[[], object]] = [
            lambda: True,
            paths.run.exists,
            (paths.shards / "000000.json").exists,
            paths.merged.exists,
            paths.beside.exists,
            out.exists,
        ]
        wait_until(moments[int(rng.integers(len(moments)))], first)
        time.sleep(float(rng.uniform(0, 0.5)) * float(rng.integers(2)))
        second = processes.start(command(out, 2, *choices[int(rng.integers(3))]))
        errors = [process.communicate(timeout=PATIENCE_S)[1] for process in (first, second)]
        statuses = (first.returncode, second.returncode)
        for status, error in zip(statuses, errors, strict=True):
            assert status in (0, 1), error
            assert status == 0 or (error.startswith("Error: ") and error.count("\n") == 1), error
        assert 0 in statuses
        seed = seed_of(out)
        assert statuses[seed - 1] == 0
        assert digest(out) == expected[seed], number
        assert not paths.run.exists(), errors
