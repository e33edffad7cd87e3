"""Words seen from the side."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import cv2
import numpy as np

from siman_synth.limits import Between, Weight, check_settings
from siman_synth.render.layouts.base import TYPICAL_ADVANCE_EM, Layout, Units
from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

if TYPE_CHECKING:
    from siman_synth.render.layouts.config import LayoutConfig

_SQUARE = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32)
"""OpenCV takes no finer numbers: a point is off by 4e-7 of the line's size at most."""
_A_LINE = 25
"""Texts of more characters are lines."""


@dataclass(frozen=True, slots=True)
class Perspective:
    """Seen from the side: each corner of the line moves by (dx, dy), dx in widths, dy in heights."""

    top_left: tuple[float, float]
    top_right: tuple[float, float]
    bottom_right: tuple[float, float]
    bottom_left: tuple[float, float]
    kind: ClassVar[str] = "perspective"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Map the points by the homography that moves the corners so."""
        width, height = max(line.advance, 0.1), line.metrics.top - line.metrics.bottom
        size = np.array([width, height])
        moves = (self.top_left, self.top_right, self.bottom_right, self.bottom_left)
        homography = cv2.getPerspectiveTransform(_SQUARE, _SQUARE + np.array(moves, np.float32))
        unit_points = (points - [0.0, line.metrics.bottom]) / size
        mapped = np.column_stack([unit_points, np.ones(len(points))]) @ homography.T
        placed: Points = mapped[:, :2] / np.maximum(mapped[:, 2:], 0.05) * size
        return placed


@dataclass(frozen=True, kw_only=True, slots=True)
class PerspectiveSettings:
    """Words seen from the side."""

    weight: Weight = 0.4
    """How often words are in perspective, beside the weights of the other layouts."""
    foreshortening: Annotated[tuple[float, float], Between(0, 0.7)] = (0.05, 0.5)
    """By how much of its height the far side is smaller; less, in proportion, where a text has more than 25
    characters, of which the far ones would become tiny."""
    slope_deg: Annotated[tuple[float, float], Between(-45, 45)] = (-4.0, 4.0)
    """About how far the line rises, in degrees, while letters stay upright."""
    makes: ClassVar[type[Layout]] = Perspective

    def __post_init__(self) -> None:
        check_settings(self)

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> Perspective:
        """Draw which side is far, by how much it shrinks, and how it is tilted."""
        shrink = uniform(rng, self.foreshortening) * min(1.0, _A_LINE / len(text))
        from_top = float(rng.uniform(0.1, 0.9)) * shrink
        tilt = float(rng.uniform(-0.3, 0.3)) * shrink
        closer = 0.25 * shrink
        slope = math.tan(math.radians(uniform(rng, self.slope_deg)))
        rise = slope * TYPICAL_ADVANCE_EM * len(text)
        rise = max(-config.most_rise_em, min(config.most_rise_em, rise))
        far_left = rng.random() >= 0.5
        # A rise to the right is a fall of the left side.
        tilt += -rise if far_left else rise
        top, bottom = round(tilt - from_top, 4), round(tilt + shrink - from_top, 4)
        if far_left:
            return Perspective((round(closer, 4), top), (0.0, 0.0), (0.0, 0.0), (round(closer, 4), bottom))
        return Perspective((0.0, 0.0), (round(-closer, 4), top), (round(-closer, 4), bottom), (0.0, 0.0))
