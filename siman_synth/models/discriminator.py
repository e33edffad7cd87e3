"""The discriminator D of equations 3 and 4: real or rebuilt, judged patch by patch."""

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from siman_synth.errors import ConfigError
from siman_synth.limits import Between, check_settings
from siman_synth.models.blocks import Blur

_MOST_HALVINGS = 8
"""Patches of 256 px would be a pixel then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscriminatorConfig:
    """The shape of the discriminator (the paper is silent)."""

    widths: tuple[Annotated[int, Between(1, 1024)], ...] = (32, 64, 96)
    """Channels after each halving of the resolution."""
    detail_widths: tuple[Annotated[int, Between(1, 1024)], ...] = ()
    """Channels of a second branch, which sees what a blur takes away, at full resolution first and
    halved from layer to layer; none: there is no such branch."""
    detail_gain: Annotated[float, Between(0.01, 1000)] = 6.0
    """What the second branch's input is multiplied with."""

    def __post_init__(self) -> None:
        check_settings(self)
        if not 1 <= len(self.widths) <= _MOST_HALVINGS:
            raise ConfigError(f"widths needs 1 to {_MOST_HALVINGS} values, found {self.widths}.")
        if len(self.detail_widths) > _MOST_HALVINGS:
            raise ConfigError(
                f"detail_widths needs at most {_MOST_HALVINGS} values, found {self.detail_widths}."
            )


class Discriminator(nn.Module):
    """A convolutional patch discriminator with spectral normalisation.

    It scores overlapping patches instead of the image, because what tells a rebuilt patch
    from a real one is local: texture and edges. Spectral normalisation keeps it smooth, so
    that neither side runs away on small batches. It also makes it blind to what is faint: grain
    and a grid of one level move no score. The second branch sees these alone, amplified.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.layers = _scorer(config.widths, first_stride=2)
        self.detail = _scorer(config.detail_widths, first_stride=1) if config.detail_widths else None
        self.blur = Blur(3)
        self.detail_gain = config.detail_gain

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to scores (B, N), about 1 for real.

        With a second branch, half of what a mean over the scores weighs belongs to each.
        """
        scores: Tensor = self.layers(images).flatten(1)
        if self.detail is None:
            return scores
        detail = torch.tanh(self.detail_gain * (images - self.blur(images)))
        fine: Tensor = self.detail(detail).flatten(1)
        repeats = max(1, round(fine.shape[1] / scores.shape[1]))
        return torch.cat([scores.repeat(1, repeats), fine], dim=1)


def _scorer(widths: tuple[int, ...], first_stride: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    channels = 3
    for index, width in enumerate(widths):
        halves = index > 0 or first_stride == 2
        shape = (4, 2, 1) if halves else (3, 1, 1)
        layers += [spectral_norm(nn.Conv2d(channels, width, *shape)), nn.LeakyReLU(0.2, inplace=True)]
        channels = width
    layers.append(spectral_norm(nn.Conv2d(channels, 1, 3, 1, 1)))
    return nn.Sequential(*layers)
