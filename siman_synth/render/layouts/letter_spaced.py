"""Words whose letters are set apart."""

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
class LetterSpaced:
    """`spacing_em` more between letters than the font sets."""

    spacing_em: float
    kind: ClassVar[str] = "letter_spaced"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Shift each unit by what was added before it: nothing between units that join."""
        return points + np.stack([line.blocks[units] * self.spacing_em, np.zeros(len(units))], axis=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterSpacedSettings:
    """Letters set apart, or a little closer."""

    weight: Weight = 0.12
    """How often letters are set apart, beside the weights of the other layouts."""
    spacing_em: Annotated[tuple[float, float], Between(-0.1, 2)] = (-0.02, 0.3)
    """Distance added between letters, in em."""
    makes: ClassVar[type[Layout]] = LetterSpaced

    def __post_init__(self) -> None:
        check_settings(self)

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> LetterSpaced:
        """Draw a spacing."""
        return LetterSpaced(uniform(rng, self.spacing_em))
