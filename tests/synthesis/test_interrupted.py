"""Real signals to real processes, at any moment: nothing is lost, nothing is left, the bytes agree."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import siman_synth
from siman_synth.storage.lmdb_reader import LmdbReader

pytestmark = pytest.mark.slow

SAMPLES = 60
PATIENCE_S = 300
"""Nothing takes that long, but on a machine that is busy with something else."""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture(scope="module")
def start(word_file: Path, crop_folder: Path, tiny_weights: Path) -> Iterator[Start]:
    """Yield a function that starts `siman-synth generate` in a process group of its own."""
    groups: list[int] = []

    def start(out: Path, *options: str, workers: int = 1, samples: int = SAMPLES) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-m", "siman_synth", "generate", "--n", str(samples), "--out", str(out)),
            *("--corpus", str(word_file), "--styles", str(crop_folder), "--weights", str(tiny_weights)),
            *("--fonts", "roboto", "--fonts", "oswald", "--device", "cpu", "--workers", str(workers)),
            *("--set", "execution.shard_size=10", *options),
        ]
        root = str(Path(siman_synth.__file__).parents[1])
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"},
        )
        groups.append(process.pid)
        return process

    yield start
    for group in groups:  # a test that failed leaves its processes
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


@pytest.fixture(scope="module")
def expected(start: Start, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What an uninterrupted run of 60 samples in one process gives."""
    out = tmp_path_factory.mktemp("expected") / "words"
    finish(start(out))
    return digest(out)


def digest(out: Path) -> str:
    return hashlib.sha256((out / "data.mdb").read_bytes()).hexdigest()


def finish(process: subprocess.Popen[str]) -> str:
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return errors


def markers(out: Path) -> list[Path]:
    return sorted(out.with_name(out.name + ".run").glob("shards/*.json"))


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> bool:
    """Wait for a condition; return whether it came while `process` was alive."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if process is not None and process.poll() is not None:
            return False
        assert time.monotonic() < deadline, f"waited for {PATIENCE_S} s"
        time.sleep(0.002)
    return True


def alive(group: int, only_workers: bool = False) -> list[int]:
    """Return the processes of a group that run; those that wait to be reaped do not."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, owner = stat.read_text().rpartition(")")[2].split()[:3]
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(owner) == group and state != "Z" and (b"popen_loky" in command or not only_workers):
            found.append(int(stat.parent.name))
    return found


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


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("sent", ["Ctrl-C", "SIGINT", "SIGTERM"])
def test_stops_cleanly_and_says_how_to_go_on(sent: str, workers: int, start: Start, tmp_path: Path) -> None:
    out = tmp_path / "words"
    process = start(out, workers=workers, samples=2000)
    assert wait_until(lambda: len(markers(out)) > 2, process)
    if sent == "Ctrl-C":  # a terminal sends it to the whole group
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT if sent == "SIGINT" else signal.SIGTERM)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert errors.strip() == (
        f"Stopped. Finished shards are in {out}.run; run the same command with --resume to go on."
    )
    assert not out.exists()
    wait_until(lambda: not alive(process.pid))


@pytest.mark.parametrize("delay_s", [0.3, 1.0, 1.7])
def test_a_stop_during_start_up_has_no_traceback(delay_s: float, start: Start, tmp_path: Path) -> None:
    process = start(tmp_path / "words", samples=2000)
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in (130, 1, -signal.SIGINT)
    if process.returncode == 130:
        assert errors.strip().startswith("Stopped")


def test_a_killed_worker_costs_its_shards_which_are_made_again(
    start: Start, expected: str, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    process = start(out, workers=2)
    assert wait_until(lambda: markers(out), process)
    for worker in alive(process.pid, only_workers=True)[:1]:
        os.kill(worker, signal.SIGKILL)
    finish(process)
    assert digest(out) == expected
    assert not alive(process.pid)


def test_workers_end_with_a_leader_that_is_killed(start: Start, expected: str, tmp_path: Path) -> None:
    out = tmp_path / "words"
    process = start(out, workers=2, samples=2000)
    assert wait_until(lambda: markers(out), process)
    process.kill()
    process.communicate()
    before = time.monotonic()
    wait_until(lambda: not alive(process.pid, only_workers=True))
    assert time.monotonic() - before < 30
    shutil.rmtree(f"{out}.run")
    finish(start(out, workers=2))
    assert digest(out) == expected


@pytest.mark.parametrize(("kills", "workers"), [(12, 1), (4, 2)])
def test_killed_at_any_moment_and_resumed_gives_the_same_bytes(
    kills: int, workers: int, start: Start, expected: str, tmp_path: Path
) -> None:
    """The moments are spread over the run by what lies on disk: between shards, in the merge, at the end."""
    out = tmp_path / "words"
    run = tmp_path / "words.run"
    rng = np.random.default_rng(kills)
    killed = finished = 0
    while killed < kills:
        process = start(out, "--resume", workers=workers)
        stage = int(rng.integers(8))
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
            finished += 1
            assert not run.exists()
            for path in tmp_path.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    finish(start(out, "--resume", workers=workers))
    assert digest(out) == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip
