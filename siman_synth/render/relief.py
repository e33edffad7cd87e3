"""Shadows, rims and hollow letters: ink that is drawn twice, fainter or not at all the second time.

The second drawing is a paler ink, which the network paints in a colour between those of
ink and ground.
"""

import math
from dataclasses import dataclass
from typing import Annotated, Literal

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.errors import ConfigError
from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.outlines import Ends, Points, fill, grown
from siman_synth.seeding import uniform

_STRONGEST = 0.6
"""Above that, paler ink would pass for the ink of letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReliefConfig:
    """How often words are drawn with a shadow, a rim or hollow."""

    shadow: Share = 0.0
    """Share of words with a shadow at one side."""
    rim: Share = 0.0
    """Share of words with a rim around the letters."""
    hollow: Share = 0.0
    """Share of words of which only the edges of the letters are drawn, where strokes are wide enough."""
    reach: Annotated[tuple[float, float], Between(0, 0.3)] = (0.02, 0.1)
    """How far shadows and rims reach, and how wide the edges of hollow letters are, in heights."""
    strength: Annotated[tuple[float, float], Between(0, _STRONGEST)] = (0.2, 0.6)
    """How dark shadows and rims are, as a share of the ink."""

    def __post_init__(self) -> None:
        check_settings(self)
        shares = (self.shadow, self.rim, self.hollow)
        if sum(shares) > 1:
            raise ConfigError(f"shadow, rim and hollow must be 1 at most in all, found {shares}.")


@dataclass(frozen=True, slots=True)
class Relief:
    """What is drawn beside the ink of a word."""

    kind: Literal["none", "shadow", "rim", "hollow"] = "none"
    reach: float = 0.0
    """As a fraction of the height of the image."""
    angle_deg: float = 0.0
    """Where the shadow falls: 0 to the right, 90 upwards."""
    strength: float = 0.0

    def draw(self, points: Points, contour_ends: Ends, height: int, width: int) -> npt.NDArray[np.uint8]:
        """Return the mask (height, width), 255 = full ink, of polylines in pixels, y upwards."""
        mask = fill(points, contour_ends, height, width)
        reach = self.reach * height
        if self.kind == "shadow":
            angle = math.radians(self.angle_deg)
            moved = points + reach * np.array([math.cos(angle), math.sin(angle)])
            return np.maximum(mask, self._paler(fill(moved, contour_ends, height, width)))
        if self.kind == "rim":
            return np.maximum(
                mask, self._paler(fill(grown(points, contour_ends, reach), contour_ends, height, width))
            )
        if self.kind == "hollow":
            size = 2 * max(1, round(reach)) + 1
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
            # Strokes too thin to have an inside stay as they are.
            inside = np.asarray(cv2.erode(mask, disc, borderType=cv2.BORDER_CONSTANT, borderValue=0))
            return np.asarray(mask - inside, np.uint8)
        return mask

    def _paler(self, mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        return (mask * self.strength).astype(np.uint8)


def draw_relief(config: ReliefConfig, rng: np.random.Generator) -> Relief:
    """Draw a relief, mostly none."""
    point, angle = float(rng.random()), float(rng.uniform(0, 360))
    reach, strength = uniform(rng, config.reach), float(rng.uniform(*config.strength))
    for kind in ("shadow", "rim", "hollow"):
        if (point := point - getattr(config, kind)) < 0:
            return Relief(kind, reach, round(angle, 1), round(strength, 3))
    return Relief()
