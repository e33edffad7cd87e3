"""What becomes of a training when signals reach the processes that make its words. Programs are real."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from siman_synth.training.checkpoints import Checkpoints
from tests.runs.processes import PATIENCE_S, WORKER, Processes, alive, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


Train = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def train(word_file: Path, crop_folder: Path, tiny_weights: Path, tmp_path: Path) -> Iterator[Train]:
    """Return a function that starts a training and returns when a process that makes its words is there."""
    processes = Processes()

    def start(*options: str, workers: int = 1, gate: str = "ink=false") -> subprocess.Popen[str]:
        process = processes.start(
            [
                *(sys.executable, "-m", "siman_synth", "recognizer", "train", "--stream", "1"),
                *("--corpus", str(word_file), "--styles", str(crop_folder), "--weights", str(tiny_weights)),
                *("--fonts", "roboto", "--out", str(tmp_path / "run")),
                *("--set", "training.batch_size=4", "--set", "training.steps=100000", "--resume"),
                *("--stream-workers", str(workers), "--stream-set", f"gate.{gate}", *options),
            ]
        )
        assert wait_until(lambda: len(alive(process.pid, WORKER)) == workers, process)
        return process

    yield start
    processes.end()


def test_ctrl_c_does_not_wait_for_the_first_words(train: Train) -> None:
    training = train()
    os.killpg(training.pid, signal.SIGINT)
    _, errors = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 130, errors
    assert errors == "Stopped after step 0. Run the same command with --resume to go on.\n"
    assert not alive(training.pid)


@pytest.mark.parametrize("workers", [0, 2])
def test_ctrl_c_loses_no_step(train: Train, workers: int, tmp_path: Path) -> None:
    """Whatever it meets: a step, or the words of the next one in the making."""
    stats = tmp_path / "run" / "stats.jsonl"
    training = train("--set", "logging.stats_every=1", workers=workers)
    assert wait_until(lambda: stats.exists() and stats.read_text(), training)
    os.killpg(training.pid, signal.SIGINT)
    _, errors = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 130, errors
    steps = json.loads(stats.read_text().splitlines()[-1])["step"]
    assert errors == f"Stopped after step {steps}. Run the same command with --resume to go on.\n"
    assert Checkpoints(tmp_path / "run" / "checkpoints").last_step() == steps


def test_what_a_worker_says_is_told_and_ends_the_training(train: Train) -> None:
    """Once the training waited for ever for the worker, which waited for it."""
    training = train(gate="min_contrast=255")
    _, errors = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 1, errors
    assert "Error: None of the last 64 words could be made: " in errors


def test_a_worker_that_was_killed_is_named(train: Train) -> None:
    training = train()
    for worker in alive(training.pid, WORKER):
        os.kill(worker, signal.SIGKILL)
    _, errors = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 1, errors
    assert errors.startswith("Error: A process that makes words died: it was killed, or memory ran out."), (
        errors
    )
