"""A tiny run to vary, and what to look at in its folder."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.run import PretrainResult
from siman_synth.training.checkpoints import Checkpoints

TINY = (
    "model.widths=[8,12,16]", "model.blocks=[1,1,1]", "model.decoder_widths=[12,8]", "model.paint_width=4",
    "discriminator.widths=[8,8]", "training.batch_size=4", "training.steps=10", "data.held_out=2",
    "logging.stats_every=1", "logging.panel_every=5", "logging.checkpoint_every=5",
    "logging.snapshot_every=5",
)  # fmt: skip
PROGRAM = [sys.executable, "-m", "siman_synth", "pretrain", "--device", "cpu"]

Tiny = Callable[..., PretrainConfig]
Run = Callable[..., PretrainResult]


def settings(*overrides: str) -> list[str]:
    """Return the options that make a run on the command line tiny."""
    return [argument for override in (*TINY, *overrides) for argument in ("--set", override)]


def environment() -> dict[str, str]:
    """Return the environment of a command on a small machine."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def numbers(out: Path) -> list[dict[str, float]]:
    """Return the lines of stats.jsonl without the pace."""
    lines = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]


def saved_parts(out: Path, step: int) -> dict[str, dict[str, object]]:
    """Return what the checkpoint of a step holds."""
    path = out / "checkpoints" / f"state-{step:08d}.pt"
    parts: dict[str, dict[str, object]] = torch.load(path, weights_only=True)["parts"]
    return parts


def steps_saved(out: Path) -> list[int]:
    """Return the steps of which there are checkpoints."""
    return [int(path.stem.removeprefix("state-")) for path in Checkpoints(out / "checkpoints").files()]


def assert_equal_runs(one: Path, other: Path, step: int) -> None:
    """Compare two runs to the last bit: statistics, networks, optimisers."""
    assert numbers(one) == numbers(other)
    left, right = saved_parts(one, step), saved_parts(other, step)
    assert left.keys() == right.keys()
    torch.testing.assert_close(left, right, rtol=0, atol=0)
