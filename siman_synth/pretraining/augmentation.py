"""Augmentation: changing the style of a content patch, never moving its strokes (paper, section 3.1).

A share of the patches is binarised into two random colours: training content then looks
like a plain render, which is what content is at generation. The rest have channels
shuffled, gained, shifted and inverted. Blur and noise come on top of both.

Shapes: B batch, H x W pixels. Images are float (B, 3, H, W) in [-1, 1].
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional

from siman_synth.limits import Between, Share, check_settings

_BINS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentationConfig:
    """How content patches lose their style."""

    plain: Share = 0.0
    """Share of patches turned into what a plain render looks like, black ink on white: for networks that
    read content with `model.content = "plain"`. What is ink is told by the borders of the pair."""
    binarise: Share = 0.5
    """Share of patches turned into two random colours by a soft Otsu threshold."""
    softness: Annotated[tuple[float, float], Between(1e-4, 10)] = (0.02, 0.25)
    """Width of the soft threshold, in units of the image range."""
    min_contrast: Share = 0.4
    """Least distance of the two random colours, as a mean over channels from -1 to 1; beyond a mid grey
    there is no colour further away than 1."""
    shuffle: Share = 0.7
    """Share of the other patches whose channels change places."""
    invert: Share = 0.5
    """Share of the other patches that are inverted."""
    gain: Annotated[tuple[float, float], Between(0.01, 100)] = (0.4, 1.6)
    """Range of the other patches' gain of each channel."""
    shift: Annotated[float, Between(0, 2)] = 0.4
    """Largest shift of the other patches' channels."""
    blur: Share = 0.4
    """Share of all patches that are blurred."""
    blur_sigma_px: Annotated[tuple[float, float], Between(0.01, 100)] = (0.4, 1.4)
    """Range of the blur's deviation."""
    noise: Share = 0.4
    """Share of all patches that get noise."""
    noise_sigma: Annotated[tuple[float, float], Between(0, 2)] = (0.01, 0.12)
    """Range of the noise's deviation."""

    def __post_init__(self) -> None:
        check_settings(self)


class StyleAugmentation:
    """Turn content patches I_c into I_aug."""

    def __init__(self, config: AugmentationConfig) -> None:
        self._config = config

    def __call__(self, images: Tensor, neighbours: Tensor, generator: torch.Generator) -> Tensor:
        """Return changed copies of `images` (B, 3, H, W); all randomness comes from `generator`.

        `neighbours` are the style patches of the same crops, of the same shape.
        """
        config = self._config
        images = images.contiguous()  # what follows works channel by channel
        draw = _Draw(generator, images)
        flat = draw.chance(config.binarise)
        augmented = torch.where(flat, _two_colours(images, config, draw), _recolour(images, config, draw))
        if config.plain:
            plain = _plain_render(images, neighbours, config, draw)
            augmented = torch.where(draw.chance(config.plain), plain, augmented)
        blurred = _blur(augmented, draw.between(*config.blur_sigma_px))
        augmented = torch.where(draw.chance(config.blur), blurred, augmented)
        sigma = draw.between(*config.noise_sigma) * draw.chance(config.noise)
        noisy = torch.addcmul(augmented, sigma, draw.normal(images.shape)).clamp_(-1.0, 1.0)
        return noisy.contiguous(memory_format=torch.channels_last)


@dataclass(frozen=True, slots=True)
class _Draw:
    """Random numbers a patch, shaped to broadcast over (B, 3, H, W)."""

    generator: torch.Generator
    like: Tensor

    def uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.like.device)

    def normal(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.generator, device=self.like.device)

    def between(self, low: float, high: float, channels: int = 1) -> Tensor:
        return low + (high - low) * self.uniform(len(self.like), channels, 1, 1)

    def chance(self, share: float) -> Tensor:
        return self.uniform(len(self.like), 1, 1, 1) < share


def _two_colours(images: Tensor, config: AugmentationConfig, draw: _Draw) -> Tensor:
    # A random mix of the channels, not luminance: red on green has no luminance contrast.
    mix = draw.uniform(len(images), 3, 1, 1)
    grey = (images * mix).sum(1, keepdim=True) / mix.sum(1, keepdim=True)
    low = grey.amin(dim=(2, 3), keepdim=True)
    grey = (grey - low) / (grey.amax(dim=(2, 3), keepdim=True) - low).clamp_min(1e-3)
    ink = torch.sigmoid((grey - otsu_threshold(grey)) / draw.between(*config.softness))
    first, second = two_colours(draw.between(-1.0, 1.0, 3), draw.between(-1.0, 1.0, 3), config.min_contrast)
    return first + (second - first) * ink


def two_colours(first: Tensor, second: Tensor, min_contrast: float) -> tuple[Tensor, Tensor]:
    """Return two random colours (B, 3, 1, 1) in [-1, 1], moved apart where they are too close to read.

    The mean distance over the channels is then at least `min_contrast`, which is at most 1.
    """
    gap = (second - first).abs().mean(1, keepdim=True)
    # The second goes from the first towards the far end of every channel, by a share that is random
    # and large enough.
    way = torch.where(first >= 0, -1.0, 1.0) - first
    least = min_contrast / way.abs().mean(1, keepdim=True)
    apart = first + (least + (1.0 - least) * second.abs()) * way
    return first, torch.where(gap < min_contrast, apart, second)


def _plain_render(images: Tensor, neighbours: Tensor, config: AugmentationConfig, draw: _Draw) -> Tensor:
    """Black ink on white. Ground is the side of the threshold that holds most of the pair's borders."""
    mix = draw.uniform(len(images), 3, 1, 1)
    pair = torch.cat([images, neighbours.contiguous()], dim=3)
    grey = (pair * mix).sum(1, keepdim=True) / mix.sum(1, keepdim=True)
    low = grey.amin(dim=(2, 3), keepdim=True)
    grey = (grey - low) / (grey.amax(dim=(2, 3), keepdim=True) - low).clamp_min(1e-3)
    threshold = otsu_threshold(grey)
    light = (grey > threshold).float()
    borders = torch.cat([light[:, :, :2], light[:, :, -2:]], dim=2).mean(dim=(2, 3), keepdim=True)
    light_ground = 2.0 * borders + light.mean(dim=(2, 3), keepdim=True) > 1.5
    sign = torch.where(light_ground, 1.0, -1.0)
    content = grey[..., : images.shape[3]]
    ink = torch.sigmoid(sign * (content - threshold) / draw.between(*config.softness))
    return (2.0 * ink - 1.0).expand_as(images)


def _recolour(images: Tensor, config: AugmentationConfig, draw: _Draw) -> Tensor:
    order = draw.uniform(len(images), 3).argsort(dim=1)
    natural = torch.arange(3, device=images.device).expand_as(order)
    order = torch.where(draw.chance(config.shuffle)[:, :, 0, 0], order, natural)
    shuffled = images[torch.arange(len(images), device=images.device)[:, None], order]
    sign = 1.0 - 2.0 * draw.chance(config.invert).float()
    return shuffled * sign * draw.between(*config.gain, 3) + draw.between(-config.shift, config.shift, 3)


def otsu_threshold(grey: Tensor) -> Tensor:
    """Return each image's Otsu threshold, (B, 1, 1, 1), for grey (B, 1, H, W) in [0, 1]."""
    bins = (grey.flatten(1) * _BINS).long().clamp_(0, _BINS - 1)
    ones = torch.ones_like(bins, dtype=torch.float32)
    histogram = torch.zeros(len(grey), _BINS, device=grey.device).scatter_add_(1, bins, ones)
    share = histogram / histogram.sum(1, keepdim=True)
    centres = (torch.arange(_BINS, device=grey.device) + 0.5) / _BINS
    weight = share.cumsum(1)
    mass = (share * centres).cumsum(1)
    between = (mass[:, -1:] * weight - mass).square() / (weight * (1 - weight)).clamp_min(1e-6)
    between = between[:, :-1]
    # Two flat tones are parted equally well by every threshold between them: the middle one is taken.
    best = (between >= between.amax(1, keepdim=True) * (1 - 1e-5)).float()
    edges = torch.arange(1, _BINS, device=grey.device) / _BINS
    return ((best * edges).sum(1) / best.sum(1))[:, None, None, None]


def _blur(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur every image with its own Gaussian; `sigma` is (B, 1, 1, 1), in pixels."""
    batch, channels, height, width = images.shape
    taps = torch.arange(-4, 5, device=images.device, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (taps / sigma.flatten()[:, None]).square())
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    x = functional.pad(images, (4, 4, 4, 4), mode="replicate").reshape(
        1, batch * channels, height + 8, width + 8
    )
    x = functional.conv2d(x, kernel[:, None, :, None], groups=batch * channels)
    x = functional.conv2d(x, kernel[:, None, None, :], groups=batch * channels)
    return x.reshape(batch, channels, height, width)
