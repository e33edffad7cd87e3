"""Fonts whose metrics are wrong: repaired where that is sure, refused where it is not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from siman_synth.errors import FontError
from siman_synth.render.face import Face
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.word import ContentImage, ContentPlan, WordRenderer

MakeFont = Callable[..., Path]

STEM = [(50, 0), (50, 700), (450, 700), (450, 0)]
TRIANGLE = [(50, 0), (250, 700), (450, 0)]
OTHER = [(0, 0), (9, 300), (0, 300)]
LINE = Framing(0.0, 0.0, 0.0, 0.0, "line")


def draw(path: Path, text: str, framing: Framing = LINE) -> ContentImage:
    library = FontLibrary.open([path])
    plan = ContentPlan(text, library.covering(text)[0].id, Straight(), framing, 32, 4)
    return WordRenderer(library).render(plan)


@pytest.mark.parametrize("advance", [0, 40, 9000])
def test_a_space_divides_words(tmp_path: Path, make_font: MakeFont, advance: int) -> None:
    glyphs = {"N": STEM, "Y": TRIANGLE, " ": []}
    path = make_font(tmp_path / "f.ttf", glyphs, notdef=OTHER, advances={" ": advance})
    boxes = draw(path, "N Y").boxes
    height = boxes[0].y1 - boxes[0].y0  # 0.7 em
    assert 0.2 < (boxes[1].x1 - boxes[1].x0) * 0.7 / height < 0.4
    assert boxes[2].x0 - boxes[0].x1 > 0.25 * height


def test_the_line_is_that_of_the_letters_and_not_of_the_file(tmp_path: Path, make_font: MakeFont) -> None:
    heights = []
    for ascent in (800, 10_000):
        # No letter that the line is usually measured on.
        path = make_font(tmp_path / "f.ttf", {"N": TRIANGLE, "S": STEM}, notdef=OTHER, ascent=ascent)
        heights.append(np.count_nonzero(draw(path, "NS").mask.max(axis=1)))
    assert min(heights) > 20


@pytest.mark.parametrize(
    ("contour", "advance", "problem"),
    [
        (TRIANGLE, 0, "it takes no place on the line"),
        (TRIANGLE, 10, "it takes no place on the line"),
        ([(x - 2000, y) for x, y in TRIANGLE], 500, "it stands beside its place on the line"),
        (TRIANGLE, 200, None),
    ],
)
def test_letters_take_a_place_of_their_own(
    tmp_path: Path, make_font: MakeFont, contour: list[tuple[int, int]], advance: int, problem: str | None
) -> None:
    glyphs = {"A": STEM, "N": contour, "\u0301": contour}
    face = Face(make_font(tmp_path / "f.ttf", glyphs, notdef=OTHER, advances={"N": advance, "\u0301": 0}))
    assert face.problem("N") == problem
    assert face.draws("A")
    assert face.draws("\u0301")  # marks stand on other letters


def test_a_font_of_letters_without_place_is_unusable(tmp_path: Path, make_font: MakeFont) -> None:
    glyphs = {"A": STEM, "N": TRIANGLE}
    path = make_font(tmp_path / "f.ttf", glyphs, notdef=OTHER, advances={"A": 0, "N": 0})
    with pytest.raises(FontError, match=r"1 no character drawn as itself \(f\.ttf\)"):
        FontLibrary.open([path])


@pytest.mark.parametrize("units", [0, 1, 15, 16385, 65535])
def test_units_that_no_font_may_have(tmp_path: Path, make_font: MakeFont, units: int) -> None:
    path = make_font(tmp_path / "f.ttf", {"A": TRIANGLE}, notdef=OTHER)
    font = TTFont(path)
    font["head"].unitsPerEm = units
    font.save(path)
    with pytest.raises(FontError, match=r"(units an em that no font may have|broken file)"):
        FontLibrary.open([path])


@pytest.mark.parametrize("units", [16, 200, 16384])
def test_letters_must_be_about_an_em(tmp_path: Path, make_font: MakeFont, units: int) -> None:
    path = make_font(tmp_path / "f.ttf", {"A": TRIANGLE}, notdef=OTHER, units=units)
    with pytest.raises(FontError, match="letters of an odd size"):
        FontLibrary.open([path])


def test_an_empty_table_of_outlines(tmp_path: Path, make_font: MakeFont) -> None:
    path = make_font(tmp_path / "f.ttf", {"A": TRIANGLE})
    raw = bytearray(path.read_bytes())
    at = raw.find(b"glyf", 12)
    assert raw[at : at + 4] == b"glyf"
    raw[at + 12 : at + 16] = (0).to_bytes(4, "big")  # length
    path.write_bytes(raw)
    with pytest.raises(FontError, match=r"(no glyph with ink|broken file)"):
        FontLibrary.open([path])
