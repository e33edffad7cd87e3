"""Breaking the style of a content patch, never moving its strokes (paper, section 3.1).

A share of the patches is binarised into two random colours: training content then looks
like a plain render, which is what content is at generation. The rest have channels
shuffled, gained, shifted and inverted. Blur and noise come on top of both.

Shapes: B batch, H x W pixels. Images are float (B, 3, H, W) in [-1, 1].
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from siman_synth.limits import check_share

_BINS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class StyleBreakingConfig:
    """How content patches lose their style."""

    binarise: float = 0.5
    """Share of patches turned into two random colours by a soft Otsu threshold."""
    softness: tuple[float, float] = (0.02, 0.25)
    """Width of the soft threshold, in units of the image range."""
    min_contrast: float = 0.4
    """Least mean distance between the two random colours, in units of [-1, 1]."""
    shuffle: float = 0.7
    """Share of the other patches whose channels change places."""
    invert: float = 0.5
    """Share of the other patches that are inverted."""
    gain: tuple[float, float] = (0.4, 1.6)
    """Range of the other patches' gain of each channel."""
    shift: float = 0.4
    """Largest shift of the other patches' channels."""
    blur: float = 0.4
    """Share of all patches that are blurred."""
    blur_sigma_px: tuple[float, float] = (0.4, 1.4)
    """Range of the blur's deviation."""
    noise: float = 0.4
    """Share of all patches that get noise."""
    noise_sigma: tuple[float, float] = (0.01, 0.12)
    """Range of the noise's deviation."""

    def __post_init__(self) -> None:
        for name in ("binarise", "shuffle", "invert", "blur", "noise"):
            check_share(name, getattr(self, name))
        for name in ("softness", "gain", "blur_sigma_px", "noise_sigma"):
            low, high = getattr(self, name)
            if not 0.0 < low <= high:
                raise ValueError(f"{name} must be a rising positive range, found {getattr(self, name)}.")


class StyleBreaking:
    """Turn content patches I_c into I_aug."""

    def __init__(self, config: StyleBreakingConfig) -> None:
        self._config = config

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Return broken copies of `images` (B, 3, H, W); all randomness comes from `generator`."""
        config = self._config
        images = images.contiguous()  # what follows works channel by channel
        draw = _Draw(generator, images)
        flat = draw.chance(config.binarise)
        broken = torch.where(flat, _two_colours(images, config, draw), _recolour(images, config, draw))
        blurred = _blur(broken, draw.between(*config.blur_sigma_px))
        broken = torch.where(draw.chance(config.blur), blurred, broken)
        sigma = draw.between(*config.noise_sigma) * draw.chance(config.noise)
        noisy = torch.addcmul(broken, sigma, draw.normal(images.shape)).clamp_(-1.0, 1.0)
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


def _two_colours(images: Tensor, config: StyleBreakingConfig, draw: _Draw) -> Tensor:
    # A random mix of the channels, not luminance: red on green has no luminance contrast.
    mix = draw.uniform(len(images), 3, 1, 1)
    grey = (images * mix).sum(1, keepdim=True) / mix.sum(1, keepdim=True)
    low = grey.amin(dim=(2, 3), keepdim=True)
    grey = (grey - low) / (grey.amax(dim=(2, 3), keepdim=True) - low).clamp_min(1e-3)
    ink = torch.sigmoid((grey - otsu_threshold(grey)) / draw.between(*config.softness))
    first, second = draw.between(-1.0, 1.0, 3), draw.between(-1.0, 1.0, 3)
    # Two near-equal colours would leave nothing to read: move them apart along their difference.
    gap = (second - first).abs().mean(1, keepdim=True)
    second = torch.where(gap < config.min_contrast, -first.sign() * (0.3 + 0.7 * second.abs()), second)
    return first + (second - first) * ink


def _recolour(images: Tensor, config: StyleBreakingConfig, draw: _Draw) -> Tensor:
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
    best = between[:, :-1].argmax(1)
    return ((best + 1).float() / _BINS)[:, None, None, None]


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
