"""Where each character of a word is."""

import math
from dataclasses import dataclass

import numpy as np

from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine
from siman_synth.text.visible import needs_ink


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels, x to the right and y downwards; x1 and y1 are its far edges."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def pixels(self) -> tuple[slice, slice]:
        """All pixels that it touches, as an index into an image (H, W)."""
        return slice(int(self.y0), math.ceil(self.y1)), slice(int(self.x0), math.ceil(self.x1))

    def turned_right(self, height_px: int) -> "Box":
        """Return the same rectangle in a picture of this height that was turned to the right."""
        return Box(height_px - self.y1, self.x0, height_px - self.y0, self.x1)

    def to_json(self) -> list[float]:
        """Return [x0, y0, x1, y1], to a tenth of a pixel."""
        return [round(value, 1) for value in (self.x0, self.y0, self.x1, self.y1)]


def boxes_of(line: TextLine, ink: Points, guides: Points, height: int, width: int) -> tuple[Box, ...]:
    """Return the box of each character; points are pixels, y upwards. A space has the box of its guides."""
    count = len(line.unit_starts)
    # Of each unit: left, bottom, right, top; from its ink, or from its guides if it has none.
    around = guides[: 4 * count].reshape(4, count, 2)
    edges = np.concatenate([around.min(0), around.max(0)], axis=1)
    firsts = np.flatnonzero(np.diff(line.point_units, prepend=-1))
    inked = line.point_units[firsts]
    edges[inked, :2] = np.minimum.reduceat(ink, firsts, axis=0)
    edges[inked, 2:] = np.maximum.reduceat(ink, firsts, axis=0)
    edges = np.clip(edges, 0, [width, height, width, height])[line.character_units]
    return tuple(Box(x0, height - y1, x1, height - y0) for x0, y0, x1, y1 in edges.tolist())


def grown(boxes: tuple[Box, ...], by: float, text: str, height: int, width: int) -> tuple[Box, ...]:
    """Return boxes around ink that ran; those of spaces stay."""
    return tuple(
        Box(max(box.x0 - by, 0), max(box.y0 - by, 0), min(box.x1 + by, width), min(box.y1 + by, height))
        if needs_ink(character)
        else box
        for character, box in zip(text, boxes, strict=True)
    )
