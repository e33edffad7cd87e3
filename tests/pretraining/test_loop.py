"""Pretraining: it learns, it resumes to the same numbers, it stops before damage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from siman_synth.config import load_config
from siman_synth.crops.cache import CropCache
from siman_synth.crops.patches import PatchSampler
from siman_synth.crops.pool import CropPool
from siman_synth.crops.style_breaking import StyleBreaking
from siman_synth.errors import OutputError, TrainingError
from siman_synth.models.checkpoint import load_generator
from siman_synth.pretraining import loop
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.distributed import Processes
from siman_synth.pretraining.state import TrainState, checkpoints
from siman_synth.resources import resource_folder

CPU = Processes(0, 1, torch.device("cpu"))
TINY = (
    "model.widths=[8,12,16]", "model.blocks=[1,1,1]", "model.decoder_widths=[12,8]", "model.paint_width=4",
    "discriminator.widths=[8,8]", "training.batch_size=4", "training.steps=10", "data.held_out=2",
    "logging.stats_every=1", "logging.panel_every=5", "logging.checkpoint_every=5",
    "logging.snapshot_every=5",
)  # fmt: skip


def tiny(*overrides: str) -> PretrainConfig:
    return load_config(PretrainConfig, overrides=(*TINY, *overrides))


@pytest.fixture(scope="module")
def cache(crop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> CropCache:
    return CropCache.build(CropPool.open(crop_folder), tmp_path_factory.mktemp("cache") / "c", 32, 2.0)


def run(config: PretrainConfig, cache: CropCache, out: Path, resume: bool = False) -> loop.PretrainResult:
    return loop.pretrain(config, cache, out, CPU, resume=resume, show_progress=False)


def numbers(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]


def test_leaves_weights_checkpoints_panels_statistics(cache: CropCache, tmp_path: Path) -> None:
    result = run(tiny(), cache, tmp_path)
    assert (result.steps, result.interrupted) == (10, False)
    assert load_generator(result.weights).provenance["step"] == 10
    assert [path.name for path in checkpoints(tmp_path / "checkpoints")] == [
        "state-00000005.pt",
        "state-00000010.pt",
    ]
    assert (tmp_path / "snapshots" / "siman-00000005.safetensors").exists()
    assert len(list((tmp_path / "panels").glob("pairs-*.png"))) == 2
    assert list((tmp_path / "tensorboard").iterdir())
    assert [line["step"] for line in numbers(tmp_path) if "l2" in line] == list(range(1, 11))


def test_five_plus_five_steps_are_ten(cache: CropCache, tmp_path: Path) -> None:
    run(tiny(), cache, tmp_path / "whole")
    # The learning rate falls towards the last step: the first half must know of all ten.
    state_folder = tmp_path / "halves" / "checkpoints"
    run(tiny(), cache, tmp_path / "halves")
    (state_folder / "state-00000010.pt").unlink()
    run(tiny(), cache, tmp_path / "halves", resume=True)
    assert numbers(tmp_path / "halves") == numbers(tmp_path / "whole")
    for part in ("generator", "average", "discriminator"):
        one, other = (
            torch.load(tmp_path / name / "checkpoints" / "state-00000010.pt", weights_only=True)[part]
            for name in ("whole", "halves")
        )
        for key, tensor in one.items():
            assert torch.equal(tensor, other[key]), key


def test_a_checkpoint_of_an_unfused_optimiser_goes_on_fused(cache: CropCache, tmp_path: Path) -> None:
    """Only fused optimisers leave out a step with a bad loss; earlier checkpoints hold others."""
    config = tiny("training.steps=5")
    run(config, cache, tmp_path)
    path = checkpoints(tmp_path / "checkpoints")[-1]
    saved = torch.load(path, weights_only=True)
    saved["generator_optimiser"]["param_groups"][0]["fused"] = False
    torch.save(saved, path)
    state = TrainState.create(config, CPU.device)
    state.load(path, config, CPU.device)
    assert state.generator_optimiser.param_groups[0]["fused"] is True
    assert run(tiny("training.steps=7"), cache, tmp_path, resume=True).steps == 7


def test_a_run_is_not_overwritten_and_settings_must_match(cache: CropCache, tmp_path: Path) -> None:
    run(tiny(), cache, tmp_path)
    with pytest.raises(OutputError, match="Pass --resume, or choose another --out"):
        run(tiny(), cache, tmp_path)
    with pytest.raises(
        OutputError, match=r"other settings: training\.learning_rate: 0\.0004 there, 0\.001 here"
    ):
        run(tiny("training.learning_rate=1e-3"), cache, tmp_path, resume=True)


def test_a_loss_that_is_not_finite_stops_before_the_optimiser(
    cache: CropCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.losses.reconstruction_loss
    calls = 0

    def poisoned(rebuilt: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return real(rebuilt, target) * (float("nan") if calls == 9 else 1.0)

    monkeypatch.setattr(loop.losses, "reconstruction_loss", poisoned)
    with pytest.raises(TrainingError, match="Loss 'l2' is nan at step 8"):
        run(tiny(), cache, tmp_path)
    monkeypatch.undo()
    assert [path.name for path in checkpoints(tmp_path / "checkpoints")] == ["state-00000005.pt"]
    assert run(tiny(), cache, tmp_path, resume=True).steps == 10


def test_learns_from_the_style_patch(cache: CropCache) -> None:
    """One batch: the error falls, and falls further with the true style than with another's."""

    def error_after(steps: int, own_style: bool) -> float:
        config = tiny("training.batch_size=8", "training.learning_rate=2e-3")
        state = TrainState.create(config, torch.device("cpu"))
        sampler = PatchSampler(cache, 0, torch.device("cpu"))
        pair = sampler.draw(0, 8)
        broken = StyleBreaking(config.breaking)(pair.content, sampler.generator(torch.device("cpu"), 0))
        if not own_style:
            pair = type(pair)(torch.zeros_like(pair.style), pair.content)
        networks = loop.Networks.build(state, config, CPU)
        for _ in range(steps):
            values = loop.train_step(networks, state, pair, broken, config)
        return float(values["l2"])

    before, after, without_style = error_after(1, True), error_after(60, True), error_after(60, False)
    assert after < 0.5 * before
    assert after < 0.8 * without_style


def test_patches_are_neighbours_and_depend_on_the_step_alone(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 3, torch.device("cpu"))
    one, again = sampler.draw(7, 8), sampler.draw(7, 8)
    assert torch.equal(one.style, again.style)
    assert torch.equal(one.content, again.content)
    assert not torch.equal(one.content, sampler.draw(8, 8).content)
    pixels = torch.from_numpy(np.array(cache.pixels)).permute(2, 0, 1).float() / 127.5 - 1
    for style, content in zip(one.style, one.content, strict=True):
        pairs = (torch.cat(order, dim=2) for order in ((style, content), (content, style)))
        windows = pixels.unfold(2, 64, 1).permute(2, 0, 1, 3)
        assert any(((windows - pair).abs().amax(dim=(1, 2, 3)) < 1e-6).any() for pair in pairs)


def test_patches_are_channels_last_for_the_convolutions(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 0, torch.device("cpu"))
    pair = sampler.draw(0, 4)
    broken = StyleBreaking(PretrainConfig().breaking)(pair.content, sampler.generator(torch.device("cpu"), 0))
    for images in (pair.style, pair.content, broken):
        assert images.is_contiguous(memory_format=torch.channels_last)


def test_every_crop_once_an_epoch(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 0, torch.device("cpu"))
    drawn = np.concatenate([sampler._crops_at(np.arange(step * 8, step * 8 + 8)) for step in range(3)])
    assert sorted(drawn) == list(range(24))


def test_breaking_moves_nothing_and_keeps_the_range(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 0, torch.device("cpu"))
    breaking = StyleBreaking(PretrainConfig().breaking)
    content = sampler.draw(0, 24).content
    broken = breaking(content, sampler.generator(torch.device("cpu"), 0))
    assert broken.shape == content.shape
    assert broken.abs().max() <= 1
    assert torch.equal(broken, breaking(content, sampler.generator(torch.device("cpu"), 0)))
    grey, broken_grey = content.mean(1).flatten(1), broken.mean(1).flatten(1)
    correlation = torch.stack(
        [torch.corrcoef(torch.stack(pair))[0, 1].abs() for pair in zip(grey, broken_grey, strict=True)]
    )
    assert correlation.median() > 0.7


PROGRAM = [sys.executable, "-m", "siman_synth", "pretrain"]


def settings(*overrides: str) -> list[str]:
    return [argument for override in (*TINY, *overrides) for argument in ("--set", override)]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.mark.slow
def test_killed_and_resumed_is_uninterrupted(crop_folder: Path, tmp_path: Path) -> None:
    more = settings("training.steps=40", "logging.checkpoint_every=3")
    command = [*PROGRAM, "--crops", str(crop_folder), "--device", "cpu", *more, "--out"]
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


def steps_saved(out: Path) -> list[int]:
    return [int(path.stem.removeprefix("state-")) for path in checkpoints(out / "checkpoints")]


@pytest.mark.slow
def test_interrupt_saves_and_says_how_to_resume(crop_folder: Path, tmp_path: Path) -> None:
    command = [*PROGRAM, "--crops", str(crop_folder), "--out", str(tmp_path), "--device", "cpu"]
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
    assert checkpoints(tmp_path / "checkpoints")


@pytest.mark.slow
def test_two_processes_train_as_one(crop_folder: Path, tmp_path: Path) -> None:
    """DDP over gloo: both ranks see their half, and what is exported is one finite network."""
    torchrun = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "siman_synth",
    ]
    command = [
        "pretrain",
        "--crops",
        str(crop_folder),
        "--device",
        "cpu",
        "--out",
        str(tmp_path),
        *settings(),
    ]
    subprocess.run([*torchrun, *command], check=True, env=environment(), capture_output=True, timeout=300)
    assert [line["step"] for line in numbers(tmp_path) if "l2" in line] == list(range(1, 11))
    first = numbers(tmp_path)
    (tmp_path / "checkpoints" / "state-00000010.pt").unlink()
    subprocess.run(
        [*torchrun, *command, "--resume"], check=True, env=environment(), capture_output=True, timeout=300
    )
    assert numbers(tmp_path) == first
    assert all(
        torch.isfinite(p).all() for p in load_generator(tmp_path / "siman.safetensors").generator.parameters()
    )


def test_gradients_of_two_halves_average_to_the_whole(cache: CropCache) -> None:
    """What DDP relies on: the losses are means over the batch."""
    config = tiny()
    sampler = PatchSampler(cache, 0, torch.device("cpu"))
    pair = sampler.draw(0, 4)

    def gradient(rows: slice) -> torch.Tensor:
        state = TrainState.create(config, torch.device("cpu"))
        rebuilt = state.generator(pair.content[rows], pair.style[rows])
        loop.losses.reconstruction_loss(rebuilt, pair.content[rows]).backward()
        return torch.cat([p.grad.flatten() for p in state.generator.parameters() if p.grad is not None])

    halves = (gradient(slice(0, 2)) + gradient(slice(2, 4))) / 2
    torch.testing.assert_close(halves, gradient(slice(0, 4)), atol=1e-6, rtol=1e-3)


@pytest.mark.slow
def test_the_paper_recipe_takes_a_step(cache: CropCache, tmp_path: Path) -> None:
    """ResNet-29 and its decoder train, export and load; 400k steps are for a GPU."""
    recipes = resource_folder("pretrain/recipes")
    few = ("training.steps=2", "training.batch_size=4", "data.held_out=2")
    config = load_config(PretrainConfig, "paper", few, recipes)
    result = run(config, cache, tmp_path)
    generator = load_generator(result.weights).generator
    assert generator.config.encoder == "resnet29"
    assert all(torch.isfinite(parameter).all() for parameter in generator.parameters())


def test_bf16_runs_on_a_cpu_too(cache: CropCache, tmp_path: Path) -> None:
    run(tiny("training.precision=bf16", "training.steps=3"), cache, tmp_path)
    assert all(np.isfinite(line["l2"]) for line in numbers(tmp_path) if "l2" in line)
