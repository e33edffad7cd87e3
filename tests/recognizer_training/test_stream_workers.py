"""What becomes of a training when signals reach the processes that make its words. Programs are real."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runs.processes import PATIENCE_S, Processes, alive, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


@pytest.fixture
def training(
    word_file: Path, crop_folder: Path, tiny_weights: Path, tmp_path: Path
) -> Iterator[subprocess.Popen[str]]:
    """A training that has just started the process that makes its words."""
    processes = Processes()
    process = processes.start(
        [
            *(sys.executable, "-m", "siman_synth", "recognizer", "train", "--stream", "1"),
            *("--corpus", str(word_file), "--styles", str(crop_folder), "--weights", str(tiny_weights)),
            *("--fonts", "roboto", "--stream-set", "gate.ink=false", "--out", str(tmp_path / "run")),
            *("--set", "training.batch_size=4", "--set", "training.steps=100000"),
        ]
    )
    assert wait_until(lambda: alive(process.pid, b"spawn_main"), process)
    yield process
    processes.end()


def test_ctrl_c_ends_it_between_steps(training: subprocess.Popen[str], tmp_path: Path) -> None:
    os.killpg(training.pid, signal.SIGINT)
    _, errors = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 130, errors
    assert errors == "Stopped after step 1. Run the same command with --resume to go on.\n"


def test_a_worker_that_was_killed_is_named(training: subprocess.Popen[str]) -> None:
    for worker in alive(training.pid, b"spawn_main"):
        os.kill(worker, signal.SIGKILL)
    _, errors = training.communicate(timeout=PATIENCE_S)
    assert training.returncode == 1, errors
    assert errors.startswith("Error: A process that makes words died: it was killed, or memory ran out."), (
        errors
    )
