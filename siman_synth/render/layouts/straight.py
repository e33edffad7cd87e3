"""Words on a straight line."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from siman_synth.limits import Weight, check_settings
from siman_synth.render.layouts.base import Layout, Units
from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine

if TYPE_CHECKING:
    from siman_synth.render.layouts.config import LayoutConfig


@dataclass(frozen=True, slots=True)
class Straight:
    """The line as the font sets it."""

    kind: ClassVar[str] = "straight"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Return the points as they are."""
        return points


@dataclass(frozen=True, kw_only=True, slots=True)
class StraightSettings:
    """Words on a straight line, as the font sets them."""

    weight: Weight = 0.34
    """How often words are straight, beside the weights of the other layouts."""
    makes: ClassVar[type[Layout]] = Straight

    def __post_init__(self) -> None:
        check_settings(self)

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> Straight:
        """Return the one straight layout."""
        return Straight()
