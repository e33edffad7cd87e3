"""Letters made of dots, as pins and heating elements print them.

Every letter is sampled on a grid that begins at its own left edge, so that equal letters have equal
dots. The dots are outlines like any other: a layout may bend their line, and boxes stay exact.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.outlines import Points, fill, stroke_width
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

_FINE = 6
"""Pixels on each side of a cell, in which its share of ink is counted."""
_FULL = 0.5
"""Share of ink from which a cell gets its dot."""
_MISSED = 0.15
"""Share of a cell from which ink far from every dot gets one."""
_STROKE = 0.95
"""Distance of rows at most, in widths of a stroke: wider apart, strokes would fall between them."""
_CORNERS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class DotsConfig:
    """Letters made of dots: dot-matrix and coarse thermal print."""

    share: Share = 0.0
    """Share of words whose letters are made of dots."""
    rows: Annotated[tuple[float, float], Between(5, 48)] = (8.0, 18.0)
    """Rows of dots in a tall letter; more of them where strokes are so thin that they would fall between."""
    spacing: Annotated[tuple[float, float], Between(0.5, 1.5)] = (0.8, 1.1)
    """Distance of columns, in distances of rows."""
    size: Annotated[tuple[float, float], Between(0.6, 2)] = (0.9, 1.5)
    """Diameter of a dot, in distances of rows: below 1 dots stand apart, from 1.4 on they leave no gap."""
    unsteady: Annotated[tuple[float, float], Between(0, 0.3)] = (0.0, 0.1)
    """How far places and sizes of dots differ, in distances of rows."""
    lost: Annotated[tuple[float, float], Between(0, 0.4)] = (0.0, 0.05)
    """Share of dots that were not printed. One without another beside it stays."""
    lost_row: Share = 0.0
    """Share of these words in which one row of dots was not printed; strokes of that row alone stay."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, slots=True)
class Dots:
    """The dots of one word; `rows` is 0 where it has none, `seed` decides each dot's deviation."""

    rows: float = 0.0
    spacing: float = 1.0
    size: float = 1.0
    unsteady: float = 0.0
    lost: float = 0.0
    lost_row: float = -1.0
    """Where the lost row is, from 0 at the baseline to 1 at the tops of tall letters; -1 for none."""
    seed: int = 0

    @property
    def any(self) -> bool:
        """Whether letters are made of dots."""
        return self.rows > 0

    def on(self, line: TextLine) -> TextLine:
        """Return the line with dots for its letters."""
        if not self.any or not len(line.points):
            return line
        points, ends = line.points, line.contour_ends
        tall = max(line.metrics.top, 0.1)
        pitch = min(tall / self.rows, max(_STROKE * stroke_width(points, ends), tall / 48))
        starts = np.concatenate([[0], ends[:-1]])
        of_contour = line.point_units[starts]
        firsts = np.flatnonzero(np.diff(of_contour, prepend=-1))
        rng = np.random.default_rng(self.seed)
        made: list[Points] = []
        units: list[int] = []
        for first, last in zip(firsts.tolist(), [*firsts[1:].tolist(), len(ends)], strict=True):
            begin, end = int(starts[first]), int(ends[last - 1])
            dots = self._of_letter(points[begin:end], ends[first:last] - begin, pitch, tall, rng)
            made.append(dots)
            units += [int(of_contour[first])] * len(dots)
        drawn = np.concatenate(made)
        return replace(
            line,
            points=drawn,
            contour_ends=np.arange(_CORNERS, len(drawn) + 1, _CORNERS, dtype=np.int64),
            point_units=np.array(units, np.int64),
        )

    def _of_letter(
        self,
        points: Points,
        ends: npt.NDArray[np.int64],
        pitch: float,
        tall: float,
        rng: np.random.Generator,
    ) -> Points:
        """Return the dots of one letter, (N * 8, 2) in em; `pitch` is the distance of rows."""
        low, high = points.min(0), points.max(0)
        width = max(high[0] - low[0], 1e-6)
        columns = max(1, round(width / (self.spacing * pitch)))
        # Dots reach the edges of the letter, so columns stand where their number asks for.
        across = width / columns
        bottom, top = int(np.floor(low[1] / pitch + 1e-6)), int(np.ceil(high[1] / pitch - 1e-6))
        rows = max(1, top - bottom)
        fine = (points - [low[0], bottom * pitch]) * [_FINE / across, _FINE / pitch]
        inked = fill(fine, ends, rows * _FINE, columns * _FINE)[::-1] > 127
        there = _sampled(inked, rows, columns)
        kept = there & self._printed(there.shape, bottom, pitch, tall, rng)
        kept |= there & ~_beside(kept)
        row, column = np.nonzero(kept)
        centres = np.stack([low[0] + (column + 0.5) * across, (bottom + row + 0.5) * pitch], axis=1)
        centres += pitch * self.unsteady * np.clip(rng.normal(size=centres.shape), -2, 2)
        radii = pitch * self.size / 2 * (1 + self.unsteady * np.clip(rng.normal(size=len(row)), -2, 2))
        angles = 2 * np.pi * (np.arange(_CORNERS) + 0.5) / _CORNERS
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        dots: Points = (centres[:, None] + radii[:, None, None] * circle[None]).reshape(-1, 2)
        return dots

    def _printed(
        self, shape: tuple[int, ...], bottom: int, pitch: float, tall: float, rng: np.random.Generator
    ) -> npt.NDArray[np.bool_]:
        """Tell which dots of a grid were printed."""
        printed = rng.random(shape) >= self.lost
        if self.lost_row >= 0:
            lost = int(self.lost_row * tall / pitch) - bottom
            if 0 <= lost < shape[0]:
                printed[lost] = False
        return printed


def _sampled(inked: npt.NDArray[np.bool_], rows: int, columns: int) -> npt.NDArray[np.bool_]:
    """Return which cells (rows, columns) get a dot, of ink (rows * fine, columns * fine)."""

    def share(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        return np.asarray(mask.reshape(rows, _FINE, columns, _FINE).mean(axis=(1, 3)))

    there = share(inked) >= _FULL
    cells = np.repeat(np.repeat(there, _FINE, axis=0), _FINE, axis=1).astype(np.uint8)
    near = cv2.dilate(cells, np.ones((_FINE + 1, _FINE + 1), np.uint8)).astype(bool)
    # Hairlines fill no cell, and a stroke between two rows fills neither.
    there |= share(inked & ~near) >= _MISSED
    if not there.any():
        there.flat[int(share(inked).argmax())] = True
    return there


def _beside(kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Tell which cells have a dot above, below, beside or at a corner."""
    around = np.ones((3, 3), np.uint8)
    around[1, 1] = 0
    return cv2.dilate(kept.astype(np.uint8), around).astype(bool) | kept


def draw_dots(config: DotsConfig, rng: np.random.Generator) -> Dots:
    """Draw the dots of a word, mostly none."""
    there, without_row = rng.random() < config.share, rng.random() >= config.lost_row
    rows, spacing, size = (uniform(rng, x) for x in (config.rows, config.spacing, config.size))
    unsteady, lost, row = (uniform(rng, x) for x in (config.unsteady, config.lost, (0.0, 1.0)))
    seed = int(rng.integers(2**31))
    return Dots(rows, spacing, size, unsteady, lost, -1.0 if without_row else row, seed) if there else Dots()
