"""Where the new word goes: on the old one's line, at its edge, as wide as it wants or as there is room."""

import dataclasses
from dataclasses import dataclass
from typing import Literal

import numpy as np

from siman_synth.editing.alignment import Side
from siman_synth.editing.errors import EditError
from siman_synth.editing.lettering import Lettering, Matrix, Outline

Width = Literal["natural", "keep"]

_NARROWEST, _WIDEST = 0.5, 2.0
"""Letters condensed or widened further are not those of the font."""
_LOWEST = 0.5
_MARGIN = 0.04
"""Of the frame's height, left free at its edges."""
_BESIDE = 0.14
"""Of the frame's height: so much of the free ground beside the old word stays free, so that what stands there
keeps its distance; less where letters would be condensed further than this:"""
_CONDENSED = 0.8


@dataclass(frozen=True, slots=True)
class Placement:
    """The new word in the frame."""

    lettering: Lettering
    outline: Outline
    condensed: float
    """Width of its letters, as a factor on that of the old word's."""
    shrunk: float
    """Height of its letters, as a factor on that of the old word's: below 1 where tails leave no room."""


def place(
    text: str,
    outline: Outline,
    old: Lettering,
    span: tuple[float, float],
    size: tuple[int, int],
    width: Width,
    room: tuple[float, float] | None = None,
    side: Side = "center",
) -> Placement:
    """Set a word on the old one's baseline, inside a frame (width, height).

    It begins where the old one does for a `side` of left, ends there for right, and has the same middle for
    center; where there is no room for that it is moved as far as it must be.

    `span` is from where to where, across the frame, the old word reaches, `room` from where to where the
    ground around it is free; None for the whole frame.

    Raises:
        EditError: it is too long for the room there is.
    """
    margin = _MARGIN * size[1]
    shrunk = _fitting_height(outline, old.matrix, size[1] - 2 * margin)
    matrix = old.matrix if shrunk == 1 else old.matrix @ np.diag([shrunk, shrunk, 1.0])
    left, right = span
    low, high = _range(outline, matrix, 0)
    whole = margin, size[0] - margin
    if width == "keep":
        limits, wanted = whole, right - left
    else:
        limits, wanted = _natural(high - low, span, room or (0.0, float(size[0])), size)
    condensed = wanted / (high - low)
    if not _NARROWEST <= condensed <= _WIDEST:
        limit, advice = f"below {_NARROWEST:.0%} they cannot be read", "larger quadrilateral"
        if condensed > 1:
            limit = f"above {_WIDEST:.0%} they are no letters of that font"
            advice = "smaller quadrilateral, natural width"
        raise EditError(
            f"'{text}' does not fit in the place of the old word: its letters would have {condensed:.0%} of "
            f"their natural width, and {limit}. Give a {advice} or another word."
        )
    matrix = matrix @ np.diag([condensed, 1.0, 1.0])
    low, high = _range(outline, matrix, 0)
    middle = {
        "left": left + (high - low) / 2,
        "center": (left + right) / 2,
        "right": right - (high - low) / 2,
    }[side]
    middle = min(max(middle, limits[0] + (high - low) / 2), limits[1] - (high - low) / 2)
    matrix = matrix @ _moved(middle - (low + high) / 2, matrix)
    top, bottom = _range(outline, matrix, 1)
    rise = max(0.0, bottom - (size[1] - margin)) - max(0.0, margin - top)
    matrix = np.array([[1, 0, 0], [0, 1, -rise], [0, 0, 1]]) @ matrix
    return Placement(dataclasses.replace(old, matrix=matrix), outline, condensed, shrunk)


def _natural(
    width: float, span: tuple[float, float], room: tuple[float, float], size: tuple[int, int]
) -> tuple[tuple[float, float], float]:
    """Return between what limits a word goes that would be so wide, and how wide it becomes there."""
    margin, beside = _MARGIN * size[1], _BESIDE * size[1]
    near = (
        room[0] + max(margin, min(span[0] - room[0], beside)),
        room[1] - max(margin, min(room[1] - span[1], beside)),
    )
    for (low, high), least in (
        (near, _CONDENSED),
        ((room[0] + margin, room[1] - margin), _NARROWEST),
        ((margin, size[0] - margin), 0.0),
    ):
        if high - low >= least * width:
            # Beyond what is free near by, no more is taken than is needed.
            most = width if least == _CONDENSED else _CONDENSED * width
            break
    return (low, high), min(most, high - low)


def _fitting_height(outline: Outline, matrix: Matrix, room: float) -> float:
    """Return how far letters must shrink so that their line fits in height."""
    top, bottom = _range(outline, matrix, 1)
    # What a sloping line adds along its length cannot be shrunk away.
    return max(_LOWEST, min(1.0, room / max(bottom - top, 1e-6)))


def _moved(across_px: float, matrix: Matrix) -> Matrix:
    """Return the move along the baseline, in em, that moves pixels so far across."""
    return np.array([[1, 0, across_px / matrix[0, 0]], [0, 1, 0], [0, 0, 1]])


def _range(outline: Outline, matrix: Matrix, axis: int) -> tuple[float, float]:
    values = outline.points @ matrix[axis, :2] + matrix[axis, 2]
    return float(values.min()), float(values.max())
