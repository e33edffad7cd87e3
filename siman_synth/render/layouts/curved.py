"""Words on an arc."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from siman_synth.limits import Between, Share, Weight, check_settings
from siman_synth.render.layouts.base import TYPICAL_ADVANCE_EM, Layout, Units
from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

if TYPE_CHECKING:
    from siman_synth.render.layouts.config import LayoutConfig

_TIGHTEST_RADIUS_EM = 0.8


@dataclass(frozen=True, slots=True)
class Curved:
    """On an arc of `arc_deg`; `up` has the middle above the ends.

    Letters turn, but do not bend; only those that join must, to stay together.
    """

    arc_deg: float
    up: bool
    kind: ClassVar[str] = "curved"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Turn each unit, or each point of units that join, about the point of the arc it stands on."""
        if self.arc_deg <= 0 or line.advance <= 0:
            return points
        # Letters crowd on the inner side of the arc, so that side keeps the font's spacing.
        inner = 0.0 if self.up else line.metrics.x_height
        radius = max(line.advance / math.radians(self.arc_deg), _TIGHTEST_RADIUS_EM)
        pivots = np.where(line.unit_joined[units], points[:, 0], line.centers[units])
        turn = (pivots - line.advance / 2) / radius
        sine, cosine = np.sin(turn), np.cos(turn)
        along, above = points[:, 0] - pivots, points[:, 1] - inner
        sign = 1.0 if self.up else -1.0
        x = radius * sine + along * cosine + sign * above * sine
        y = sign * (radius * (cosine - 1) - along * sine) + above * cosine
        return np.stack([x, y], axis=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class CurvedSettings:
    """Words on an arc, as on round signs and labels."""

    weight: Weight = 0.08
    """How often words are curved, beside the weights of the other layouts."""
    arc_deg: Annotated[tuple[float, float], Between(0, 180)] = (15.0, 60.0)
    """The part of a circle that a word covers, in degrees."""
    up: Share = 0.7
    """Share of curved words whose middle is higher than their ends."""
    makes: ClassVar[type[Layout]] = Curved

    def __post_init__(self) -> None:
        check_settings(self)

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> Curved:
        """Draw an arc, flatter for long words, whose letters would become tiny."""
        arc = uniform(rng, self.arc_deg)
        # The middle of an arc of length a and angle t (radians) rises by about a * t / 8.
        most = math.degrees(8 * config.most_rise_em / (TYPICAL_ADVANCE_EM * len(text)))
        return Curved(min(arc, round(most, 4)), bool(rng.random() < self.up))
