"""Real signals to real processes, at any moment: nothing is lost, nothing is left, the bytes agree."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from siman_synth.storage.lmdb_reader import LmdbReader
from tests.runs.processes import (
    PATIENCE_S,
    SAMPLES,
    WORKER,
    Processes,
    Start,
    alive,
    digest,
    finish,
    generate_command,
    markers,
    wait_until,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def start(word_file: Path, crop_folder: Path, tiny_weights: Path) -> Iterator[Start]:
    """Yield a function that starts `siman-synth generate` in a process group of its own."""
    processes = Processes()

    def start(out: Path, *options: str, workers: int = 1, samples: int = SAMPLES) -> subprocess.Popen[str]:
        options = ("--n", str(samples), "--workers", str(workers), *options)
        return processes.start(generate_command(word_file, crop_folder, tiny_weights, out, *options))

    yield start
    processes.end()


@pytest.fixture(scope="module")
def expected(start: Start, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What an uninterrupted run of 60 samples in one process gives."""
    out = tmp_path_factory.mktemp("expected") / "words"
    finish(start(out))
    return digest(out)


def assert_whole(out: Path, expected: str) -> None:
    """Assert that OUT, if it is there, is the whole, and else that every finished shard can be read."""
    if out.exists():
        # It got its name by one rename; what is left of the shards is rubbish being removed.
        assert digest(out) == expected
        with LmdbReader.open(out) as reader:
            assert len(list(reader)) == SAMPLES
        return
    for marker in markers(out):
        with LmdbReader.open(marker.with_suffix(".lmdb")) as reader:
            assert len(reader) == json.loads(marker.read_text())["made"] == len(list(reader))


@pytest.mark.parametrize(
    ("sent", "workers"),
    # Without workers the group is the one process.
    [("SIGINT", 1), ("scancel", 1), ("Ctrl-C", 2), ("scancel", 2), ("SIGINT", 2), ("SIGTERM", 2)],
)
def test_stops_cleanly_and_says_how_to_go_on(sent: str, workers: int, start: Start, tmp_path: Path) -> None:
    out = tmp_path / "words"
    process = start(out, workers=workers, samples=2000)
    assert wait_until(lambda: len(markers(out)) > 2, process)
    number = signal.SIGINT if sent in ("Ctrl-C", "SIGINT") else signal.SIGTERM
    if sent in ("Ctrl-C", "scancel"):  # a terminal, or a batch system, sends it to the whole group
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert errors.strip() == (
        f"Stopped. Finished shards are in {out}.run; run the same command with --resume to go on."
    )
    assert not out.exists()
    wait_until(lambda: not alive(process.pid))


def test_a_killed_worker_costs_its_shards_which_are_made_again(
    start: Start, expected: str, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    process = start(out, workers=2)
    assert wait_until(lambda: markers(out), process)
    for worker in alive(process.pid, WORKER)[:1]:
        os.kill(worker, signal.SIGKILL)
    assert finish(process) == ""
    assert digest(out) == expected
    wait_until(lambda: not alive(process.pid))


def test_workers_end_with_a_leader_that_is_killed(start: Start, expected: str, tmp_path: Path) -> None:
    out = tmp_path / "words"
    process = start(out, workers=2, samples=2000)
    assert wait_until(lambda: markers(out), process)
    process.kill()
    process.communicate()
    wait_until(lambda: not alive(process.pid))
    shutil.rmtree(f"{out}.run")
    finish(start(out, workers=2))
    assert digest(out) == expected


@pytest.mark.parametrize(("workers", "stages"), [(1, range(8)), (2, (0, 2, 3, 5))])
def test_killed_at_any_moment_and_resumed_gives_the_same_bytes(
    workers: int, stages: Sequence[int], start: Start, expected: str, tmp_path: Path
) -> None:
    """The moments are spread over the run by what lies on disk: between shards, in the merge, at the end."""
    out = tmp_path / "words"
    run = tmp_path / "words.run"
    rng = np.random.default_rng(workers)
    killed = 0
    for stage in rng.permutation(stages).tolist():
        process = start(out, "--resume", workers=workers)
        there = len(markers(out))
        moments: list[Callable[[], object]] = [
            run.exists,
            lambda: len(markers(out)) > there,  # noqa: B023
            lambda: len(markers(out)) > there + 1,  # noqa: B023
            lambda: len(markers(out)) > there + 3,  # noqa: B023
            (run / "merged").exists,
            (run / "merged" / "data.mdb").exists,
            out.with_name("words.summary.json").exists,
            out.exists,
        ]
        if wait_until(moments[stage], process):
            time.sleep(float(rng.uniform(0, 0.06)) * float(rng.integers(2)))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        wait_until(lambda: not alive(process.pid))  # noqa: B023
        assert process.returncode in (0, -signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL
        assert_whole(out, expected)
        if process.returncode == 0:
            assert not run.exists()
            for path in tmp_path.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert killed >= len(stages) // 2, "hardly any kill met a run"
    finish(start(out, "--resume", workers=workers))
    assert digest(out) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip
