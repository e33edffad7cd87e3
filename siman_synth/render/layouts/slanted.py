"""Words whose letters lean."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np

from siman_synth.limits import Between, Weight, check_settings
from siman_synth.render.layouts.base import Layout, Units
from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

if TYPE_CHECKING:
    from siman_synth.render.layouts.config import LayoutConfig


@dataclass(frozen=True, slots=True)
class Slanted:
    """Every letter leans by `angle_deg`, to the right if positive."""

    angle_deg: float
    kind: ClassVar[str] = "slanted"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Shear the points along x."""
        shear = math.tan(math.radians(self.angle_deg))
        return np.stack([points[:, 0] + shear * points[:, 1], points[:, 1]], axis=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SlantedSettings:
    """Every letter leans, like an italic."""

    weight: Weight = 0.12
    """How often letters lean, beside the weights of the other layouts."""
    angle_deg: Annotated[tuple[float, float], Between(-45, 45)] = (-10.0, 20.0)
    """Lean of the letters in degrees; positive leans to the right."""
    makes: ClassVar[type[Layout]] = Slanted

    def __post_init__(self) -> None:
        check_settings(self)

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> Slanted:
        """Draw an angle."""
        return Slanted(uniform(rng, self.angle_deg))
