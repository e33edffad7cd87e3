"""Where a word is in a picture: four corners, and the level frame that they are brought to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.editing.errors import EditError
from siman_synth.editing.lettering import Matrix, scaling
from siman_synth.ocr.cut import quad_of_box, turns_of

Image = npt.NDArray[np.uint8]

_LEAST_SIDE_PX = 8
_MOST_ASPECT = 40
_CORNERS = 4


@dataclass(frozen=True, slots=True)
class Quad:
    """Corners of a word in pixels, x to the right and y downwards, from the word's top left on clockwise.

    A corner is a point on the grid between pixels: (0, 0) is the picture's own corner.
    """

    corners: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, corners: Sequence[Sequence[float]] | npt.NDArray[np.float64], image: Image) -> Self:
        """Take four corners of a word in a picture, uint8 (H, W, 3).

        Raises:
            EditError: they are not four, lie outside, cross, turn left, or enclose too little.
        """
        try:
            points = np.asarray(corners, np.float64)
        except (TypeError, ValueError):
            points = np.empty(0)
        if points.shape != (_CORNERS, 2) or not np.isfinite(points).all():
            raise EditError(
                f"A quadrilateral needs four corners of two numbers each, found {_shown(corners)}."
            )
        height, width = image.shape[:2]
        if (points < 0).any() or (points > (width, height)).any():
            raise EditError(
                f"The quadrilateral {_shown(points)} leaves the picture, which is {width} x {height} px. "
                "Give corners inside it."
            )
        quad = cls(tuple((float(x), float(y)) for x, y in points))
        turns = turns_of(quad.corners)
        if max(turns) <= 0:
            raise EditError(
                f"The quadrilateral {_shown(points)} runs counterclockwise. Give its corners clockwise, "
                "from the word's top left."
            )
        if min(turns) <= 0:
            raise EditError(
                f"The quadrilateral {_shown(points)} crosses itself or has a dent. Give its corners "
                "clockwise, from the word's top left."
            )
        wide, high = quad.size
        if min(wide, high) < _LEAST_SIDE_PX:
            raise EditError(
                f"The quadrilateral {_shown(points)} is too small: {wide:.0f} x {high:.0f} px; at least "
                f"{_LEAST_SIDE_PX} x {_LEAST_SIDE_PX} are needed."
            )
        if wide > _MOST_ASPECT * high:
            raise EditError(
                f"The quadrilateral {_shown(points)} is too long: {wide / high:.0f} times as wide as high; "
                f"the most is {_MOST_ASPECT}."
            )
        return quad

    @classmethod
    def of_box(cls, box: Sequence[float], image: Image) -> Self:
        """Take an upright box: x, y, width, height.

        Raises:
            EditError: as `of`.
        """
        return cls.of(quad_of_box(box), image)

    @property
    def points(self) -> npt.NDArray[np.float64]:
        """(4, 2)."""
        return np.array(self.corners)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in pixels: the longer of the two sides that face each other."""
        sides = np.linalg.norm(np.roll(self.points, -1, axis=0) - self.points, axis=1)
        return float(max(sides[0], sides[2])), float(max(sides[1], sides[3]))

    def to_frame(self, width: int, height: int) -> Matrix:
        """Return the matrix from the picture to a level frame."""
        frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
        return np.asarray(cv2.getPerspectiveTransform(self.points.astype(np.float32), frame), np.float64)

    def rectified(self, image: Image) -> Image:
        """Return what it shows, level and as large as it is, uint8 (h, w, 3)."""
        width, height = (max(1, round(side)) for side in self.size)
        # OpenCV counts from the middle of the first pixel.
        matrix = _SHIFT_BACK @ self.to_frame(width, height) @ _SHIFT
        flags = cv2.INTER_CUBIC
        level = cv2.warpPerspective(
            image, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(level)

    def bounds(self, image: Image, margin_px: float = 0.0) -> tuple[int, int, int, int]:
        """Return the upright box around it, with a margin, inside the picture: x0, y0, x1, y1."""
        height, width = image.shape[:2]
        low = np.floor(self.points.min(0) - margin_px)
        high = np.ceil(self.points.max(0) + margin_px)
        return max(0, int(low[0])), max(0, int(low[1])), min(width, int(high[0])), min(height, int(high[1]))

    def inside(self, x0: int, y0: int, x1: int, y1: int) -> npt.NDArray[np.bool_]:
        """Return (y1 - y0, x1 - x0): which pixels of a box lie wholly inside."""
        xs, ys = np.meshgrid(np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5)
        within = np.ones(xs.shape, bool)
        for start, end in zip(self.points, np.roll(self.points, -1, axis=0), strict=True):
            along = end - start
            across = (xs - start[0]) * along[1] - (ys - start[1]) * along[0]
            # A pixel reaches half its sides further than its middle.
            within &= -across >= 0.5 * (abs(along[0]) + abs(along[1])) - 1e-6
        return within


_SHIFT = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
_SHIFT_BACK = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])


def frame_size(quad: Quad, height: int) -> tuple[int, int]:
    """Return width and height of a frame of that height and the quadrilateral's aspect."""
    wide, high = quad.size
    return max(height // 4, round(height * wide / high)), height


def between(from_size: tuple[int, int], to_size: tuple[int, int]) -> Matrix:
    """Return the matrix from one frame (width, height) to another."""
    return scaling(to_size[0] / from_size[0], to_size[1] / from_size[1])


def warped(
    values: npt.NDArray[np.float32], matrix: Matrix, width: int, height: int
) -> npt.NDArray[np.float32]:
    """Return a frame's float32 values where `matrix` takes them, beyond their edges as at their edges."""
    shifted = _SHIFT_BACK @ matrix @ _SHIFT
    result = cv2.warpPerspective(
        values, shifted, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(result, np.float32)


def _shown(corners: object) -> str:
    if isinstance(corners, np.ndarray) and corners.shape == (_CORNERS, 2):
        return " ".join(f"{_number(x)},{_number(y)}" for x, y in corners.tolist())
    text = str(corners)
    return text if len(text) <= 60 else text[:59] + "…"


def _number(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else str(value)
