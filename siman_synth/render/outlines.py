"""Outlines of glyphs as polylines, and filling them.

Curves are flattened once a glyph, finely enough for letters 200 px high. After that
any layout, however bent, is a function of points: nothing is resampled, and boxes
are exact.
"""

import ctypes
import threading
from dataclasses import dataclass
from typing import Any

import freetype
import freetype.raw as raw
import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
"""(N, 2): x, and y upwards."""
Ends = npt.NDArray[np.int64]
"""(C,): where each contour ends in its points, exclusive."""

_TOLERANCE_EM = 1 / 1600
_MOST_LINES = 16
_MOST_POINTS = 32_000
"""FreeType counts the points of one outline in 16 bits."""

_VECTOR = np.dtype(ctypes.c_long)
_VECTORS, _BYTES, _SHORTS = map(ctypes.POINTER, (raw.FT_Vector, ctypes.c_ubyte, ctypes.c_short))
_GRAY = 2
_GRAYS = 256
_RASTER_OVERFLOW = 0x62
_CONIC, _ON_CURVE, _CUBIC = 0, 1, 2

# FreeType's rasteriser works in memory that belongs to the library handle.
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class GlyphShape:
    """A glyph as closed polylines: points (N, 2) in em, y upwards; contour_ends (C,), exclusive."""

    points: npt.NDArray[np.float32]
    contour_ends: Ends

    @property
    def signed_area(self) -> float:
        """The area enclosed in square em, counted negative where a contour runs the other way."""
        return _signed_area(self.points, _neighbours(self.contour_ends)[1]) if len(self.points) else 0.0

    def same_as(self, other: "GlyphShape") -> bool:
        """Tell whether both draw the same, wherever they stand."""
        return (
            self.points.shape == other.points.shape
            and np.array_equal(self.contour_ends, other.contour_ends)
            and bool(np.allclose(self.points - self.points[:1], other.points - other.points[:1], atol=1e-4))
        )


def flatten(outline: Any, units_per_em: int) -> GlyphShape:
    """Return the shape of a freetype-py outline that was loaded in font units.

    In such an outline a curve is an on-curve point, one (conic) or two (cubic) control points
    and an on-curve point; between two conic control points an on-curve point is implied.
    """
    contours = outline.contours
    if not contours:
        return GlyphShape(np.zeros((0, 2), np.float32), np.zeros(0, np.int64))
    points = np.array(outline.points, np.float64) / units_per_em
    ends = np.array(contours, np.int64) + 1
    kinds = np.array(outline.tags, np.uint8) & 3
    before, after = _neighbours(ends)
    conic, cubic = kinds == _CONIC, kinds == _CUBIC
    opens = cubic & ~cubic[before]  # the first of a pair of cubic control points
    halfway = (points + points[after]) / 2
    start = np.where(conic[before][:, None], halfway[before], points[before])
    end = np.where((conic & conic[after])[:, None], halfway, points[after])
    bend = np.hypot(*(start - 2 * points + end).T)
    # A cubic bends up to three times as much as a conic with the same second differences.
    last = points[after[after]]
    cubic_bend = 3 * np.maximum(bend, np.hypot(*(points - 2 * points[after] + last).T))
    bend = np.where(opens, cubic_bend, bend)
    lines = np.clip(np.ceil(np.sqrt(bend / (4 * _TOLERANCE_EM))), 1, _MOST_LINES).astype(np.int64)
    # An on-curve point gives itself, a curve its inner points and the implied point at its end.
    made = np.ones(len(points), np.int64)
    made[conic] = (lines - 1 + conic[after])[conic]
    made[cubic] = np.where(opens, lines - 1, 0)[cubic]
    owner = np.repeat(np.arange(len(points)), made)
    firsts = np.cumsum(made) - made
    t = ((np.arange(len(owner)) - firsts[owner] + 1) / lines[owner])[:, None]
    u = 1 - t
    p0, p1, p2 = start[owner], points[owner], end[owner]
    flat = np.where(conic[owner][:, None], u * u * p0 + 2 * u * t * p1 + t * t * p2, p1)
    if opens.any():
        p3 = last[owner]
        bent = u**3 * p0 + 3 * u * u * t * p1 + 3 * u * t * t * points[after][owner] + t**3 * p3
        flat = np.where(opens[owner][:, None], bent, flat)
    return GlyphShape(flat.astype(np.float32), np.cumsum(made)[ends - 1])


def subdivided(shape: GlyphShape, longest: float) -> GlyphShape:
    """Return the same outline without edges longer than `longest`, in em, so that it can be bent."""
    if not len(shape.points):
        return shape
    after = _neighbours(shape.contour_ends)[1]
    edges = shape.points[after] - shape.points
    parts = np.maximum(np.ceil(np.hypot(*edges.T) / longest), 1).astype(np.int64)
    owner = np.repeat(np.arange(len(parts)), parts)
    firsts = np.cumsum(parts) - parts
    along = (np.arange(len(owner)) - firsts[owner]) / parts[owner]
    points = shape.points[owner] + edges[owner] * along[:, None].astype(np.float32)
    return GlyphShape(points, np.cumsum(parts)[shape.contour_ends - 1])


def _neighbours(ends: Ends) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the number of the point before, and after, each point on its closed contour."""
    numbers = np.arange(ends[-1])
    before, after = numbers - 1, numbers + 1
    starts = np.concatenate([[0], ends[:-1]])
    before[starts], after[ends - 1] = ends - 1, starts
    return before, after


def _signed_area(points: npt.NDArray[Any], after: npt.NDArray[np.int64]) -> float:
    x, y = points.T
    return float((x * y[after] - x[after] * y).sum()) / 2


def stroke_width(points: Points, contour_ends: Ends) -> float:
    """Return about how wide the strokes of closed polylines are: area over half the length of their edges."""
    if not len(points):
        return 0.0
    after = _neighbours(contour_ends)[1]
    edges = float(np.hypot(*(points[after] - points).T).sum())
    return 2 * abs(_signed_area(points, after)) / max(edges, 1e-9)


def grown(points: Points, contour_ends: Ends, by: float) -> Points:
    """Return closed polylines with every edge moved outwards by `by`, or inwards if negative."""
    if not len(points):
        return points
    before, after = _neighbours(contour_ends)
    edges = points[after] - points
    edges /= np.maximum(np.hypot(*edges.T), 1e-9)[:, None]
    arriving = edges[before]
    # Outer contours enclose more than holes do, so their direction is that of the whole.
    outwards = 1.0 if _signed_area(points, after) >= 0 else -1.0
    both = arriving + edges
    normals = outwards * np.stack([both[:, 1], -both[:, 0]], axis=1)
    # Where edges meet, their moved lines do too; sharp corners are cut off.
    mitre = np.maximum(1 + (arriving * edges).sum(1), 0.5)[:, None]
    return np.asarray(points + by * normals / mitre)


def fill(points: Points, contour_ends: Ends, height: int, width: int) -> npt.NDArray[np.uint8]:
    """Return the anti-aliased ink (height, width), 255 inside, of closed polylines.

    `points` (N, 2) are in pixels, x from the left edge and y upwards from the bottom edge;
    what lies outside is cut off.
    """
    mask = np.zeros((height, width), np.uint8)
    if len(points) <= _MOST_POINTS:
        _fill_into(mask, points, contour_ends)
        return mask
    first, start = 0, 0
    while first < len(contour_ends):
        last = int(np.searchsorted(contour_ends, start + _MOST_POINTS, side="right"))
        last = max(last, first + 1)
        end = int(contour_ends[last - 1])
        part = np.zeros_like(mask)
        if end - start <= _MOST_POINTS:
            _fill_into(part, points[start:end], contour_ends[first:last] - start)
        np.maximum(mask, part, out=mask)
        first, start = last, end
    return mask


def _fill_into(mask: npt.NDArray[np.uint8], points: Points, contour_ends: Ends) -> None:
    """Fill `mask`, blank so far; by halves where a line has more edges than FreeType's memory holds."""
    if not len(points) or not mask.size:
        return
    error = _try_to_fill(mask, points, contour_ends)
    if not error:
        return
    half = mask.shape[1] // 2
    if error != _RASTER_OVERFLOW or not half:
        raise freetype.FT_Exception(error)
    mask[:] = 0
    for part, left in ((mask[:, :half], 0), (mask[:, half:], half)):
        # A contour that lies beside a part leaves no ink in it.
        lows, highs = (
            extreme.reduceat(points[:, 0], np.concatenate([[0], contour_ends[:-1]]))
            for extreme in (np.minimum, np.maximum)
        )
        here = (highs >= left - 1) & (lows <= left + part.shape[1] + 1)
        sizes = np.diff(contour_ends, prepend=0)
        _fill_into(part, points[np.repeat(here, sizes)] - [left, 0], np.cumsum(sizes[here]))


def _try_to_fill(mask: npt.NDArray[np.uint8], points: Points, contour_ends: Ends) -> int:
    """Fill `mask` and return FreeType's error, 0 for none."""
    height, width = mask.shape
    # Points far outside would overflow FreeType's cells; beyond the edge, where does not matter.
    limit = np.array([64.0 * (4 * width + 256), 64.0 * (4 * height + 256)])
    scaled = np.multiply(points, 64.0, order="C")
    np.rint(scaled, out=scaled)
    np.maximum(scaled, -limit, out=scaled)
    np.minimum(scaled, limit, out=scaled)
    vectors = scaled.astype(_VECTOR)
    tags = np.full(len(points), _ON_CURVE, np.uint8)
    last_points = np.ascontiguousarray(contour_ends - 1, dtype=np.int16)
    outline = raw.FT_Outline()
    outline.n_contours = len(last_points)
    outline.n_points = len(points)
    outline.points = ctypes.cast(vectors.ctypes.data, _VECTORS)
    outline.tags = ctypes.cast(tags.ctypes.data, _BYTES)
    outline.contours = ctypes.cast(last_points.ctypes.data, _SHORTS)
    bitmap = raw.FT_Bitmap()
    bitmap.rows, bitmap.width, bitmap.pitch = height, width, mask.strides[0]
    bitmap.buffer = ctypes.cast(mask.ctypes.data, _BYTES)
    bitmap.num_grays, bitmap.pixel_mode = _GRAYS, _GRAY
    with _lock:
        return int(
            raw.FT_Outline_Get_Bitmap(freetype.get_handle(), ctypes.byref(outline), ctypes.byref(bitmap))
        )
