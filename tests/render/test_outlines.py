from pathlib import Path

import freetype
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen

from siman_synth.render import outlines
from siman_synth.render.face import Face
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.outlines import GlyphShape, fill

SQUARE = np.array([[2.0, 1.0], [2.0, 4.0], [6.0, 4.0], [6.0, 1.0]])


def test_fill_is_exact_on_whole_pixels() -> None:
    mask = fill(SQUARE, np.array([4]), 6, 8)
    expected = np.zeros((6, 8), np.uint8)
    expected[2:5, 2:6] = 255  # y points up
    assert np.array_equal(mask, expected)


def test_fill_covers_half_pixels_by_half_and_cuts_what_is_outside() -> None:
    assert fill(np.add(SQUARE, [0.5, 0]), np.array([4]), 6, 8)[3, 2] == pytest.approx(128, abs=1)
    assert fill(SQUARE * 1000, np.array([4]), 6, 8).max() == 0
    assert fill((SQUARE - [4, 2.5]) * 1000, np.array([4]), 6, 8).min() == 255


def test_many_points_are_filled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.concatenate([SQUARE, SQUARE + 1, SQUARE - 1])
    ends = np.array([4, 8, 12])
    whole = fill(points, ends, 8, 10)
    monkeypatch.setattr(outlines, "_MOST_POINTS", 5)
    assert np.array_equal(fill(points, ends, 8, 10), whole)


def test_conic_and_cubic_circles_have_the_area_of_a_circle(tmp_path: Path) -> None:
    builder = FontBuilder(1000, isTTF=False)
    builder.setupGlyphOrder([".notdef", "o"])
    builder.setupCharacterMap({ord("o"): "o"})
    pen, k = T2CharStringPen(500, None), 400 * 0.5523
    pen.moveTo((400, 0))
    pen.curveTo((400, k), (k, 400), (0, 400))
    pen.curveTo((-k, 400), (-400, k), (-400, 0))
    pen.curveTo((-400, -k), (-k, -400), (0, -400))
    pen.curveTo((k, -400), (400, -k), (400, 0))
    pen.closePath()
    strings = {".notdef": T2CharStringPen(500, None).getCharString(), "o": pen.getCharString()}
    builder.setupCFF("Made", {}, strings, {})
    builder.setupHorizontalMetrics({".notdef": (500, 0), "o": (500, 0)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Made", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(tmp_path / "circle.otf")
    face = Face(tmp_path / "circle.otf")
    shape = face.shape(face.glyph_id("o"))
    assert abs(shape.signed_area) == pytest.approx(np.pi * 0.16, rel=0.005)
    assert np.hypot(*shape.points.T) == pytest.approx(np.full(len(shape.points), 0.4), abs=0.001)


def test_flattened_glyphs_equal_freetype_s_own_picture(few: FontLibrary) -> None:
    for font in few.fonts:
        face = few.face(font)
        reference = freetype.Face(str(font.path))
        reference.set_pixel_sizes(0, 60)
        for character in "S&8@Q":
            flags = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING
            reference.load_glyph(face.glyph_id(character), flags)
            bitmap = reference.glyph.bitmap
            theirs = np.array(bitmap.buffer, np.uint8).reshape(bitmap.rows, bitmap.pitch)[:, : bitmap.width]
            shape = face.shape(face.glyph_id(character))
            below = bitmap.rows - reference.glyph.bitmap_top
            points = shape.points * 60.0 + [-reference.glyph.bitmap_left, below]
            ours = fill(points, shape.contour_ends, bitmap.rows, bitmap.width)
            assert np.abs(ours.astype(int) - theirs).mean() < 3, (font.id, character)


def test_same_shape_elsewhere() -> None:
    shape = GlyphShape(SQUARE.astype(np.float32), np.array([4]))
    assert shape.same_as(GlyphShape(SQUARE.astype(np.float32) + 5, np.array([4])))
    assert not shape.same_as(GlyphShape(SQUARE.astype(np.float32) * 2, np.array([4])))


def test_more_edges_than_memory_are_filled_by_halves() -> None:
    """Thousands of little squares on one row overflow FreeType's memory; none may be lost or shifted."""
    count = 4000
    left = np.arange(count) * 1.5 + 0.25
    points = np.stack([left[:, None] + [0, 0, 1, 1], np.tile([1.0, 3.0, 3.0, 1.0], (count, 1))], axis=2)
    ends = np.arange(1, count + 1) * 4
    mask = np.zeros((4, int(count * 1.5) + 1), np.uint8)
    assert outlines._try_to_fill(mask, points.reshape(-1, 2), ends) == outlines._RASTER_OVERFLOW
    whole = fill(points.reshape(-1, 2), ends, *mask.shape)
    parts = [
        fill(part.reshape(-1, 2), np.arange(1, len(part) + 1) * 4, *mask.shape)
        for part in np.split(points, 80)
    ]
    assert np.array_equal(whole, np.maximum.reduce(parts))
    assert (whole.max(axis=0) > 0).sum() > count
