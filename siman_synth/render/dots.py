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
_SOLID = 0.8
"""Share of ink from which a dot is no bump."""
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
    """Share of dots that were not printed. One without two others beside it stays."""
    lost_row: Share = 0.0
    """Share of these words in which one row of dots was not printed; strokes of that row alone stay."""

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def asked(self) -> bool:
        """Whether any word may have dots."""
        return bool(self.share)


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
        grid = _grid(line, pitch, self.spacing * pitch)
        there = _sampled(fill(grid.points, ends, grid.rows * _FINE, grid.columns * _FINE)[::-1] > 127)
        rng = np.random.default_rng(self.seed)
        kept = there & (rng.random(there.shape) >= self.lost)
        lost_row = int(self.lost_row * tall / pitch) - grid.bottom
        if self.lost_row >= 0 and 0 <= lost_row < grid.rows:
            kept[lost_row] = False
        kept |= there & ~_beside(kept)
        # Column by column, so that the dots of a letter follow each other.
        column, row = np.nonzero(kept.T)
        centres = np.stack([grid.column_x[column], (grid.bottom + row + 0.5) * pitch], axis=1)
        centres += pitch * self.unsteady * np.clip(rng.normal(size=centres.shape), -2, 2)
        radii = pitch * self.size / 2 * (1 + self.unsteady * np.clip(rng.normal(size=len(row)), -2, 2))
        angles = 2 * np.pi * (np.arange(_CORNERS) + 0.5) / _CORNERS
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        drawn = (centres[:, None] + radii[:, None, None] * circle[None]).reshape(-1, 2)
        return replace(
            line,
            points=drawn,
            contour_ends=np.arange(_CORNERS, len(drawn) + 1, _CORNERS, dtype=np.int64),
            point_units=np.repeat(grid.column_unit[column], _CORNERS),
        )


@dataclass(frozen=True, slots=True)
class _Grid:
    """The letters of a line side by side, each on columns of its own with a free one after it."""

    points: Points
    """(P, 2): the points of the line in fine pixels of the grid."""
    bottom: int
    """The lowest row, counted from the baseline."""
    rows: int
    column_x: npt.NDArray[np.float64]
    """(columns,): where a column stands, in em."""
    column_unit: npt.NDArray[np.int64]
    """(columns,): whose it is."""

    @property
    def columns(self) -> int:
        return len(self.column_x)


def _grid(line: TextLine, pitch: float, spacing: float) -> _Grid:
    points, units = line.points, line.point_units
    firsts = np.flatnonzero(np.diff(units, prepend=-1))
    lows = np.minimum.reduceat(points, firsts, axis=0)
    highs = np.maximum.reduceat(points, firsts, axis=0)
    widths = np.maximum(highs[:, 0] - lows[:, 0], 1e-6)
    # Dots reach the edges of a letter, so its columns stand where their number asks for.
    counts = np.maximum(np.rint(widths / spacing).astype(np.int64), 1)
    across = widths / counts
    starts = np.concatenate([[0], np.cumsum(counts + 1)])
    bottom, top = np.floor(lows[:, 1].min() / pitch + 1e-6), np.ceil(highs[:, 1].max() / pitch - 1e-6)
    letter = np.repeat(np.arange(len(firsts)), np.diff(firsts, append=len(units)))
    xs = starts[letter] + (points[:, 0] - lows[letter, 0]) / across[letter]
    fine = _FINE * np.stack([xs, points[:, 1] / pitch - bottom], axis=1)
    of_column = np.repeat(np.arange(len(firsts)), counts + 1)
    nth = np.arange(starts[-1]) - starts[of_column]
    column_x = lows[of_column, 0] + (nth + 0.5) * across[of_column]
    return _Grid(fine, int(bottom), max(1, int(top - bottom)), column_x, units[firsts][of_column])


def _sampled(inked: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which cells get a dot, of the ink in fine pixels."""
    rows, columns = (side // _FINE for side in inked.shape)

    def share(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        small = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32)

    ink = share(inked)
    there = ink >= _FULL
    there &= ~(_bumps(there) | _bumps(there[::-1])[::-1]) | (ink >= _SOLID)
    cells = np.repeat(np.repeat(there, _FINE, axis=0), _FINE, axis=1).astype(np.uint8)
    near = cv2.dilate(cells, np.ones((_FINE + 1, _FINE + 1), np.uint8)).astype(bool)
    # Hairlines fill no cell, and a stroke between two rows fills neither.
    there |= share(inked & ~near) >= _MISSED
    if not there.any():
        there.flat[int(share(inked).argmax())] = True
    return there


def _bumps(there: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Tell which dots stand on a stroke below them, one or two alone: the top of an O, which is no accent."""
    padded = np.pad(there, 1)
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    below = padded[:-2, :-2] & padded[:-2, 1:-1] & padded[:-2, 2:]
    return np.asarray(there & ~(left & right) & below & ~padded[2:, 1:-1])


def _beside(kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Tell which cells have two dots or more above, below, beside or at a corner."""
    around = np.ones((3, 3), np.float32)
    around[1, 1] = 0
    count = cv2.filter2D(kept.astype(np.float32), -1, around, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(count >= 2)


def draw_dots(config: DotsConfig, rng: np.random.Generator) -> Dots:
    """Draw the dots of a word, mostly none."""
    there, without_row = rng.random() < config.share, rng.random() >= config.lost_row
    rows, spacing, size = (uniform(rng, x) for x in (config.rows, config.spacing, config.size))
    unsteady, lost, row = (uniform(rng, x) for x in (config.unsteady, config.lost, (0.0, 1.0)))
    seed = int(rng.integers(2**31))
    return Dots(rows, spacing, size, unsteady, lost, -1.0 if without_row else row, seed) if there else Dots()
