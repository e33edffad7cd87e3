"""Two layouts at once: one of the letters on the line, then one of the line."""

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from siman_synth.limits import Weight, check_settings
from siman_synth.render.layouts.base import TYPICAL_ADVANCE_EM, Layout, Units
from siman_synth.render.layouts.choice import weighted
from siman_synth.render.layouts.letter_spaced import LetterSpaced
from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine

if TYPE_CHECKING:
    from siman_synth.render.layouts.config import LayoutConfig


@dataclass(frozen=True, slots=True)
class Combined:
    """A layout of the letters on the line, then one of the line."""

    letters: Layout
    line: Layout
    kind: ClassVar[str] = "combined"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Place the points on the line, then with it."""
        return self.line.place(self.letters.place(points, units, line), units, self._placed(line))

    def _placed(self, line: TextLine) -> TextLine:
        """Return the line with its units where the first layout puts them."""
        units = np.arange(len(line.unit_starts))
        starts, ends = (
            self.letters.place(np.stack([xs, np.zeros(len(xs))], axis=1), units, line)[:, 0]
            for xs in (line.unit_starts, line.unit_ends)
        )
        return dataclasses.replace(
            line, unit_starts=starts, unit_ends=ends, advance=float(ends.max() - starts.min())
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class CombinedSettings:
    """Words slanted or letter-spaced, and curved, in perspective or rotated as well."""

    weight: Weight = 0.0
    """How often two layouts are combined, beside the weights of the other layouts."""
    makes: ClassVar[type[Layout]] = Combined

    def __post_init__(self) -> None:
        check_settings(self)

    def draw(self, text: str, config: "LayoutConfig", rng: np.random.Generator) -> Combined:
        """Draw one of each, by the weights that each has alone; evenly if all of these are 0."""
        letters = weighted((config.slanted, config.letter_spaced), rng).draw(text, config, rng)
        spacing = letters.spacing_em if isinstance(letters, LetterSpaced) else 0.0
        # The longer a line, the less it may turn or bend, and letters set apart make it longer.
        as_long = "x" * round(len(text) * (1 + spacing / TYPICAL_ADVANCE_EM))
        line = weighted((config.curved, config.perspective, config.rotated), rng).draw(as_long, config, rng)
        return Combined(letters, line)
