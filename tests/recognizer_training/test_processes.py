"""Runs that are killed, or shared by two processes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from siman_synth.recognition.weights import load_recognizer
from siman_synth.training.checkpoints import Checkpoints
from tests.in_process import run_here
from tests.recognizer_training.tiny import write_words

pytestmark = pytest.mark.slow

SETTINGS = (
    "model.hidden=8", "training.steps=8", "training.batch_size=8", "logging.stats_every=1",
    "logging.checkpoint_every=2", "training.learning_rate=0.001",
)  # fmt: skip
TRAIN = ["-m", "siman_synth", "recognizer", "train", "--recipe", "small", "--device", "cpu"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def command(words: Path, out: Path, *more: str, launch: tuple[str, ...] = ()) -> list[str]:
    settings = [part for setting in (*SETTINGS, *more) for part in ("--set", setting)]
    return [sys.executable, *launch, *TRAIN, "--train", str(words), "--out", str(out), "--resume", *settings]


def losses(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "stats.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("decoder", ["ctc", "attention"])
def test_two_processes_learn_as_one(tmp_path: Path, decoder: str) -> None:
    """The encoder normalises each image alone, so that half a batch sees what the whole one does."""
    words = write_words(tmp_path / "words")
    two = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    run_here(command(words, tmp_path / "one", f"model.decoder='{decoder}'"))
    run = command(words, tmp_path / "two", f"model.decoder='{decoder}'", launch=two)
    subprocess.run(run, check=True, env=ENVIRONMENT, capture_output=True, timeout=600)
    assert losses(tmp_path / "two")[0] == pytest.approx(losses(tmp_path / "one")[0], rel=0.3)
    one, other = (load_recognizer(tmp_path / name).recognizer.state_dict() for name in ("one", "two"))
    apart = np.concatenate([(other[name] - one[name]).abs().flatten().numpy() for name in one])
    # Sums are rounded in another order, and Adam makes a step of a whole rate where a gradient is next to
    # nothing: a few weights may part, none by more than eight such steps. Without the exchange of gradients
    # half of them would be 0.001 apart.
    assert np.quantile(apart, 0.999) < 1e-3
    assert apart.max() < 8 * 1e-3


def test_killed_and_resumed_is_uninterrupted(tmp_path: Path) -> None:
    words = write_words(tmp_path / "words")
    run_here(command(words, tmp_path / "whole"))
    for kill_after in (2, 4):
        process = subprocess.Popen(
            command(words, tmp_path / "killed"),
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while (
            Checkpoints(tmp_path / "killed" / "checkpoints").last_step() < kill_after
            and process.poll() is None
        ):
            time.sleep(0.005)
        process.kill()
        process.wait()
    run_here(command(words, tmp_path / "killed"))
    assert losses(tmp_path / "killed") == losses(tmp_path / "whole")
    one, other = (load_recognizer(tmp_path / name).recognizer.state_dict() for name in ("whole", "killed"))
    assert all(one[name].equal(other[name]) for name in one)
