"""How the letters of a word depart from their font: heavier or lighter, unevenly set, bent.

Signs are drawn by hand, cut from wood and bent from tubes; a few dozen fonts do not hold that
many shapes.
"""

import math
from dataclasses import asdict, dataclass
from typing import Annotated

import numpy as np

from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.outlines import Points, grown, stroke_width
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

_MOST_GROWTH_EM, _MOST_LOSS_EM = 0.025, 0.008
"""Further out, the holes of bold letters close; further in, hairlines vanish."""
_WAVES = 3
_WAVELENGTHS_EM = (0.5, 2.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class LettersConfig:
    """How far letters depart from their font."""

    weight: Annotated[tuple[float, float], Between(0.3, 3)] = (1.0, 1.0)
    """Width of the strokes, as a factor on that of the font; within 0.05 em more and 0.016 em less."""
    uneven: Share = 0.0
    """Share of words whose letters are set by an unsteady hand: turned, moved and scaled one by one."""
    unevenness: Annotated[tuple[float, float], Between(0, 1.5)] = (0.2, 1.0)
    """How unsteady; at 1 the deviations are 6 degrees, 0.06 em and 10 % of the size."""
    bend_em: Annotated[tuple[float, float], Between(0, 0.1)] = (0.0, 0.0)
    """How far waves of 0.5 to 2.5 em shift parts of a letter, in em."""
    word_space: Annotated[tuple[float, float], Between(0.3, 4)] = (1.0, 1.0)
    """Width of the spaces between words, as a factor on that of the font."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, slots=True)
class Letters:
    """One word's departure from its font; `seed` decides each letter's."""

    weight: float = 1.0
    unevenness: float = 0.0
    bend_em: float = 0.0
    seed: int = 0
    word_space: float = 1.0

    def to_json(self) -> dict[str, float]:
        """Return plain JSON values; spaces as wide as the font's need not be said."""
        values = asdict(self)
        if self.word_space == 1.0:
            del values["word_space"]
        return values

    def shape(self, line: TextLine) -> Points:
        """Return the points (P, 2) of the line in em, as these letters are shaped."""
        points = line.points
        if self.weight != 1.0:
            stroke = stroke_width(points, line.contour_ends)
            by = min(max(stroke * (self.weight - 1) / 2, -_MOST_LOSS_EM), _MOST_GROWTH_EM)
            points = grown(points, line.contour_ends, by)
        if self.unevenness == self.bend_em == 0:
            return points
        rng = np.random.default_rng(self.seed)
        if self.unevenness > 0:
            points = self._unevenly(points, line, rng)
        if self.bend_em > 0:
            points = points + self._waves(points, rng)
        return points

    def _unevenly(self, points: Points, line: TextLine, rng: np.random.Generator) -> Points:
        blocks = line.blocks  # letters that join are set as one
        count = int(blocks.max(initial=-1)) + 1
        turn = np.clip(rng.normal(0, math.radians(6), count), -0.25, 0.25) * self.unevenness
        lift = np.clip(rng.normal(0, 0.06, count), -0.12, 0.12) * self.unevenness
        scale = 1 + np.clip(rng.normal(0, 0.1, count), -0.2, 0.2) * self.unevenness
        of_point = blocks[line.point_units]
        starts, ends = np.full(count, np.inf), np.full(count, -np.inf)
        np.minimum.at(starts, blocks, line.unit_starts)
        np.maximum.at(ends, blocks, line.unit_ends)
        middle = np.stack([(starts + ends) / 2, np.full(count, line.metrics.x_height / 2)], axis=1)[of_point]
        cosine, sine = (scale * np.cos(turn))[of_point], (scale * np.sin(turn))[of_point]
        x, y = (points - middle).T
        turned = np.stack([cosine * x - sine * y, sine * x + cosine * y + lift[of_point]], axis=1)
        return np.asarray(middle + turned)

    def _waves(self, points: Points, rng: np.random.Generator) -> Points:
        moves = np.zeros_like(points)
        for _ in range(_WAVES):
            angle, phase = rng.uniform(0, 2 * math.pi, 2)
            rate = 2 * math.pi / rng.uniform(*_WAVELENGTHS_EM)
            along = rate * (points @ [math.cos(angle), math.sin(angle)]) + phase
            heading = rng.uniform(0, 2 * math.pi)
            moves += np.sin(along)[:, None] * [math.cos(heading), math.sin(heading)]
        return moves * self.bend_em / math.sqrt(_WAVES / 2)


def draw_letters(config: LettersConfig, rng: np.random.Generator) -> Letters:
    """Draw how the letters of a word depart from their font."""
    low, high = np.log(config.weight)
    weight = round(math.exp(rng.uniform(low, high)), 4)
    uneven = rng.random() < config.uneven
    unevenness, bend = uniform(rng, config.unevenness), uniform(rng, config.bend_em)
    seed = int(rng.integers(2**31))
    low, high = config.word_space
    # Nothing is drawn for what is fixed: the words of other settings stay what they are.
    space = low if low == high else uniform(rng, config.word_space)
    return Letters(weight, unevenness if uneven else 0.0, bend, seed, space)
