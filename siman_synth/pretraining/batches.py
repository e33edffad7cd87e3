"""What a step of training learns from, and where it comes from."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from siman_synth.models.grain import training_noise
from siman_synth.pretraining.augmentation import StyleAugmentation
from siman_synth.pretraining.patches import PatchSampler
from siman_synth.training.distributed import Processes


@dataclass(frozen=True, slots=True)
class Batch:
    """Images, float (B, 3, H, W) in [-1, 1], that belong together."""

    content: Tensor
    """What is read as content, I_aug."""
    style: Tensor
    """What lends its style, I_s; it may have a width of its own."""
    target: Tensor
    """What should come out, of the content's size."""
    real: Tensor
    """What the discriminator is to take for real, of the content's size."""
    noise: Tensor
    """(B, 4, H, W), of the content's size; see `models/grain.py`."""

    def parts(self, count: int) -> list["Batch"]:
        """Cut the batch into `count` parts."""
        tensors = self.content, self.style, self.target, self.real, self.noise
        return [Batch(*part) for part in zip(*(tensor.chunk(count) for tensor in tensors), strict=True)]


class Batches(Protocol):
    """Where batches come from: a function of the step, so that no state needs saving."""

    def draw(self, step: int, count: int) -> Batch:
        """Return this process's part of step `step`, `count` images."""
        ...

    def held_out(self) -> Batch | None:
        """Return a batch of crops that training does not see, the same at every call; None without any."""
        ...


class PatchBatches:
    """Neighbouring patches of crops: one lends its style, the other is changed and rebuilt (section 3.1).

    Args:
        sampler: where patches come from.
        augmentation: changes the style of the content patch.
        peers: this process among those of the run.
    """

    def __init__(self, sampler: PatchSampler, augmentation: StyleAugmentation, peers: Processes) -> None:
        self._sampler, self._augmentation, self._peers = sampler, augmentation, peers

    def draw(self, step: int, count: int) -> Batch:
        """Draw the pairs of a step; see `Batches.draw`."""
        sampler, peers = self._sampler, self._peers
        pair = sampler.draw(step, count, peers.rank, peers.world_size)
        draws = sampler.generator(peers.device, step, peers.rank)
        augmented = self._augmentation(pair.content, pair.style, draws)
        noise = sampler.noise(step, pair.content, peers.rank)
        return Batch(augmented, pair.style, pair.content, pair.style, noise)

    def held_out(self) -> Batch | None:
        """Return a pair of each held-out crop; see `Batches.held_out`."""
        if not len(self._sampler.held_out):
            return None
        pair = self._sampler.draw_held_out()
        draws = torch.Generator(pair.content.device).manual_seed(0)
        augmented = self._augmentation(pair.content, pair.style, draws)
        noise = training_noise(len(augmented), augmented.shape[-2], augmented.shape[-1], draws)
        return Batch(augmented, pair.style, pair.content, pair.style, noise)
