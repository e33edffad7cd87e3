"""Runs, clusters and joins, on fonts of a few boxes."""

import itertools
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from siman_synth.errors import FontError
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing
from siman_synth.render.layouts.base import Layout
from siman_synth.render.layouts.combined import Combined
from siman_synth.render.layouts.curved import Curved
from siman_synth.render.layouts.letter_spaced import LetterSpaced
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.letters import Letters
from siman_synth.render.shaping import shape_line
from siman_synth.render.word import ContentImage, ContentPlan, WordRenderer

MakeFont = Callable[..., Path]
Contour = list[tuple[int, int]]

LOOSE = Framing(0.2, 0.2, 0.2, 0.2, "ink")


def bar(height: int, left: int = 50, right: int = 450, bottom: int = 0) -> Contour:
    return [(left, bottom), (left, bottom + height), (right, bottom + height), (right, bottom)]


def draw(path: Path, text: str, layout: Layout | None = None, letters: Letters | None = None) -> ContentImage:
    library = FontLibrary.open([path])
    plan = ContentPlan(
        text, library.fonts[0].id, layout or Straight(), LOOSE, 64, 4, letters=letters or Letters()
    )
    return WordRenderer(library).render(plan)


def heights(path: Path, text: str) -> list[int]:
    """Return the heights of the units of a line, in thousandths of an em, from left to right."""
    library = FontLibrary.open([path])
    line = shape_line(text, library.face(library.fonts[0]), "Made")
    tops = {
        unit: round(1000 * line.points[line.point_units == unit, 1].max()) for unit in set(line.point_units)
    }
    return [tops[unit] for unit in np.argsort(line.unit_starts, kind="stable") if unit in tops]


@pytest.fixture(scope="module")
def arabic(tmp_path_factory: pytest.TempPathFactory, make_font: MakeFont) -> Path:
    """Beh, lam and alef in their forms, a ligature of two, digits; every glyph has a height of its own."""
    letters = {"\u0628": bar(300), "\u0644": bar(400), "\u0627": bar(500)}
    digits = {chr(0x660 + value): bar(510 + 10 * value) for value in range(10)}
    latin = {"A": bar(610), "B": bar(620), "1": bar(630), "2": bar(640), "-": bar(650), " ": []}
    forms = {
        "beh.init": bar(310), "beh.medi": bar(320), "beh.fina": bar(330),
        "lam.init": bar(410), "lam.medi": bar(420), "lam.fina": bar(430),
        "alef.fina": bar(530), "lamalef": bar(900), "lamalef.fina": bar(930),
    }  # fmt: skip
    features = """
        languagesystem arab dflt;
        languagesystem latn dflt;
        feature init { sub u0628 by beh.init; sub u0644 by lam.init; } init;
        feature medi { sub u0628 by beh.medi; sub u0644 by lam.medi; } medi;
        feature fina { sub u0628 by beh.fina; sub u0644 by lam.fina; sub u0627 by alef.fina; } fina;
        feature liga { sub lam.init alef.fina by lamalef; sub lam.medi alef.fina by lamalef.fina; } liga;
    """
    folder = tmp_path_factory.mktemp("arabic")
    return make_font(
        folder / "a.ttf", letters | digits | latin, notdef=bar(50), others=forms, features=features
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ببب", [330, 320, 310]),
        ("ب", [300]),
        ("لا", [900]),  # an ordinary ligature of the font: lam and alef are never two letters
        ("بلا", [930, 310]),
        ("اب", [300, 500]),
        ("ب\u200cب", [300, 300]),
        ("ب\u200d", [310]),
        ("٢٥", [530, 560]),
        ("ب ٢٥", [530, 560, 300]),
        ("١٩٨٧", [520, 600, 590, 580]),
        ("ب 12", [630, 640, 300]),
        ("AB بب", [610, 620, 330, 310]),
        ("بب AB", [610, 620, 330, 310]),
        ("A ب B", [610, 300, 620]),
        ("1-2", [630, 650, 640]),
        ("٢-٥", [560, 650, 530]),  # N1: between Arabic digits a hyphen runs to the left
        ("A\u200e", [610]),
        ("\u200fAB", [610, 620]),
        ("\u202eAB", [620, 610]),
        ("\u2067AB\u2069 A", [610, 620, 610]),
    ],
)
def test_the_order_and_the_forms_on_the_line(arabic: Path, text: str, expected: list[int]) -> None:
    assert FontLibrary.open([arabic]).covering(text)
    assert heights(arabic, text) == expected


def test_boxes_are_in_the_order_of_the_text(arabic: Path) -> None:
    boxes = draw(arabic, "ب ٢٥").boxes
    assert boxes[2].x0 < boxes[3].x0 < boxes[0].x0
    lam, alef, beh = draw(arabic, "لاب").boxes
    assert lam == alef
    assert beh.x1 <= lam.x0
    beh, joiner, other = draw(arabic, "ب\u200cب").boxes
    assert other.x1 <= joiner.x0 <= joiner.x1 <= beh.x0
    first = draw(arabic, "\u200fAB").boxes
    assert len(first) == 3
    assert first[1].x0 < first[2].x0


@pytest.fixture(scope="module")
def headline(tmp_path_factory: pytest.TempPathFactory, make_font: MakeFont) -> Path:
    """Devanagari letters that hang from one line, and the same outlines as Latin letters."""

    def hung(stem: int) -> Contour:
        return [
            (0, 600),
            (0, 700),
            (500, 700),
            (500, 600),
            (stem + 80, 600),
            (stem + 80, 0),
            (stem, 0),
            (stem, 600),
        ]

    glyphs = {"\u0915": hung(100), "\u0916": hung(200), "\u0917": hung(300), " ": []}
    glyphs |= {"\u093e": bar(300, 0, 50), "\u25cc": bar(80), "\u0301": bar(60, bottom=750)}
    glyphs |= {"x": hung(110), "y": hung(210), "z": hung(310)}
    features = "languagesystem dev2 dflt; feature akhn { sub u0915 u0917 by u0917; } akhn;"
    folder = tmp_path_factory.mktemp("headline")
    return make_font(folder / "d.ttf", glyphs, notdef=bar(50), features=features)


LAYOUTS = [
    Curved(120.0, True),
    Curved(120.0, False),
    LetterSpaced(0.5),
    Combined(LetterSpaced(0.4), Curved(90.0, True)),
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.kind)
def test_letters_that_join_are_bent_and_never_pulled_apart(headline: Path, layout: Layout) -> None:
    def parts(text: str, letters: Letters | None = None) -> int:
        mask = draw(headline, text, layout, letters).mask
        return cv2.connectedComponents((mask > 64).astype(np.uint8))[0] - 1

    assert parts("कखगखकख") == 1
    assert parts("कखगखकख", Letters(unevenness=1.0, seed=3)) == 1
    assert parts("कखग खकख") == 2  # words still stand apart
    if not isinstance(layout, Curved):
        assert parts("xyzyxy") == 6


def test_an_arc_bends_the_line_of_letters_that_join(headline: Path) -> None:
    boxes = draw(headline, "कखगखकख", Curved(120.0, True)).boxes
    tops = [box.y0 for box in boxes]
    assert tops[0] > tops[1] > tops[2]
    assert tops[3] < tops[4] < tops[5]
    assert all(left.x0 < right.x0 for left, right in itertools.pairwise(boxes))


def test_spacing_goes_between_words_of_letters_that_join(headline: Path) -> None:
    def gap(layout: Layout) -> float:
        boxes = draw(headline, "कख गक", layout).boxes
        return (boxes[3].x0 - boxes[1].x1) / (boxes[1].x1 - boxes[0].x0)

    assert gap(LetterSpaced(0.5)) > gap(Straight()) + 0.5


@pytest.mark.parametrize("text", ["ाक", "क ाक", "\u0301x", "xा"])
def test_a_mark_without_its_letter_is_refused(headline: Path, text: str) -> None:
    with pytest.raises(RenderError) as caught:
        draw(headline, text)
    assert caught.value.reason == "mark without a letter"
    assert str(caught.value) == f"'{text}' holds a mark without a letter to stand on. Drop the word."


def test_marks_on_letters_and_a_circle_that_is_meant(headline: Path) -> None:
    for text in ("का", "x\u0301", "\u25ccा", "खा गा"):
        assert draw(headline, text).mask.any()


def test_scripts_take_their_tables(tmp_path: Path, make_font: MakeFont) -> None:
    glyphs = {"A": bar(700), "ب": bar(300), "ا": bar(500), "٢": bar(400), "क": bar(600), "ש": bar(650)}
    library = FontLibrary.open([make_font(tmp_path / "f.ttf", glyphs, notdef=bar(50))])
    for text in ("با", "क", "A ب"):
        assert not library.covering(text)
    for text in ("٢", "ש", "A"):
        assert library.covering(text)
    assert library.explain("با") == (
        "Font 'Made' cannot draw 'ب' (U+0628) in 'با': the font has no layout tables for its script. "
        "Use all bundled fonts or drop the word."
    )
    with pytest.raises(FontError):
        library.choose("با", np.random.default_rng(0))


def test_kerning_that_sets_letters_upon_each_other_is_refused(tmp_path: Path, make_font: MakeFont) -> None:
    for kern, refused in ((-100, False), (-480, True), (-5000, True)):
        features = f"languagesystem latn dflt; feature kern {{ pos u0041 u0042 {kern}; }} kern;"
        path = make_font(
            tmp_path / f"{-kern}.ttf", {"A": bar(700), "B": bar(600)}, notdef=bar(50), features=features
        )
        if not refused:
            assert draw(path, "AB").mask.any()
            continue
        with pytest.raises(RenderError) as caught:
            draw(path, "AB")
        assert str(caught.value) == "Font 'Made' sets the next letter upon 'A' (U+0041) in 'AB'."
        assert caught.value.reason == "letters upon each other"
