"""One step of algorithm 1: rebuild, update D, update encoder and decoder."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from siman_synth.models.generator import Painting
from siman_synth.pretraining import losses
from siman_synth.pretraining.batches import Batch, Batches
from siman_synth.pretraining.config import PretrainConfig, TrainingConfig
from siman_synth.pretraining.state import TrainState
from siman_synth.training.average import MovingAverage
from siman_synth.training.checkpoints import Stateful
from siman_synth.training.distributed import Processes
from siman_synth.training.finite import FiniteGuard
from siman_synth.training.precision import autocast, autocast_type


@dataclass(frozen=True, slots=True)
class Networks:
    """The networks as the step calls them, wrapped for several processes and maybe compiled."""

    generator: Callable[[Tensor, Tensor, Tensor], Painting]
    discriminator: Callable[[Tensor], Tensor]
    judge: Callable[[Tensor], Tensor]
    """The discriminator again, for the generator's step: its gradients are not synchronised."""
    precision: torch.dtype | None
    guard: FiniteGuard

    @classmethod
    def build(cls, state: TrainState, config: PretrainConfig, peers: Processes) -> "Networks":
        """Wrap the state's networks for this process."""
        compile_them = config.training.compile
        optimisers = state.generator_optimiser, state.discriminator_optimiser
        return cls(
            generator=_compiled(peers.wrap(state.generator), compile_them),
            discriminator=_compiled(peers.wrap(state.discriminator), compile_them),
            judge=_compiled(state.discriminator, compile_them),
            precision=autocast_type(config.training.precision, peers.device),
            guard=FiniteGuard(peers, optimisers, at_once=peers.device.type == "cpu"),
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a batch goes through the networks at once."""

    images: Batch
    is_first: bool
    is_last: bool

    def synchronised(self, network: object) -> AbstractContextManager[object]:
        """Return a context in which gradients are averaged over processes in the last part alone."""
        apart: Callable[[], AbstractContextManager[object]] = getattr(network, "no_sync", nullcontext)
        return nullcontext() if self.is_last else apart()


class SimanTraining:
    """SimAN and its adversary, as the training loop takes them.

    Args:
        config: all settings.
        state: networks and optimisers.
        batches: what they learn from.
        peers: this process among those of the run.
        local_batch: images a step in this process.
    """

    def __init__(
        self,
        config: PretrainConfig,
        state: TrainState,
        batches: Batches,
        peers: Processes,
        local_batch: int,
    ) -> None:
        self._config, self._state, self._batches, self._local_batch = config, state, batches, local_batch
        self._networks = Networks.build(state, config, peers)

    @property
    def average(self) -> MovingAverage:
        """The moving average of the generator."""
        return self._state.average

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """Those of both networks."""
        return self._state.generator_optimiser, self._state.discriminator_optimiser

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """What a checkpoint holds."""
        return self._state.parts

    @property
    def guard(self) -> FiniteGuard:
        """What stops both optimisers."""
        return self._networks.guard

    def take_step(self, step: int) -> Mapping[str, Tensor]:
        """Draw the batch of a step and train on it."""
        batch = self._batches.draw(step, self._local_batch)
        return train_step(self._networks, self._state, batch, self._config, step)


def train_step(
    networks: Networks,
    state: TrainState,
    batch: Batch,
    config: PretrainConfig,
    step: int = 0,
) -> dict[str, Tensor]:
    """Take step `step` (from 0) of algorithm 1 and return its losses.

    Raises:
        TrainingError: a loss is not finite; the optimiser that it drives has not moved. Where
            losses are not on a CPU, `networks.guard.check` raises it.
    """
    parts = _parts(batch, config.training.accumulate)
    state.discriminator_optimiser.zero_grad(set_to_none=True)
    painting, seen = _judge(networks, state, parts)
    networks.guard.watch(step + 1, seen)
    state.discriminator_optimiser.step()

    state.generator_optimiser.zero_grad(set_to_none=True)
    # D only judges from here on: its gradients are neither needed nor synchronised.
    state.discriminator.requires_grad_(False)
    adversarial = _mean([_improve(networks, state, part, painting, config.training) for part in parts])
    state.discriminator.requires_grad_(True).train()
    networks.guard.watch(step + 1, adversarial)
    state.generator_optimiser.step()
    return {**seen, **adversarial}


def _judge(
    networks: Networks, state: TrainState, parts: Sequence[_Part]
) -> tuple[Painting | None, dict[str, Tensor]]:
    """Leave D's gradients; return what was rebuilt, for a batch in one part, and the losses."""
    # A single part is rebuilt once for both updates. The graphs of several would take the memory that
    # parts are there to save, so those are rebuilt again.
    keep = len(parts) == 1
    losses_seen = []
    for part in parts:
        images = part.images
        _set_norms(state, part)
        with part.synchronised(networks.discriminator):
            with autocast(images.style.device, networks.precision):
                with torch.set_grad_enabled(keep):
                    painting = networks.generator(images.content, images.style, images.noise)
                # One call for real and rebuilt: a wrapped network must not run twice before its backward.
                scores = networks.discriminator(
                    torch.cat([images.real, painting.image.detach().to(images.real.dtype)])
                )
                loss = losses.discriminator_loss(*scores.chunk(2))
            (loss / len(parts)).backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            reconstruction = losses.reconstruction_loss(painting.clean, images.target)
        losses_seen.append({"l2": reconstruction, "adversarial_d": loss.detach()})
    return (painting if keep else None), _mean(losses_seen)


def _improve(
    networks: Networks, state: TrainState, part: _Part, painting: Painting | None, config: TrainingConfig
) -> dict[str, Tensor]:
    """Add a part's gradients of encoder and decoder to what is there, and return the loss."""
    images = part.images
    _set_norms(state, part)
    with part.synchronised(networks.generator):
        with autocast(images.style.device, networks.precision):
            if painting is None:
                painting = networks.generator(images.content, images.style, images.noise)
            adversarial = losses.generator_loss(networks.judge(painting.image))
        seen = {"adversarial_g": adversarial.detach()}
        reconstruction = losses.reconstruction_loss(painting.clean, images.target)
        loss = config.adversarial_weight * adversarial + config.reconstruction_weight * reconstruction
        if config.texture_weight:
            texture = losses.texture_loss(painting.image, images.target)
            seen["texture"] = texture.detach()
            loss = loss + config.texture_weight * texture
        (loss / config.accumulate).backward()  # type: ignore[no-untyped-call]
    return seen


def _set_norms(state: TrainState, part: _Part) -> None:
    # Spectral normalisation improves its estimate at every call in training mode. For all parts of
    # a batch once is right: they are then judged by the same weights.
    state.discriminator.train(part.is_first)


def _parts(batch: Batch, count: int) -> list[_Part]:
    return [_Part(images, index == 0, index == count - 1) for index, images in enumerate(batch.parts(count))]


def _mean(parts: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.stack([part[name] for part in parts]).mean() for name in parts[0]}


def _compiled(module: nn.Module, wanted: bool) -> nn.Module:
    return torch.compile(module) if wanted else module  # type: ignore[return-value]
