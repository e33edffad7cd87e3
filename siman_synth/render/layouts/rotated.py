"""Words on a line that rises or falls."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from siman_synth.limits import Between, Weight, check_settings
from siman_synth.render.layouts.base import TYPICAL_ADVANCE_EM, Layout, Units
from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

if TYPE_CHECKING:
    from siman_synth.render.layouts.config import LayoutConfig


@dataclass(frozen=True, slots=True)
class Rotated:
    """The whole line turned by `angle_deg`, rising to the right if positive."""

    angle_deg: float
    kind: ClassVar[str] = "rotated"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Turn the points about the start of the line."""
        angle = math.radians(self.angle_deg)
        cosine, sine = math.cos(angle), math.sin(angle)
        turned: Points = points @ np.array([[cosine, sine], [-sine, cosine]])
        return turned


@dataclass(frozen=True, kw_only=True, slots=True)
class RotatedSettings:
    """Words on a line that rises or falls."""

    weight: Weight = 0.1
    """How often words are rotated, beside the weights of the other layouts."""
    angle_deg: Annotated[tuple[float, float], Between(-45, 45)] = (-10.0, 10.0)
    """Angle of the line in degrees; positive rises to the right."""
    makes: ClassVar[type[Layout]] = Rotated

    def __post_init__(self) -> None:
        check_settings(self)

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> Rotated:
        """Draw an angle, smaller for long words, whose letters would become tiny."""
        angle = uniform(rng, self.angle_deg)
        most = math.degrees(math.asin(min(1.0, config.most_rise_em / (TYPICAL_ADVANCE_EM * len(text)))))
        return Rotated(round(max(-most, min(most, angle)), 4))
