"""Lines that are drawn and not written: underlines, and rules above and below that may touch the text.

They follow the line of the text, however it is bent, and go beyond it at both ends. Rules beside the
text are not drawn: they would be read as letters.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np

from siman_synth.errors import ConfigError
from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.framing import Framing
from siman_synth.render.outlines import Ends, Points
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

Kind = Literal["none", "underline", "above", "below"]

_STEP_EM = 0.15
"""Longest part of a rule that stays straight where its line is bent."""
_DASH_EM, _GAP_EM = 0.3, 0.18
_FEWEST_LETTERS = 3
"""Letters and digits that a text with a rule has."""
_BEYOND = 0.6
"""How far a rule goes on at both ends, in heights, and in lengths of a short text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RulesConfig:
    """How often a word has an underline or a rule."""

    underline: Share = 0.0
    """Share of words with a line under their baseline, which tails of letters cross; in other text than
    plain ASCII it stands below all marks."""
    above: Share = 0.0
    """Share of words with a rule above their tallest letters."""
    below: Share = 0.0
    """Share of words with a rule below their lowest letters."""
    distance: Annotated[tuple[float, float], Between(0, 0.3)] = (0.0, 0.1)
    """From the text to the line, as a fraction of the height; 0 touches."""
    thickness: Annotated[tuple[float, float], Between(0.01, 0.15)] = (0.02, 0.06)
    """Of the line, as a fraction of the height."""
    dashed: Share = 0.2
    """Share of rules above and below that are made of dashes."""
    strength: Annotated[tuple[float, float], Between(0.1, 1)] = (0.5, 1.0)
    """How dark the line is, as a share of the ink."""

    def __post_init__(self) -> None:
        check_settings(self)
        shares = (self.underline, self.above, self.below)
        if sum(shares) > 1:
            raise ConfigError(f"underline, above and below must be 1 at most in all, found {shares}.")

    @property
    def asked(self) -> bool:
        """Whether any word may have a rule."""
        return bool(self.underline or self.above or self.below)


@dataclass(frozen=True, slots=True)
class Rule:
    """The line beside one word, if any."""

    kind: Kind = "none"
    distance: float = 0.0
    """As a fraction of the height of the image, like the thickness."""
    thickness: float = 0.0
    dashed: bool = False
    strength: float = 1.0

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self.kind != "none"

    def make_room(self, framing: Framing) -> Framing:
        """Return the framing with a margin in which the line has room."""
        needed = round(self.distance + self.thickness, 4)
        if self.kind == "above":
            return replace(framing, top=max(framing.top, needed))
        if self.any:
            return replace(framing, bottom=max(framing.bottom, needed))
        return framing

    def outline(self, line: TextLine, points: Points, height_em: float) -> tuple[Points, Ends]:
        """Return closed polylines (P, 2) in em on the unbent line, and where each ends.

        Args:
            line: the text.
            points: its points as they are drawn.
            height_em: height of the image in em.
        """
        distance, thickness = self.distance * height_em, self.thickness * height_em
        if self.kind == "above":
            edge = float(points[:, 1].max()) + distance
        elif self.kind == "below":
            edge = float(points[:, 1].min()) - distance - thickness
        else:
            edge = -distance - thickness
        # Much farther out, perspective would bring it back from the other side.
        beyond = _BEYOND * min(height_em, line.advance)
        start, end = -beyond, line.advance + beyond
        pieces = [(start, end)]
        if self.dashed:
            pieces = [(x, x + _DASH_EM) for x in np.arange(start, end, _DASH_EM + _GAP_EM).tolist()]
        drawn = []
        for left, right in pieces:
            xs = np.linspace(left, right, max(2, int(np.ceil((right - left) / _STEP_EM)) + 1))
            along = np.concatenate([xs, xs[::-1]])
            heights = np.repeat([edge, edge + thickness], len(xs))
            drawn.append(np.stack([along, heights], axis=1))
        return np.concatenate(drawn), np.cumsum([len(piece) for piece in drawn]).astype(np.int64)


def units_at(xs: Points, line: TextLine) -> np.ndarray:
    """Return the unit (N,) that is nearest to each place on the line."""
    order = np.argsort(line.centers, kind="stable")
    centres = line.centers[order]
    between = (centres[1:] + centres[:-1]) / 2
    return np.asarray(order[np.searchsorted(between, xs)])


def draw_rule(text: str, config: RulesConfig, rng: np.random.Generator) -> Rule:
    """Draw the line beside `text`, mostly none."""
    point, dashed = float(rng.random()), bool(rng.random() < config.dashed)
    distance, thickness, strength = (
        uniform(rng, limits) for limits in (config.distance, config.thickness, config.strength)
    )
    # Beside dashes a line is read as another one, "-" would be "="; beside one letter as its accent.
    if "_" in text or sum(map(str.isalnum, text)) < _FEWEST_LETTERS:
        return Rule()
    kinds: tuple[Kind, ...] = ("underline", "above", "below")
    for kind in kinds:
        if (point := point - getattr(config, kind)) < 0:
            if kind == "underline" and not text.isascii():  # it would hide dots and marks below letters
                kind = "below"
            return Rule(kind, distance, thickness, dashed and kind != "underline", strength)
    return Rule()
