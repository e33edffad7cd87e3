"""A word in perspective inside a quadrilateral that is level: the plane in which all its letters are as high.

Detectors return rectangles, and so do boxes; the far letters of a word seen from the side are smaller.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.editing.ink import Floats
from siman_synth.editing.lettering import Lettering, Matrix, Outline, fill_mapped, scaling
from siman_synth.editing.quad import Quad
from siman_synth.editing.target import Target

_EXPLAINED, _EXACT = 0.9, 0.98
"""Likeness from which a word needs no perspective, and from which one that was found is not mended."""
_INSETS = (0.0, 0.1, 0.2, 0.3, 0.4)
"""Of the height at the near end: how far above and below the letters of the far end are smaller."""
_GAIN = 0.03
_COARSE = 0.06
"""Of the frame's height: how far letters may be off at first."""
_STEPS, _FINE_STEPS = (0.08, 0.04), (0.04, 0.02, 0.01)
"""Of the ink's height: how far corners are moved to lie on it better."""
_ROUNDS = 3
_FAR_END = 0.9
"""Letters that are smaller by less are not in perspective."""
_MARGIN, _MOST_MARGIN = 0.15, 0.45
"""Of the word's height: what is kept around it, at least and where there is room."""
_MOST_ROOM = 8.0
"""Of the word's height: how far beside the word its plane is followed."""
_TRIES = 16

Corners = npt.NDArray[np.float64]
"""(4, 2): top left, top right, bottom right, bottom left."""


def plane_of(
    where: Quad,
    view: Quad,
    size: tuple[int, int],
    target: Target,
    lettering: Lettering,
    outline: Outline,
    others: Callable[[], Sequence[Outline]],
) -> Quad | None:
    """Return the quadrilateral of a word's plane; None where the word is level or none the better for one.

    Args:
        where: what may be painted on; the plane may reach beyond it, by less than the word is high.
        view: the quadrilateral that a level frame shows: `where`, or a plane that was found.
        size: width and height of that frame.
        target: the word's ink there.
        lettering: how the word, set level, lies on it.
        outline: the word as `lettering` draws it.
        others: draws it in a few other fonts, too: none of them may be much like it as long as it is level.
    """
    again = view is not where
    if target.likeness(outline, lettering.matrix) >= (_EXACT if again else _EXPLAINED):
        return None
    corners = _cornered(outline.box, lettering.matrix)
    if not again:
        coarse, outlines = _Coarse.of(target), [outline, *others()]
        flat = max(coarse.likeness(_box(target), one) for one in outlines)
        tried = itertools.product(_narrowing(target), outlines)
        found, corners, outline = max(
            ((coarse.likeness(one, other), one, other) for one, other in tried), key=lambda one: one[0]
        )
        if found < flat + _GAIN:
            return None
        corners = _climbed(corners, target, _STEPS, lambda one: coarse.likeness(one, outline))
    corners = _climbed(
        corners, target, _FINE_STEPS, lambda one: target.likeness(outline, _matrix(outline, one))
    )
    heights = np.linalg.norm(corners[3] - corners[0]), np.linalg.norm(corners[2] - corners[1])
    if not again and min(heights) > _FAR_END * max(heights):
        return None
    return _with_room(where, view, size, corners)


def _cornered(box: tuple[float, float, float, float], matrix: Matrix) -> Corners:
    left, bottom, right, top = box
    points = np.array([(left, top, 1), (right, top, 1), (right, bottom, 1), (left, bottom, 1)]) @ matrix.T
    return np.asarray(points[:, :2] / points[:, 2:])


@dataclass(frozen=True, slots=True)
class _Coarse:
    """Ink at half the size, so blurred that other fonts' letters, not quite in their places, are like it."""

    normal: Floats
    half: Matrix
    sigma_px: float

    @classmethod
    def of(cls, target: Target) -> "_Coarse":
        height, width = target.alpha.shape
        size = max(2, width // 2), max(2, height // 2)
        small = cv2.resize(target.alpha, size, interpolation=cv2.INTER_AREA)
        sigma_px = _COARSE * small.shape[0]
        soft = cv2.GaussianBlur(small, (0, 0), sigma_px)
        centred = soft - soft.mean()
        half = scaling(small.shape[1] / width, small.shape[0] / height)
        return cls(np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6)), half, sigma_px)

    def likeness(self, corners: Corners, outline: Outline) -> float:
        matrix = self.half @ _matrix(outline, corners)
        mask = fill_mapped(outline, matrix, *self.normal.shape).astype(np.float32)
        soft = cv2.GaussianBlur(mask, (0, 0), self.sigma_px)
        length = float(soft.std()) * float(np.sqrt(soft.size))
        return float(np.vdot(soft, self.normal)) / max(length, 1e-6)


def _box(target: Target) -> Corners:
    x0, y0, x1, y1 = target.box
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def _narrowing(target: Target) -> Iterator[Corners]:
    """Yield the box of the ink, narrower at one end."""
    x0, y0, x1, y1 = target.box
    for above in _INSETS:
        for below in _INSETS:
            top, bottom = y0 + above * (y1 - y0), y1 - below * (y1 - y0)
            if bottom - top > 0.2 * (y1 - y0):
                yield np.array([(x0, y0), (x1, top), (x1, bottom), (x0, y1)])
                yield np.array([(x0, top), (x1, y0), (x1, y1), (x0, bottom)])


def _matrix(outline: Outline, corners: Corners) -> Matrix:
    left, bottom, right, top = outline.box
    box = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(box, corners.astype(np.float32)), np.float64)


def _climbed(
    corners: Corners, target: Target, steps: Sequence[float], likeness: Callable[[Corners], float]
) -> Corners:
    """Move single corners as long as the word lies on the ink better."""
    best, height = likeness(corners), target.box[3] - target.box[1]
    for step in steps:
        for _ in range(_ROUNDS):
            before = best
            for number, move in itertools.product(range(4), ((0, -1), (0, 1), (-1, 0), (1, 0))):
                moved = corners.copy()
                moved[number] += step * height * np.array(move)
                if cv2.isContourConvex(moved.astype(np.float32)) and (found := likeness(moved)) > best:
                    corners, best = moved, found
            if best == before:
                break
    return corners


def _with_room(where: Quad, view: Quad, size: tuple[int, int], corners: Corners) -> Quad | None:
    """Return a word's corners in the picture, moved outwards in its plane as far as there is room."""
    back = np.linalg.inv(view.to_frame(*size))
    heights = (np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])) / 2
    widths = (np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])) / 2
    wide = float(widths / heights)
    flat = np.array([(0, 0), (wide, 0), (wide, 1), (0, 1)], np.float32)
    plane = back @ cv2.getPerspectiveTransform(flat, corners.astype(np.float32)).astype(np.float64)
    outline = where.points.astype(np.float32)

    def picture(points: list[tuple[float, float]]) -> Corners | None:
        mapped = np.array([(x, y, 1) for x, y in points]) @ plane.T
        # Beyond the horizon the sign turns.
        if (mapped[:, 2] * plane[2, 2] <= 0.2 * abs(plane[2, 2] * plane[2, 2])).any():
            return None
        return np.asarray(mapped[:, :2] / mapped[:, 2:])

    def reach(points: list[tuple[float, float]], way: tuple[float, float], most: float) -> float:
        for number in range(_TRIES, 0, -1):
            far = most * number / _TRIES
            at = picture([(x + far * way[0], y + far * way[1]) for x, y in points])
            if at is not None and all(
                cv2.pointPolygonTest(outline, (float(x), float(y)), measureDist=False) >= 0 for x, y in at
            ):
                return max(_MARGIN, far)
        return _MARGIN

    above = reach([(0, 0), (wide, 0)], (0, -1), _MOST_MARGIN)
    below = reach([(0, 1), (wide, 1)], (0, 1), _MOST_MARGIN)
    before, after = reach([(0, 0.5)], (-1, 0), _MOST_ROOM), reach([(wide, 0.5)], (1, 0), _MOST_ROOM)
    found = picture(
        [(-before, -above), (wide + after, -above), (wide + after, 1 + below), (-before, 1 + below)]
    )
    return None if found is None else Quad(tuple((float(x), float(y)) for x, y in found))
