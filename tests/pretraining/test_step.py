"""One step of algorithm 1: it learns from the style, and a batch may come in parts."""

import weakref
from dataclasses import dataclass, replace

import pytest
import torch

from siman_synth.crops.cache import CropCache
from siman_synth.errors import TrainingError
from siman_synth.pretraining import losses
from siman_synth.pretraining.augmentation import StyleAugmentation
from siman_synth.pretraining.batches import PatchBatches
from siman_synth.pretraining.patches import PatchSampler
from siman_synth.pretraining.state import TrainState
from siman_synth.pretraining.step import Networks, SimanTraining, train_step
from siman_synth.training.distributed import Processes
from tests.pretraining.tiny_run import Tiny

CPU = torch.device("cpu")
ALONE = Processes(0, 1, CPU)
Losses = list[dict[str, float]]


def test_learns_from_the_style_patch(tiny: Tiny, cache: CropCache) -> None:
    """One batch: the error falls, and falls further with the true style than with another's."""

    def error_after(steps: int, own_style: bool) -> float:
        config = tiny("training.batch_size=8", "training.learning_rate=2e-3")
        state = TrainState.create(config, CPU)
        sampler = PatchSampler(cache, 0, CPU)
        batch = PatchBatches(sampler, StyleAugmentation(config.augmentation), ALONE).draw(0, 8)
        if not own_style:
            nothing = torch.zeros_like(batch.style)
            batch = replace(batch, style=nothing, real=nothing)
        networks = Networks.build(state, config, ALONE)
        for step in range(steps):
            values = train_step(networks, state, batch, config, step)
        return float(values["l2"])

    before, after, without_style = error_after(1, True), error_after(60, True), error_after(60, False)
    assert after < 0.5 * before
    assert after < 0.8 * without_style


def test_gradients_of_two_halves_average_to_the_whole(tiny: Tiny, cache: CropCache) -> None:
    """What several processes rely on: the losses are means over the batch."""
    pair = PatchSampler(cache, 0, CPU).draw(0, 4)

    def gradient(rows: slice) -> torch.Tensor:
        state = TrainState.create(tiny(), CPU)
        rebuilt = state.generator(pair.content[rows], pair.style[rows]).clean
        losses.reconstruction_loss(rebuilt, pair.content[rows]).backward()
        return torch.cat([p.grad.flatten() for p in state.generator.parameters() if p.grad is not None])

    halves = (gradient(slice(0, 2)) + gradient(slice(2, 4))) / 2
    torch.testing.assert_close(halves, gradient(slice(0, 4)), atol=1e-6, rtol=1e-3)


def steps_in_parts(tiny: Tiny, cache: CropCache, accumulate: int) -> tuple[TrainState, Losses]:
    """Take three steps of batch 8 in parts; return the state and the losses."""
    config = tiny("training.batch_size=8", f"training.accumulate={accumulate}")
    state, sampler = TrainState.create(config, CPU), PatchSampler(cache, 0, CPU)
    batches = PatchBatches(sampler, StyleAugmentation(config.augmentation), ALONE)
    training = SimanTraining(config, state, batches, ALONE, 8)
    losses_seen = []
    for step in range(3):
        values = training.take_step(step)
        losses_seen.append({name: float(value) for name, value in values.items()})
    return state, losses_seen


@pytest.mark.parametrize("accumulate", [2, 4, 8])
def test_a_batch_in_parts_is_the_batch(tiny: Tiny, cache: CropCache, accumulate: int) -> None:
    """Up to rounding, which Adam's first steps magnify where a gradient is about 0."""
    whole, wanted = steps_in_parts(tiny, cache, 1)
    parts, found = steps_in_parts(tiny, cache, accumulate)
    for one, other in zip(found, wanted, strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    for network in ("generator", "discriminator"):
        left, right = getattr(parts, network).state_dict(), getattr(whole, network).state_dict()
        for name in left:
            moved = (left[name] - right[name]).abs()
            assert moved.mean() < 1e-5, name  # a step of the rate 4e-4 that is missed would be 40 times that
    for mine, theirs in zip(parts.discriminator.buffers(), whole.discriminator.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)  # spectral norms: one estimate a step


@dataclass(eq=False)
class Kept:
    """A tensor that a graph keeps for its backward pass."""

    tensor: torch.Tensor


def test_parts_need_less_memory_for_what_lies_between(tiny: Tiny, cache: CropCache) -> None:
    """The tensors that a step keeps for its backward passes, at the most of the moment."""

    def peak(accumulate: int) -> int:
        held, most = 0, 0

        def let_go(size: int) -> None:
            nonlocal held
            held -= size

        def pack(tensor: torch.Tensor) -> Kept:
            nonlocal held, most
            held += tensor.numel()
            most = max(most, held)
            kept = Kept(tensor)
            weakref.finalize(kept, let_go, tensor.numel())
            return kept

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor):
            steps_in_parts(tiny, cache, accumulate)
        return most

    assert peak(4) < 0.4 * peak(1)


def test_a_loss_that_is_not_finite_in_one_part_stops_the_step(
    tiny: Tiny, cache: CropCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = losses.reconstruction_loss, iter(range(100))

    def poisoned(rebuilt: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return real(rebuilt, target) * (float("inf") if next(calls) == 2 else 1.0)

    monkeypatch.setattr(losses, "reconstruction_loss", poisoned)
    with pytest.raises(TrainingError, match="Loss 'l2' is inf at step 1"):
        steps_in_parts(tiny, cache, 4)
