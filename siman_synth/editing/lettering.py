"""How a word stands in a picture: its font, where em go, how bold and how widely set it is."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from siman_synth.render.fonts import FontLibrary
from siman_synth.render.outlines import Ends, Points, fill, grown
from siman_synth.render.shaping import TextLine, shape_line

Matrix = npt.NDArray[np.float64]
"""(3, 3): from (x, y, 1) to (x, y, w), the far y downwards."""
Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Outline:
    """A word as closed polylines in em: x from where the pen starts, y upwards from the baseline."""

    points: Points
    contour_ends: Ends

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        across, up = self.points.T
        return float(across.min()), float(up.min()), float(across.max()), float(up.max())

    def heavier(self, weight_em: float) -> "Outline":
        """Return the same word, every edge moved outwards."""
        return Outline(grown(self.points, self.contour_ends, weight_em), self.contour_ends)


@dataclass(frozen=True, slots=True)
class Lettering:
    """The way a word is written; another word can be written the same way."""

    font: str
    """The font's id."""
    matrix: Matrix
    """From em, as `Outline` counts them, to pixels of a frame, y downwards."""
    weight_em: float = 0.0
    """How far every edge is moved outwards; negative makes letters lighter."""
    spacing_em: float = 0.0
    """What is added between letters."""

    def moved(self, matrix: Matrix) -> "Lettering":
        """Return the same lettering in another frame."""
        return dataclasses.replace(self, matrix=matrix @ self.matrix)

    def outline(self, text: str, fonts: FontLibrary) -> Outline:
        """Return the outline of a word.

        Raises:
            RenderError: the font cannot draw it.
        """
        font = fonts.font(self.font)
        return set_line(shape_line(text, fonts.face(font), font.family), self.weight_em, self.spacing_em)

    def mask(self, outline: Outline, height: int, width: int) -> Mask:
        """Fill an outline in a frame: uint8 (height, width), 255 inside."""
        return fill_mapped(outline, self.matrix, height, width)


def set_line(line: TextLine, weight_em: float, spacing_em: float) -> Outline:
    """Return a shaped line, its letters moved apart and made heavier."""
    points = line.points
    if spacing_em:
        ranks = np.argsort(np.argsort(line.unit_starts, kind="stable"), kind="stable")
        points = points + np.stack([spacing_em * ranks[line.point_units], np.zeros(len(points))], axis=1)
    if weight_em:
        points = grown(points, line.contour_ends, weight_em)
    return Outline(points, line.contour_ends)


def fill_mapped(outline: Outline, matrix: Matrix, height: int, width: int) -> Mask:
    """Fill an outline whose points go through `matrix` first."""
    upwards = np.array([[1, 0, 0], [0, -1, height], [0, 0, 1]]) @ matrix
    points = outline.points @ upwards[:2, :2].T + upwards[:2, 2]
    if (upwards[2] != (0, 0, 1)).any():
        points = points / (outline.points @ upwards[2, :2] + upwards[2, 2])[:, None]
    return fill(points, outline.contour_ends, height, width)


def box_matrix(
    outline_box: tuple[float, float, float, float], pixel_box: tuple[float, float, float, float]
) -> Matrix:
    """Return the matrix from a box in em (left, bottom, right, top) to one in pixels (x0, y0, x1, y1)."""
    left, bottom, right, top = outline_box
    x0, y0, x1, y1 = pixel_box
    across, down = (x1 - x0) / max(right - left, 1e-6), (y1 - y0) / max(top - bottom, 1e-6)
    return np.array([[across, 0, x0 - across * left], [0, -down, y1 + down * bottom], [0, 0, 1]])


def scaling(across: float, down: float) -> Matrix:
    """Return the matrix that scales a frame."""
    return np.diag([across, down, 1.0])
