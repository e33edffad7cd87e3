"""What else a sloppy crop shows: the edges of the lines above and below.

Not of the words beside: a stroke of one is a letter more, and the label would be wrong.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.framing import Framing
from siman_synth.render.outlines import Points
from siman_synth.seeding import uniform

_GAP = 0.04
"""Least distance to the word, as a fraction of the height."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SurroundingsConfig:
    """How often, and how much of, other lines show."""

    above: Share = 0.0
    """Share of words below another line."""
    below: Share = 0.0
    """Share of words above another line."""
    visible: Annotated[tuple[float, float], Between(0, 0.25)] = (0.02, 0.16)
    """How much of the other line shows, as a fraction of the height."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How much of the lines around a word shows, as fractions of the height; 0: there is none."""

    above: float = 0.0
    below: float = 0.0
    text: str = ""
    """What these lines say."""
    offset: float = 0.0
    """How far they are shifted, as a fraction of the image's width."""

    @property
    def any(self) -> bool:
        """Whether there is another line."""
        return bool(self.text)

    def make_room(self, framing: Framing) -> Framing:
        """Return the framing with margins in which the other lines have room."""
        top, bottom = framing.top, framing.bottom
        if self.above:
            top = round(max(top, self.above + _GAP), 4)
        if self.below:
            bottom = round(max(bottom, self.below + _GAP), 4)
        return replace(framing, top=top, bottom=bottom)

    def place(self, ink: Points, word: Points, height: int, width: int) -> list[Points]:
        """Return the ink of each other line in pixels, y upwards.

        Args:
            ink: points (P, 2) in pixels of `text`, laid out like the word, anywhere.
            word: points of the word itself.
            height, width: of the image.
        """
        low, high = ink.min(0), ink.max(0)
        middle = (word[:, 0].min() + word[:, 0].max()) / 2
        across = middle - (low[0] + high[0]) / 2 + self.offset * width
        placed = []
        if self.above:
            placed.append(ink + np.array([across, (1 - self.above) * height - low[1]]))
        if self.below:
            placed.append(ink + np.array([across, self.below * height - high[1]]))
        return placed


def draw_surroundings(text: str, config: SurroundingsConfig, rng: np.random.Generator) -> Surroundings:
    """Draw the lines around `text`. They say its characters, shuffled, which its font can draw."""
    there = rng.random(2) < (config.above, config.below)
    shown = rng.uniform(*config.visible, 2).round(4)
    offset = uniform(rng, (-0.4, 0.4))
    letters = "".join(text[i] for i in rng.permutation(len(text)))
    if not there.any() or not text.isalnum() or not text.isascii():
        return Surroundings()
    above, below = np.where(there, shown, 0.0).tolist()
    return Surroundings(above, below, letters, offset)
