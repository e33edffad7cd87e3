"""What else a sloppy crop shows: the edges of the lines above and below, and of the words beside."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from siman_synth.limits import check_range, check_share
from siman_synth.render.framing import Framing

_GAP = 0.04
"""Least distance to the word, as a fraction of the height."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SurroundingsConfig:
    """How often, and how much, neighbours show."""

    above: float = 0.0
    """Share of words below another line."""
    below: float = 0.0
    """Share of words above another line."""
    beside: float = 0.0
    """Share of words with the edge of another at the left; as many have one at the right."""
    visible: tuple[float, float] = (0.02, 0.16)
    """How much of a neighbour shows, as a fraction of the height: letters must not become readable."""

    def __post_init__(self) -> None:
        for name in ("above", "below", "beside"):
            check_share(name, getattr(self, name))
        check_range("visible", self.visible, 0, 0.25)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How much of the neighbours of a word shows, as fractions of the height; 0: there is none."""

    above: float = 0.0
    below: float = 0.0
    left: float = 0.0
    right: float = 0.0
    text: str = ""
    """What the neighbours say."""
    offset: float = 0.0
    """How far the lines above and below are shifted, as a fraction of the word's width."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "above": self.above,
            "below": self.below,
            "left": self.left,
            "right": self.right,
            "text": self.text,
            "offset": self.offset,
        }

    @property
    def any(self) -> bool:
        """Whether there is a neighbour."""
        return bool(self.text)

    def make_room(self, framing: Framing) -> Framing:
        """Return the framing with margins in which the neighbours have room beside the word."""
        margins = {"top": self.above, "bottom": self.below, "left": self.left, "right": self.right}
        return replace(
            framing,
            **{
                side: round(max(getattr(framing, side), shown + _GAP), 4)
                for side, shown in margins.items()
                if shown
            },
        )

    def place(
        self, ink: npt.NDArray[np.float64], word: npt.NDArray[np.float64], height: int, width: int
    ) -> list[npt.NDArray[np.float64]]:
        """Return the neighbours' ink in pixels, y upwards.

        Args:
            ink: points (P, 2) in pixels of `text`, laid out like the word.
            word: points of the word itself.
            height, width: of the image.
        """
        low, high = ink.min(0), ink.max(0)
        middle = (word.min(0) + word.max(0)) / 2
        across = middle[0] - (low[0] + high[0]) / 2 + self.offset * width
        placed = []
        if self.above:
            placed.append(ink + np.array([across, (1 - self.above) * height - low[1]]))
        if self.below:
            placed.append(ink + np.array([across, self.below * height - high[1]]))
        if self.left:
            placed.append(ink + np.array([self.left * height - high[0], 0.0]))
        if self.right:
            placed.append(ink + np.array([width - self.right * height - low[0], 0.0]))
        return placed


def draw_surroundings(text: str, config: SurroundingsConfig, rng: np.random.Generator) -> Surroundings:
    """Draw the neighbours of `text`; they say its characters in another order, which its font can draw."""
    shares = (config.above, config.below, config.beside, config.beside)
    there = rng.random(4) < shares
    shown = [round(float(amount), 4) for amount in rng.uniform(*config.visible, 4)]
    offset = round(float(rng.uniform(-0.4, 0.4)), 4)
    order = rng.permutation(len(text))
    letters = "".join(text[i] for i in order).strip()
    if not there.any() or not text.isalnum() or not text.isascii():
        return Surroundings()
    above, below, left, right = np.where(there, shown, 0.0).tolist()
    return Surroundings(above, below, left, right, letters, offset)
