"""The discriminator D of equations 3 and 4: real or rebuilt, judged patch by patch."""

from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscriminatorConfig:
    """The shape of the discriminator (the paper is silent)."""

    widths: tuple[int, ...] = (32, 64, 96)
    """Channels after each halving of the resolution."""

    def __post_init__(self) -> None:
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"widths must be positive and not empty, found {self.widths}.")


class Discriminator(nn.Module):
    """A convolutional patch discriminator with spectral normalisation.

    It scores overlapping patches instead of the image, because what tells a rebuilt patch
    from a real one is local: texture and edges. Spectral normalisation keeps it smooth, so
    that neither side runs away on small batches.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for width in config.widths:
            layers += [spectral_norm(nn.Conv2d(channels, width, 4, 2, 1)), nn.LeakyReLU(0.2, inplace=True)]
            channels = width
        layers.append(spectral_norm(nn.Conv2d(channels, 1, 3, 1, 1)))
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to scores (B, 1, H', W'), about 1 for real."""
        scores: Tensor = self.layers(images)
        return scores
