"""Grain: what in a style is chance, and cannot be rebuilt, is drawn.

Noise of two sizes, light and colour, is scaled at every position by a learned function of the
aligned deviation (compare StyleGAN's noise inputs). Shapes: B batch, H x W pixels.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from siman_synth.models.blocks import Conv

NOISE_CHANNELS = 4
"""Light from pixel to pixel; light, blurred; two directions of colour, blurred."""

_BLUR_GAIN = 1.0 / 0.375
"""The [1 2 1] blur along both axes leaves 0.375 of white noise's deviation."""
_TILE_PX = (96, 4096)
_START = -5.0


def training_noise(batch: int, height: int, width: int, generator: torch.Generator) -> Tensor:
    """Draw noise of unit deviation, (B, 4, H, W), on the generator's device."""
    shape = (batch, NOISE_CHANNELS, height, width)
    return _shaped(torch.randn(shape, generator=generator, device=generator.device))


class NoiseTile:
    """One field of noise, cut anew for every image: a cut costs next to nothing.

    A place in the field and two flips are drawn; there are a million of them.
    """

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self._field = training_noise(1, *_TILE_PX, generator)[0].numpy()

    def cut(self, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
        """Return noise (4, H, W), float32."""
        field = self._field
        if height > field.shape[1] or width > field.shape[2]:
            return training_noise(1, height, width, torch.Generator().manual_seed(int(rng.integers(2**62))))[
                0
            ].numpy()
        top, left, flips = rng.integers((field.shape[1] - height + 1, field.shape[2] - width + 1, 4)).tolist()
        part = field[:, top : top + height, left : left + width]
        return part[:, :: 1 - 2 * (flips & 1), :: 1 - (flips & 2)]


class Grain(nn.Module):
    """Scale noise by what the style shows at each position.

    Args:
        channels: of the finest level's aligned deviation.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.read = Conv(channels, 8, kernel=1)
        self.strength = Conv(8, NOISE_CHANNELS, kernel=1)
        nn.init.constant_(self.strength.conv.bias, _START)  # type: ignore[arg-type]

    def forward(self, deviation: Tensor, noise: Tensor) -> Tensor:
        """Map deviation (B, C, h, w) and noise (B, 4, H, W) to what is added to an image (B, 3, H, W)."""
        strength = functional.softplus(self.strength(self.read(deviation).relu_()))
        rows, columns = noise.shape[-2] // strength.shape[-2], noise.shape[-1] // strength.shape[-1]
        strength = functional.interpolate(
            strength, scale_factor=(float(rows), float(columns)), mode="nearest"
        )
        fine, blurred, red_green, blue_yellow = (strength * noise).unbind(1)
        grey = fine + blurred
        red, green = grey + red_green + blue_yellow, grey - red_green + blue_yellow
        return torch.stack([red, green, grey - 2.0 * blue_yellow], 1)


def _shaped(white: Tensor) -> Tensor:
    taps = torch.tensor([0.25, 0.5, 0.25], device=white.device)
    kernel = (taps[:, None] * taps).expand(NOISE_CHANNELS - 1, 1, 3, 3) * _BLUR_GAIN
    # Around the edges, so that the noise is equally strong there.
    padded = functional.pad(white[:, 1:], (1, 1, 1, 1), mode="circular")
    return torch.cat([white[:, :1], functional.conv2d(padded, kernel, groups=NOISE_CHANNELS - 1)], 1)
