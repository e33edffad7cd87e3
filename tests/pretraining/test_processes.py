"""Runs that are killed, stopped, or shared by several processes."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from siman_synth.models.checkpoint import load_generator
from tests.in_process import run_here
from tests.pretraining.tiny_run import PROGRAM, environment, numbers, settings, steps_saved

pytestmark = pytest.mark.slow
BATCH = "training.batch_size=8"
FIRST = 3
"""Steps after which rounding has not yet led two runs apart."""


def test_killed_and_resumed_is_uninterrupted(crop_folder: Path, tmp_path: Path) -> None:
    more = settings("training.steps=40", "logging.checkpoint_every=3")
    command = [*PROGRAM, "--crops", str(crop_folder), *more, "--out"]
    run_here([*command, str(tmp_path / "whole")])
    for kill_after in (3, 9, 21):
        process = subprocess.Popen(
            [*command, str(tmp_path / "killed"), "--resume"],
            env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while (
            not any(state >= kill_after for state in steps_saved(tmp_path / "killed"))
            and process.poll() is None
        ):
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
    run_here([*command, str(tmp_path / "killed"), "--resume"])
    assert numbers(tmp_path / "killed") == numbers(tmp_path / "whole")


def test_interrupt_saves_and_says_how_to_resume(crop_folder: Path, tmp_path: Path) -> None:
    command = [*PROGRAM, "--crops", str(crop_folder), "--out", str(tmp_path)]
    process = subprocess.Popen(
        [*command, *settings("training.steps=100000", "logging.checkpoint_every=100000")],
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (tmp_path / "stats.jsonl").exists() or len((tmp_path / "stats.jsonl").read_text()) < 200:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "--resume to go on" in errors
    assert steps_saved(tmp_path)


def torchrun(crops: Path, out: Path, *more: str) -> None:
    """Pretrain in two processes on this machine."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launch, "-m", "siman_synth", *PROGRAM[3:], "--crops", str(crops), "--out", str(out), *more]
    subprocess.run(command, check=True, env=environment(), capture_output=True, timeout=600)


@pytest.fixture(scope="module")
def shared(crop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run by two processes, batch by batch."""
    out = tmp_path_factory.mktemp("shared") / "run"
    torchrun(crop_folder, out, *settings(BATCH))
    return out


def test_two_processes_train_as_one(crop_folder: Path, shared: Path, tmp_path: Path) -> None:
    """DDP over gloo: both ranks see their half, and what is exported is one finite network."""
    first = numbers(shared)
    assert [line["step"] for line in first if "l2" in line] == list(range(1, 11))
    out = Path(shutil.copytree(shared, tmp_path / "run"))
    (out / "checkpoints" / "state-00000010.pt").unlink()
    torchrun(crop_folder, out, *settings(BATCH), "--resume")
    assert numbers(out) == first
    assert all(
        torch.isfinite(p).all() for p in load_generator(out / "siman.safetensors").generator.parameters()
    )


def test_two_processes_take_a_batch_in_parts(crop_folder: Path, shared: Path, tmp_path: Path) -> None:
    """Gradients meet once a step, after the last part, and are those of the whole batch."""
    torchrun(crop_folder, tmp_path / "parts", *settings(BATCH, "training.accumulate=2"))
    for one, other in zip(numbers(shared)[:FIRST], numbers(tmp_path / "parts")[:FIRST], strict=True):
        assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_loop_ends_cleanly(crop_folder: Path, tmp_path: Path, number: int) -> None:
    """From the imports to the first step: status 130, a sentence at most, and nothing half done."""
    for name in ("imports", "folder", "cache"):
        out = tmp_path / name
        command = [*PROGRAM, "--crops", str(crop_folder), "--out", str(out), "--resume", *settings()]
        if name == "imports":
            command[1:1] = ["-X", "importtime"]
        process = subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        if name == "imports":
            assert any("torch._C" in line for line in process.stderr)  # reads until it is so
        else:
            while not (out if name == "folder" else out / "cache").exists():
                assert process.poll() is None
                time.sleep(0.002)
        process.send_signal(number)
        errors = process.stderr.read()
        assert process.wait(timeout=300) == 130, (name, errors)
        assert "Traceback" not in errors
        assert not list(out.rglob("*partial*"))
        run_here([*PROGRAM, *command[command.index("--crops") :]])
        assert steps_saved(out)[-1] == 10
