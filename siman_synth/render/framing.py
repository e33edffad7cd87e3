"""How tightly a word is cut out, as real crops vary in it."""

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np

from siman_synth.limits import Between, Share, check_settings
from siman_synth.seeding import uniform

_DEEPEST_CUT = -0.02


@dataclass(frozen=True, slots=True)
class Framing:
    """Margins around a word, each a fraction of the height of the image; negative cuts into the ink.

    `extent` says what the vertical margins are measured from: the ink of this word, or the
    line from the tops of tall letters to the bottoms of tails.
    """

    left: float
    right: float
    top: float
    bottom: float
    extent: Literal["ink", "line"]
    stretch: float = 1.0
    """Width of the letters, as a factor: below 1 they are condensed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FramingConfig:
    """How framings are drawn."""

    horizontal: Annotated[tuple[float, float], Between(_DEEPEST_CUT, 2)] = (-0.02, 0.25)
    """Margins left and right, as fractions of the height."""
    vertical: Annotated[tuple[float, float], Between(_DEEPEST_CUT, 0.4)] = (0.0, 0.2)
    """Margins at top and bottom, as fractions of the height."""
    tightness: Annotated[float, Between(0.1, 10)] = 1.3
    """Tight framings are more frequent than loose ones for values above 1."""
    line_share: Share = 0.35
    """Share of words that stand in the line of their font, rather than fill the height with ink."""
    stretch: Annotated[tuple[float, float], Between(0.3, 3)] = (0.7, 1.1)
    """Width of the letters, as a factor on that of the font: signs are often condensed."""

    def __post_init__(self) -> None:
        check_settings(self)


def draw_framing(config: FramingConfig, rng: np.random.Generator) -> Framing:
    """Draw a framing: one looseness for the crop, then each side around it."""
    looseness = float(rng.random()) ** config.tightness
    sides = np.clip(looseness * rng.uniform(0.4, 1.6, size=4), 0, 1).tolist()
    extent: Literal["ink", "line"] = "line" if rng.random() < config.line_share else "ink"
    left, right = (_between(config.horizontal, side) for side in sides[:2])
    top, bottom = (_between(config.vertical, side) for side in sides[2:])
    return Framing(left, right, top, bottom, extent, uniform(rng, config.stretch))


def _between(limits: tuple[float, float], share: float) -> float:
    return round(limits[0] + (limits[1] - limits[0]) * share, 4)
