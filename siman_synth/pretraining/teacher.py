"""A teacher: a trained network paints plain words, and a lighter one learns to paint them so.

The paper trains on patches, whose content is a guess at what a plain render would be. Where a network
exists that paints well, what it paints is the better lesson for another: content is then what generation
gives it, and nothing about a style has to be guessed (knowledge distillation, Hinton et al. 2015).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from siman_synth.files import content_hash
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.models.generator import Generator
from siman_synth.models.grain import training_noise
from siman_synth.pretraining.batches import Batch
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.patches import PatchSampler
from siman_synth.seeding import sample_rng
from siman_synth.training.distributed import Processes
from siman_synth.training.precision import autocast, autocast_type

_RIPPLE_TAPS = 9


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained network that paints for another."""

    path: Path
    generator: Generator
    record: Mapping[str, Any]
    """Plain values for the provenance: the file's name and hash."""

    @classmethod
    def read(cls, weights: str | Path, height_px: int) -> "Teacher":
        """Read weights, as `weights_file` takes them.

        Raises:
            WeightsError: they cannot be read.
            ConfigError: they do not read images of this height.
        """
        path = weights_file(weights)
        generator = load_generator(path).generator
        generator.check_height(height_px)
        return cls(path, generator.requires_grad_(False), {"file": path.name, "sha256": content_hash(path)})


class TaughtBatches:
    """Plain words in the styles of strips of crops, as the teacher paints them.

    Args:
        teacher: what paints.
        sampler: where strips of crops come from.
        masks: ink of words, uint8 (H, W_i), none narrower than `config.distillation.width_px`.
        config: all settings.
        peers: this process among those of the run.
    """

    def __init__(
        self,
        teacher: Teacher,
        sampler: PatchSampler,
        masks: Sequence[np.ndarray],
        config: PretrainConfig,
        peers: Processes,
    ) -> None:
        self._teacher = teacher.generator.to(device=peers.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._sampler, self._peers = sampler, peers
        self._seed, self._settings = config.training.seed, config.distillation
        self._precision = autocast_type(config.training.precision, peers.device)
        widths = [mask.shape[1] for mask in masks]
        self._rooms = np.array(widths) - self._settings.width_px
        self._starts = np.cumsum([0, *widths[:-1]])
        columns = np.concatenate(masks, axis=1).T
        self._columns = torch.from_numpy(np.ascontiguousarray(columns)).to(peers.device)

    def draw(self, step: int, count: int) -> Batch:
        """Paint the words of a step; see `Batches.draw`."""
        rank = self._peers.rank
        style = self._sampler.draw_strips(step, count, rank)
        content = self._words(count, sample_rng(self._seed, "taught words", step, rank))
        return self._batch(content, style, self._sampler.noise(step, content, rank))

    def held_out(self) -> Batch | None:
        """Paint a word in the style of each held-out crop; see `Batches.held_out`."""
        if not len(self._sampler.held_out):
            return None
        style = self._sampler.held_out_strips()
        content = self._words(len(style), sample_rng(self._seed, "held-out words"))
        draws = torch.Generator(content.device).manual_seed(0)
        noise = training_noise(len(content), content.shape[-2], content.shape[-1], draws)
        return self._batch(content, style, noise)

    def _words(self, count: int, rng: np.random.Generator) -> Tensor:
        """Return parts of words as black ink on white, (B, 3, H, W): beginnings, ends, and any."""
        chosen = rng.integers(len(self._rooms), size=count)
        part = rng.choice([0.0, 1.0, -1.0], count)
        part = np.where(part < 0, rng.random(count), part)
        left = self._starts[chosen] + np.rint(part * self._rooms[chosen]).astype(np.int64)
        across = torch.arange(self._settings.width_px, device=self._columns.device)
        columns = torch.from_numpy(left).to(self._columns.device)[:, None] + across
        ink = self._columns[columns].transpose(1, 2)[:, None].float()
        return (1.0 - ink / 127.5).expand(-1, 3, -1, -1)

    @torch.no_grad()
    def _batch(self, content: Tensor, style: Tensor, noise: Tensor) -> Batch:
        content, style = (images.contiguous(memory_format=torch.channels_last) for images in (content, style))
        with autocast(content.device, self._precision):
            painted = self._teacher.restyle(content, self._teacher.encode_style(style))
        target = without_ripple(painted.float(), self._settings.notch)
        return Batch(content, style, target, target, noise)


def without_ripple(images: Tensor, share: float) -> Tensor:
    """Take a share of what repeats every 2 px, along x and along y, from images (B, 3, H, W).

    A pixel shuffle and strides of 2 leave such a ripple, and whoever learns from the images learns it,
    too. The band is narrow (a window of 9 px): what is fine but no ripple stays.
    """
    if not share:
        return images
    window = torch.hann_window(_RIPPLE_TAPS + 2, periodic=False, device=images.device)[1:-1]
    signs = 1.0 - 2.0 * (torch.arange(_RIPPLE_TAPS, device=images.device) % 2)
    band = signs * window / window.sum()
    half, channels = _RIPPLE_TAPS // 2, images.shape[1]
    for shape, padding in (((1, -1), (half, half, 0, 0)), ((-1, 1), (0, 0, half, half))):
        kernel = band.view(1, 1, *shape).repeat(channels, 1, 1, 1)
        padded = functional.pad(images, padding, mode="reflect")
        images = images - share * functional.conv2d(padded, kernel, groups=channels)
    return images
