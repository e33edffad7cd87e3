"""Cutting four-cornered pieces out of a picture, upright and of their own size."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from siman_synth.ocr.detector import Quad
from siman_synth.ocr.recognizer import Image

_LONGEST_PX = 32_000
"""OpenCV takes no picture with a longer side: of one, only the part that is needed is shown to it."""
_MARGIN_PX = 4
_UPRIGHT = 1.5
"""A piece so many times as high as wide holds text that stands upright."""


def size_of(quad: Quad) -> tuple[float, float]:
    """Return the mean lengths of the horizontal and of the vertical edges."""
    top_left, top_right, bottom_right, bottom_left = quad
    width = (math.dist(top_left, top_right) + math.dist(bottom_left, bottom_right)) / 2
    height = (math.dist(top_left, bottom_left) + math.dist(top_right, bottom_right)) / 2
    return width, height


def quad_of_box(box: Sequence[float]) -> Quad:
    """Return the corners of an upright box: x, y, width, height."""
    x, y, width, height = box
    return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


def turns_of(quad: Quad) -> list[float]:
    """Return how the edges turn at each corner: all above 0 if they run clockwise without a dent."""
    steps = [(bx - ax, by - ay) for (ax, ay), (bx, by) in zip(quad, quad[1:] + quad[:1], strict=True)]
    return [ax * by - ay * bx for (ax, ay), (bx, by) in zip(steps, steps[1:] + steps[:1], strict=True)]


def cut(photo: Image, quad: Quad) -> Image:
    """Return what is in `quad` as a rectangle, uint8 (H, W, 3), in the size that it has in the photo."""
    width, height = (max(1, round(length)) for length in size_of(quad))
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    corners = np.array(quad, np.float32)
    if max(photo.shape[:2]) > _LONGEST_PX:
        low = np.maximum(np.floor(corners.min(axis=0)).astype(int) - _MARGIN_PX, 0)
        high = np.ceil(corners.max(axis=0)).astype(int) + _MARGIN_PX
        photo, corners = photo[low[1] : high[1], low[0] : high[0]], corners - low.astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    crop = cv2.warpPerspective(
        photo, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(crop, np.uint8)


def lies_down(quad: Quad) -> Quad:
    """Return a quad whose text runs along its upper edge: one that stands upright is read from above."""
    width, height = size_of(quad)
    if height < _UPRIGHT * width:
        return quad
    return quad[1], quad[2], quad[3], quad[0]


def turned_over(quad: Quad) -> Quad:
    """Return the quad with its text read the other way round."""
    return quad[2], quad[3], quad[0], quad[1]


def between(quad: Quad, left: float, right: float) -> Quad:
    """Return the part of a quad from share `left` to share `right` of its length."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = quad

    def on(first: tuple[float, float], last: tuple[float, float], share: float) -> tuple[float, float]:
        return first[0] + share * (last[0] - first[0]), first[1] + share * (last[1] - first[1])

    top, bottom = ((ax, ay), (bx, by)), ((dx, dy), (cx, cy))
    return on(*top, left), on(*top, right), on(*bottom, right), on(*bottom, left)
