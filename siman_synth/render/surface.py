"""The edge of what a word stands on: the rim of a sign, the end of a label, a frame.

Beyond it the mask holds paler ink, which the network paints in a colour between those of ink
and ground.
"""

from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import numpy as np
import numpy.typing as npt

from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.outlines import Points
from siman_synth.seeding import uniform

Side = Literal["above", "below", "left", "right"]


@dataclass(frozen=True, kw_only=True, slots=True)
class SurfaceConfig:
    """How often a surface ends within the image."""

    edge: Share = 0.0
    """Share of words whose surface ends beside them, at one of the four sides."""
    distance: Annotated[tuple[float, float], Between(0, 1)] = (0.02, 0.12)
    """From the word to the edge, as a fraction of the height."""
    strength: Annotated[tuple[float, float], Between(0, 1)] = (0.2, 1.0)
    """How far what lies beyond differs from the ground, as a share of the ink's difference."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, slots=True)
class Surface:
    """Where a surface ends, if it does."""

    side: Side | Literal["none"] = "none"
    distance: float = 0.0
    """As a fraction of the height of the image."""
    strength: float = 0.0

    def beyond(self, ink: Points, along: Points, height: int, width: int) -> npt.NDArray[np.uint8]:
        """Return the mask (height, width) of what lies beyond the edge.

        Args:
            ink: points (P, 2) of the word in pixels, y upwards.
            along: (2,), the direction of the line at that side.
            height, width: of the image.
        """
        x, y = along / max(float(np.hypot(*along)), 1e-9)
        outwards = {
            "above": np.array([-y, x]),
            "below": np.array([y, -x]),
            "left": np.array([-x, -y]),
            "right": np.array([x, y]),
        }[self.side]
        edge = float((ink @ outwards).max()) + self.distance * height
        across = (np.arange(width) + 0.5) * outwards[0]
        up = (height - np.arange(height) - 0.5) * outwards[1]
        inside = np.clip(up[:, None] + across[None, :] - edge + 0.5, 0, 1)
        beyond: npt.NDArray[np.uint8] = (255 * self.strength * inside).astype(np.uint8)
        return beyond


def draw_surface(config: SurfaceConfig, rng: np.random.Generator) -> Surface:
    """Draw where the surface of a word ends, mostly nowhere near."""
    ends = rng.random() < config.edge
    sides: tuple[Side, ...] = get_args(Side)
    side = sides[int(rng.integers(len(sides)))]
    distance, strength = uniform(rng, config.distance), uniform(rng, config.strength)
    return Surface(side, distance, strength) if ends else Surface()
