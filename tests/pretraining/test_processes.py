"""Runs that are killed, stopped, or shared by several processes."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from siman_synth.models.checkpoint import load_generator
from tests.pretraining.tiny_run import PROGRAM, environment, numbers, settings, steps_saved

pytestmark = pytest.mark.slow


def test_killed_and_resumed_is_uninterrupted(crop_folder: Path, tmp_path: Path) -> None:
    more = settings("training.steps=40", "logging.checkpoint_every=3")
    command = [*PROGRAM, "--crops", str(crop_folder), *more, "--out"]
    subprocess.run([*command, str(tmp_path / "whole")], check=True, env=environment(), capture_output=True)
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
    subprocess.run(
        [*command, str(tmp_path / "killed"), "--resume"], check=True, env=environment(), capture_output=True
    )
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
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume to go on" in errors
    assert steps_saved(tmp_path)


def torchrun(crops: Path, out: Path, *more: str) -> None:
    """Pretrain in two processes on this machine."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launch, "-m", "siman_synth", *PROGRAM[3:], "--crops", str(crops), "--out", str(out), *more]
    subprocess.run(command, check=True, env=environment(), capture_output=True, timeout=600)


def test_two_processes_train_as_one(crop_folder: Path, tmp_path: Path) -> None:
    """DDP over gloo: both ranks see their half, and what is exported is one finite network."""
    torchrun(crop_folder, tmp_path, *settings())
    assert [line["step"] for line in numbers(tmp_path) if "l2" in line] == list(range(1, 11))
    first = numbers(tmp_path)
    (tmp_path / "checkpoints" / "state-00000010.pt").unlink()
    torchrun(crop_folder, tmp_path, *settings(), "--resume")
    assert numbers(tmp_path) == first
    assert all(
        torch.isfinite(p).all() for p in load_generator(tmp_path / "siman.safetensors").generator.parameters()
    )


def test_two_processes_take_a_batch_in_parts(crop_folder: Path, tmp_path: Path) -> None:
    """Gradients meet once a step, after the last part, and are those of the whole batch."""
    few = ("training.batch_size=8", "training.steps=3")
    for accumulate in (1, 2):
        torchrun(
            crop_folder, tmp_path / str(accumulate), *settings(*few, f"training.accumulate={accumulate}")
        )
    whole, parts = (numbers(tmp_path / name) for name in ("1", "2"))
    for one, other in zip(whole, parts, strict=True):
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
        subprocess.run(command, check=True, env=environment(), capture_output=True, timeout=600)
        assert steps_saved(out)[-1] == 10
