"""A word between two fonts: as outlines where both draw its letters alike, else as two masks to mix."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from siman_synth.editing.lettering import Mask, Outline
from siman_synth.render.outlines import Points, fill
from siman_synth.render.shaping import TextLine

_POINTS = 96
"""Of a contour, once both fonts have equally many."""
_FARTHEST = 0.15
"""Mean distance of points that belong together, in sizes of the letter, up to which shapes are alike."""
_TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter's contours, in em, and the box around them."""

    contours: tuple[Points, ...]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]

    def in_box(self, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> "Letter":
        """Return the letter stretched into another box."""
        scale = (high - low) / np.maximum(self.high - self.low, _TIE)
        moved = tuple((contour - self.low) * scale + low for contour in self.contours)
        return Letter(moved, low, high)


def letters_of(line: TextLine) -> list[Letter]:
    """Return the letters of a shaped line that have ink, from left to right in the order of the text."""
    starts = np.concatenate([[0], line.contour_ends[:-1]])
    units: dict[int, list[Points]] = {}
    for start, end in zip(starts, line.contour_ends, strict=True):
        units.setdefault(int(line.point_units[start]), []).append(line.points[start:end])
    letters = []
    for unit in sorted(units):
        points = np.concatenate(units[unit])
        letters.append(Letter(tuple(units[unit]), points.min(0), points.max(0)))
    return letters


class Morph:
    """A word that passes from one font into another."""

    def __init__(self, one: TextLine, other: TextLine) -> None:
        self._one, self._other = letters_of(one), letters_of(other)
        if len(self._one) != len(self._other):
            raise ValueError("Both fonts must draw the same letters.")
        self._pairs = [_paired(a, b) for a, b in zip(self._one, self._other, strict=True)]

    @property
    def compatible(self) -> bool:
        """Whether every letter has contours that belong together, so that outlines can be mixed."""
        return all(pair is not None for pair in self._pairs)

    def outline(self, share: float) -> Outline:
        """Return the outline `share` of the way; only of compatible fonts."""
        contours: list[Points] = []
        for one, other, pair in zip(self._one, self._other, self._pairs, strict=True):
            assert pair is not None
            low, high = _box(one, other, share)
            size = high - low
            contours += [(low + ((1 - share) * a + share * b) * size) for a, b in pair]
        return _outline(contours)

    def ends(self, share: float) -> tuple[Outline, Outline]:
        """Return the word in each font, its letters in the boxes that they have `share` of the way."""
        sides = []
        for letters in (self._one, self._other):
            contours: list[Points] = []
            for letter, one, other in zip(letters, self._one, self._other, strict=True):
                contours += letter.in_box(*_box(one, other, share)).contours
            sides.append(_outline(contours))
        return sides[0], sides[1]


def framed(outlines: list[Outline], height: int, multiple: int, margin: float = 0.15) -> list[Mask]:
    """Fill outlines in frames of one size, so that all of them fit, with a margin in heights."""
    boxes = np.array([outline.box for outline in outlines])
    left, bottom, right, top = boxes[:, 0].min(), boxes[:, 1].min(), boxes[:, 2].max(), boxes[:, 3].max()
    scale = height * (1 - 2 * margin) / max(top - bottom, _TIE)
    room = (right - left) * scale + 2 * margin * height
    width = max(multiple, int(np.ceil(room / multiple)) * multiple)
    masks = []
    for outline, box in zip(outlines, boxes, strict=True):
        across = (width - (box[2] - box[0]) * scale) / 2 - box[0] * scale
        points = outline.points * scale + (across, margin * height - bottom * scale)
        masks.append(fill(points, outline.contour_ends, height, width))
    return masks


def _box(one: Letter, other: Letter, share: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    low = (1 - share) * one.low + share * other.low
    return low, (1 - share) * one.high + share * other.high


def _outline(contours: list[Points]) -> Outline:
    ends = np.cumsum([len(contour) for contour in contours])
    return Outline(np.concatenate(contours), ends.astype(np.int64))


def _paired(one: Letter, other: Letter) -> list[tuple[Points, Points]] | None:
    """Return contours that belong together, as equally many points in the unit box; None if they differ."""
    if len(one.contours) != len(other.contours):
        return None
    first = [_resampled(contour, one) for contour in one.contours]
    second = [_resampled(contour, other) for contour in other.contours]
    # Each contour goes with the one whose middle is nearest; a hole with a hole.
    left = list(range(len(second)))
    pairs = []
    for contour in first:
        alike = [i for i in left if (_area(second[i]) > 0) == (_area(contour) > 0)]
        if not alike:
            return None
        best = min(alike, key=lambda i: float(np.linalg.norm(second[i].mean(0) - contour.mean(0))))
        left.remove(best)
        turned, distance = _turned(contour, second[best])
        if distance > _FARTHEST:
            return None
        pairs.append((contour, turned))
    return pairs


def _resampled(contour: Points, letter: Letter) -> Points:
    """Return a contour as points at equal distances, in the letter's unit box."""
    closed = np.concatenate([contour, contour[:1]])
    unit = (closed - letter.low) / np.maximum(letter.high - letter.low, _TIE)
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(unit, axis=0), axis=1))])
    wanted = np.linspace(0, along[-1], _POINTS, endpoint=False)
    return np.stack([np.interp(wanted, along, unit[:, axis]) for axis in (0, 1)], axis=1)


def _area(points: Points) -> float:
    following = np.roll(points, -1, axis=0)
    return float((points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0]).sum()) / 2


def _turned(one: Points, other: Points) -> tuple[Points, float]:
    """Return the other contour begun where it fits best, and how far its points then are."""
    shifts = [np.roll(other, -shift, axis=0) for shift in range(_POINTS)]
    distances = [float(np.linalg.norm(shift - one, axis=1).mean()) for shift in shifts]
    best = int(np.argmin(distances))
    return shifts[best], distances[best]
