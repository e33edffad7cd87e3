"""Which edge of the old word the new one keeps: told by what stands in the same line, above and below."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.bidi import runs_left
from siman_synth.editing.ink import Layers, Pixels, along
from siman_synth.editing.lettering import Matrix
from siman_synth.editing.quad import Image, Quad

Align = Literal["auto", "start", "center", "end"]
Side = Literal["left", "center", "right"]

_CAPITAL_EM = 0.7
"""Height of a capital: the unit of what follows."""
_REACH, _REACH_LINES = 2.0, 2.6
"""How far words beside, and lines above and below, are looked for."""
_SMALLEST, _LARGEST = 0.35, 1.9
"""Heights of pieces that may be letters, or words whose letters join."""
_GAP = 1.4
"""What stands further off is another column."""
_SHARED = 0.5
_FLUSH, _RAGGED = 0.2, 0.6
"""Lines are flush at an edge if they end there less than this apart, and not if more than that."""
_INKED = 0.4
"""So much nearer to the ink's colour than what is around it is ink."""
_GROUND_WINDOW = 1.5
_LEVEL, _STEP = 64.0, 64.0


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a word stands in a level frame."""

    span: tuple[float, float]
    """From where to where it reaches."""
    line: tuple[float, float]
    """Its baseline: y at the frame's left edge, and how far y falls for each pixel across."""
    capital_px: float

    @classmethod
    def of(cls, matrix: Matrix, span: tuple[float, float]) -> "Standing":
        """Tell it from the matrix of the word's letters, from em to the frame."""
        (x, y), slope = (matrix[0, 2], matrix[1, 2]), matrix[1, 0] / matrix[0, 0]
        return cls(span, (float(y - slope * x), float(slope)), float(_CAPITAL_EM * -matrix[1, 1]))


def side_of(align: Align, text: str, image: Image, quad: Quad, layers: Layers, standing: Standing) -> Side:
    """Return which edge of the old word the new one keeps.

    `start` is where a line of `text`'s script begins: left, or right for scripts that run to the left.
    `auto` is the start if other words stand in the line, close to the word; else the edge that the word
    shares with the line above or below, unless it shares both; else the middle.

    Args:
        align: what is wanted.
        text: what tells the script.
        image: uint8 (H, W, 3).
        quad: where the word is.
        layers: of the word in its level frame.
        standing: in that frame.
    """
    start: Side = "right" if runs_left(text) else "left"
    if align == "auto":
        pieces = _pieces(image, quad, layers, standing)
        if _is_beside(pieces, standing):
            return start
        return _flush_side(pieces, standing)
    if align == "center":
        return "center"
    return start if align == "start" else "left" if start == "right" else "right"


def _pieces(image: Image, quad: Quad, layers: Layers, standing: Standing) -> npt.NDArray[np.float64]:
    """Return left, top, right and bottom, (n, 4), of what may be letters in a word's frame and around it.

    They are in pixels of the frame; tops and bottoms are counted from the baseline, downwards.
    """
    unit = standing.capital_px
    height, width = layers.alpha.shape
    across, down = round(_REACH * unit), round(_REACH_LINES * unit)
    view, seen = _around(image, quad, (width, height), (across, down))
    weights = layers.alpha.astype(np.float64) + 1e-6
    ink, ground = (
        np.array([np.average(colours[..., channel], weights=weight) for channel in range(3)], np.float32)
        for colours, weight in ((layers.ink, weights), (layers.ground, 1.000001 - layers.alpha))
    )
    far = np.where(seen, along(view.astype(np.float32), ground, ink), 0.0)
    levels = np.clip(_LEVEL + _STEP * far, 0, 255).astype(np.uint8)
    window = 2 * max(1, round(_GROUND_WINDOW * unit / 2)) + 1
    usual = cv2.medianBlur(levels, window).astype(np.float32)
    inked = (levels > usual + _INKED * _STEP).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(inked, connectivity=8)
    boxes = stats[1:count, : cv2.CC_STAT_AREA].astype(np.float64)
    boxes[:, 2:] += boxes[:, :2]
    boxes = boxes[(boxes[:, 1] > 0) & (boxes[:, 3] < view.shape[0])]
    boxes -= (across, down, across, down)
    offset, slope = standing.line
    base = offset + slope * (boxes[:, 0] + boxes[:, 2]) / 2
    boxes[:, 1::2] -= base[:, None]
    tall = boxes[:, 3] - boxes[:, 1]
    return np.asarray(boxes[(tall >= _SMALLEST * unit) & (tall <= _LARGEST * unit)])


def _around(
    image: Image, quad: Quad, size: tuple[int, int], margin: tuple[int, int]
) -> tuple[Pixels, npt.NDArray[np.bool_]]:
    """Return a level frame with what is around it, uint8 (h, w, 3), and which of that the picture shows."""
    (width, height), (across, down) = size, margin
    xs, ys = np.meshgrid(
        np.arange(-across, width + across) + 0.5, np.arange(-down, height + down) + 0.5, indexing="xy"
    )
    back = np.linalg.inv(quad.to_frame(width, height))
    points = np.stack([xs, ys, np.ones_like(xs)], -1) @ back.T
    # Beyond the horizon of a quadrilateral in perspective there is nothing.
    before = points[..., 2] * np.sign(points[down + height // 2, across + width // 2, 2]) > 1e-6
    x, y = (points[..., axis] / np.where(before, points[..., 2], 1.0) for axis in (0, 1))
    rows, columns = image.shape[:2]
    seen = before & (x >= 0) & (y >= 0) & (x <= columns) & (y <= rows)
    to_x, to_y = (np.where(seen, one - 0.5, 0.0).astype(np.float32) for one in (x, y))
    view = cv2.remap(image, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(view), seen


def _is_beside(pieces: npt.NDArray[np.float64], standing: Standing) -> bool:
    """Whether letters stand in the word's line, beside it and close to it."""
    unit, (left, right) = standing.capital_px, standing.span
    shared = np.minimum(pieces[:, 3], 0) - np.maximum(pieces[:, 1], -unit)
    in_line = shared >= _SHARED * np.minimum(pieces[:, 3] - pieces[:, 1], unit)
    slack = _FLUSH / 2 * unit
    gaps = np.maximum(pieces[:, 0] - right, left - pieces[:, 2])
    return bool((in_line & (gaps >= -slack) & (gaps <= _GAP * unit)).any())


def _flush_side(pieces: npt.NDArray[np.float64], standing: Standing) -> Side:
    """Return the edge that a word shares with the line above or below; the middle if both or neither."""
    unit, (left, right) = standing.capital_px, standing.span
    sides: set[Side] = set()
    for others in (pieces[pieces[:, 3] < -unit], pieces[pieces[:, 1] > 0]):
        if len(others):
            off = abs(others[:, 0].min() - left) / unit, abs(others[:, 2].max() - right) / unit
            if min(off) <= _FLUSH and max(off) >= _RAGGED:
                sides.add("left" if off[0] < off[1] else "right")
    return sides.pop() if len(sides) == 1 else "center"
