"""Pairs of neighbouring patches: style I_s and content I_c (paper, section 3.1).

The pixels of all crops lie on the device, and patches are cut there: a step sends it one
number a patch, and the host never waits for it.

Everything is a function of (seed, step, rank): a run that was killed and resumed draws
the same patches as one that was not, and no sampler state needs saving.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from siman_synth.crops.cache import CropCache
from siman_synth.models.grain import training_noise
from siman_synth.seeding import derived_seed, sample_rng

_STRIP_HEIGHTS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class PatchPair:
    """A batch of pairs, float (B, 3, H, H) in [-1, 1], channels last."""

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
        self._device = device
        self._pixels = torch.from_numpy(np.array(cache.columns)).to(device)
        self._columns = torch.arange(self._height, device=device)
        self._order_of = lru_cache(maxsize=2)(self._shuffled)

    def __len__(self) -> int:
        """How many crops training uses."""
        return len(self._training)

    def draw(self, step: int, batch_size: int, rank: int = 0, world_size: int = 1) -> PatchPair:
        """Return the batch of training step `step` that belongs to `rank`."""
        first = (step * world_size + rank) * batch_size
        crops = self._crops_at(np.arange(first, first + batch_size))
        return self._cut(crops, sample_rng(self._seed, "patches", step, rank))

    def draw_strips(self, step: int, batch_size: int, rank: int = 0) -> Tensor:
        """Return strips of training crops for step `step`, float (B, 3, H, W): W is 1 to 4 heights.

        Crops that are too narrow for a width are not among those of that width.
        """
        rng = sample_rng(self._seed, "strips", step, rank)
        widths = self._widths[self._training]
        wide = [heights for heights in _STRIP_HEIGHTS if (widths >= heights * self._height).any()]
        width = int(rng.choice(wide)) * self._height
        crops = rng.choice(self._training[widths >= width], batch_size)
        return self._strips(crops, width, rng)

    def held_out_strips(self) -> Tensor:
        """Return a strip as wide as high of each held-out crop, the same at every call."""
        return self._strips(self.held_out, self._height, sample_rng(self._seed, "held-out strips"))

    def draw_held_out(self) -> PatchPair:
        """Return a pair of each held-out crop, the same at every call."""
        return self._cut(self.held_out, sample_rng(self._seed, "held-out patches"))

    def generator(self, device: torch.device, step: int, rank: int = 0) -> torch.Generator:
        """Return the generator of step `step`'s augmentation."""
        return torch.Generator(device).manual_seed(derived_seed(self._seed, "augmentation", step, rank))

    def noise(self, step: int, like: Tensor, rank: int = 0) -> Tensor:
        """Return the noise of step `step`, (B, 4, H, W) of the size of `like`."""
        seed = derived_seed(self._seed, "grain", step, rank)
        generator = torch.Generator(like.device).manual_seed(seed)
        return training_noise(len(like), like.shape[-2], like.shape[-1], generator)

    def _crops_at(self, positions: np.ndarray) -> np.ndarray:
        count = len(self._training)
        crops = np.empty(len(positions), np.int64)
        for epoch in np.unique(positions // count):
            inside = positions // count == epoch
            crops[inside] = self._order_of(int(epoch))[positions[inside] % count]
        return crops

    def _shuffled(self, epoch: int) -> np.ndarray:
        return sample_rng(self._seed, "epoch", epoch).permutation(self._training)

    def _cut(self, crops: np.ndarray, rng: np.random.Generator) -> PatchPair:
        height = self._height
        left = self._places(crops, 2 * height, rng)
        swap = rng.random(len(crops)) < 0.5
        style, content = self._gather(np.where([swap, ~swap], left + height, left), self._columns)
        return PatchPair(style, content)

    def _strips(self, crops: np.ndarray, width: int, rng: np.random.Generator) -> Tensor:
        return self._gather(self._places(crops, width, rng), torch.arange(width, device=self._device))

    def _places(self, crops: np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
        """Draw the first column of what is cut of each crop, `width` columns wide."""
        room = self._widths[crops] - width
        into = np.floor(rng.random(len(crops)) * (room + 1)).astype(np.int64)
        return np.asarray(self._starts[crops] + into)

    def _gather(self, left: np.ndarray, across: Tensor) -> Tensor:
        """Cut as many columns as `across` counts from every one of `left` (..., B): (..., B, 3, H, W)."""
        first = torch.from_numpy(left)
        if self._device.type == "cuda":  # only from pinned memory does a copy not wait for the device
            first = first.pin_memory()
        columns = first.to(self._device, non_blocking=True)[..., None] + across
        pixels = self._pixels.index_select(0, columns.flatten())
        patches = pixels.view(*columns.shape, self._height, 3).transpose(-3, -2)
        patches = patches.to(torch.float32, memory_format=torch.contiguous_format)
        return patches.div_(127.5).sub_(1.0).movedim(-1, -3)
