"""Pairs of neighbouring patches: style I_s and content I_c (paper, section 3.1).

Everything is a function of (seed, step, rank): a run that was killed and resumed draws
the same patches as one that was not, and no sampler state needs saving.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from siman_synth.crops.cache import CropCache
from siman_synth.seeding import derived_seed, sample_rng


@dataclass(frozen=True, slots=True)
class PatchPair:
    """A batch of pairs, float (B, 3, H, H) in [-1, 1]."""

    style: Tensor
    content: Tensor


class PatchSampler:
    """Draw neighbouring H x H patches of cached crops, every crop once an epoch.

    Args:
        cache: the crops; their pixels are copied to `device` once.
        seed: decides order and places.
        held_out: how many crops are kept out of training, for panels and for an error that
            training did not minimise.
    """

    def __init__(self, cache: CropCache, seed: int, device: torch.device, held_out: int = 0) -> None:
        held_out = min(held_out, len(cache) // 10)
        order = sample_rng(seed, "held out").permutation(len(cache))
        self.held_out = np.sort(order[:held_out])
        self._training = np.sort(order[held_out:])
        self._seed = seed
        self._height = cache.height_px
        self._starts = cache.offsets[:-1]
        self._widths = np.diff(cache.offsets)
        self._pixels = torch.from_numpy(np.array(cache.pixels)).to(device)

    def __len__(self) -> int:
        """How many crops training uses."""
        return len(self._training)

    def draw(self, step: int, batch_size: int, rank: int = 0, world_size: int = 1) -> PatchPair:
        """Return the batch of training step `step` that belongs to `rank`."""
        first = (step * world_size + rank) * batch_size
        crops = self._crops_at(np.arange(first, first + batch_size))
        return self._cut(crops, sample_rng(self._seed, "patches", step, rank))

    def draw_held_out(self, count: int) -> PatchPair:
        """Return the same `count` held-out pairs at every call (fewer if there are fewer)."""
        crops = self.held_out if len(self.held_out) else self._training
        return self._cut(crops[:count], sample_rng(self._seed, "held-out patches"))

    def generator(self, device: torch.device, step: int, rank: int = 0) -> torch.Generator:
        """Return the generator of step `step`'s style breaking."""
        return torch.Generator(device).manual_seed(derived_seed(self._seed, "breaking", step, rank))

    def _crops_at(self, positions: np.ndarray) -> np.ndarray:
        count = len(self._training)
        crops = np.empty(len(positions), np.int64)
        for epoch in np.unique(positions // count):
            order = sample_rng(self._seed, "epoch", int(epoch)).permutation(count)
            inside = positions // count == epoch
            crops[inside] = self._training[order[positions[inside] % count]]
        return crops

    def _cut(self, crops: np.ndarray, rng: np.random.Generator) -> PatchPair:
        height = self._height
        room = self._widths[crops] - 2 * height
        left = self._starts[crops] + np.floor(rng.random(len(crops)) * (room + 1)).astype(np.int64)
        swap = rng.random(len(crops)) < 0.5
        style = self._gather(np.where(swap, left + height, left))
        content = self._gather(np.where(swap, left, left + height))
        return PatchPair(style, content)

    def _gather(self, left: np.ndarray) -> Tensor:
        columns = torch.from_numpy(left[:, None] + np.arange(self._height)).to(self._pixels.device)
        patches = self._pixels[:, columns]  # (H, B, H, 3)
        return patches.permute(1, 3, 0, 2).float().div_(127.5).sub_(1.0)
