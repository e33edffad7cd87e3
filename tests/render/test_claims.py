"""Fonts whose character map claims what their glyphs do not show."""

import string
from collections.abc import Callable
from pathlib import Path

import pytest

from siman_synth.errors import FontError
from siman_synth.render.claims import look_alike, relatives
from siman_synth.render.face import Face
from siman_synth.render.fonts import FontLibrary

MakeFont = Callable[..., Path]
RedrawFont = Callable[..., Path]

TRIANGLE = [(50, 0), (250, 700), (450, 0)]
WEDGE = [(50, 0), (50, 700), (450, 0)]
ROOF = [(50, 700), (450, 700), (250, 0)]
PLAIN = "open-sans/OpenSans_400Regular.ttf"

WRONG_GLYPHS = {
    "anton/Anton_400Regular": "Ƙ",
    "dancing-script/DancingScript_400Regular": "ẪẴ",
    "dancing-script/DancingScript_700Bold": "ẪẴ",
    "marck-script/MarckScript_400Regular": "ĺľ",
    "michroma/Michroma_400Regular": "¢ĦȀȁȄȅȈȌȍȐȑȔȕ€",
    "poiret-one/PoiretOne_400Regular": "ĀĒ",
    "shadows-into-light/ShadowsIntoLight_400Regular": "ß",
}
"""Looked at one by one: these bundled files really draw H for Ħ, one mark for two, and so on."""


@pytest.mark.parametrize(
    ("character", "name", "drawn"),
    [
        ("<", "exclamdown", False),  # TeX's text fonts
        ("a", "alpha", False),  # symbol fonts
        ("H", "Eta", True),  # looks the same
        ("A", "A.swash", True),
        ("É", "Eacute", True),
        ("É", "E", False),
        ("Δ", "increment", True),
        ("\u0391", "A", True),
        ("Ț", "Tcommaaccent", True),
        ("A", "glyph42", True),
        ("A", "f_i", True),
        ("B", "uni0042", True),
        ("B", "uni0043", False),
    ],
)
def test_names_of_glyphs_speak(
    tmp_path: Path, make_font: MakeFont, character: str, name: str, drawn: bool
) -> None:
    path = make_font(tmp_path / "f.ttf", {"x": WEDGE, character: TRIANGLE}, names={character: name})
    assert Face(path).draws(character) is drawn


@pytest.mark.parametrize(
    ("alike", "refused"),
    [
        ("EÉ", "É"),
        ("ÉÈ", "ÉÈ"),
        ("38", "38"),
        ("٣٨", "٣٨"),
        ("S5", "S"),
        ("NM", "NM"),
        ("Il1", ""),
        ("O0", ""),
        ("AΑА", ""),
        ("ŢȚ", ""),
        ("Łł", "ł"),
        ("LŁ", "Ł"),
    ],
)
def test_shared_outlines_speak(tmp_path: Path, make_font: MakeFont, alike: str, refused: str) -> None:
    glyphs = dict.fromkeys(alike, TRIANGLE) | {"?": WEDGE}
    for names in ({}, dict.fromkeys(alike, "shared")):  # two equal outlines, and one glyph for both
        face = Face(make_font(tmp_path / "f.ttf", glyphs, names=names))
        assert "".join(character for character in alike if not face.draws(character)) == refused


def test_a_redacted_font_draws_nothing(tmp_path: Path, make_font: MakeFont) -> None:
    glyphs = dict.fromkeys(string.ascii_letters + string.digits, TRIANGLE)
    with pytest.raises(FontError, match="1 no character drawn as itself"):
        FontLibrary.open([make_font(tmp_path / "bars.ttf", glyphs)])


def test_one_capital_drawn_as_a_small_letter(tmp_path: Path, redraw_font: RedrawFont) -> None:
    for scale in (1.0, 1.3):
        face = Face(redraw_font(tmp_path / "h.ttf", PLAIN, {"H": ("h", scale)}))
        assert "".join(c for c in string.ascii_letters if not face.draws(c)) == "H", scale
        assert face.draws("Ĥ") is False  # its mark does not mend it
        assert face.draws("É")
        assert face.draws("ê")


def test_capitals_drawn_as_small_letters(tmp_path: Path, redraw_font: RedrawFont) -> None:
    for scale in (1.0, 1.3):
        as_small = {capital: (capital.lower(), scale) for capital in string.ascii_uppercase}
        path = redraw_font(tmp_path / "small.ttf", PLAIN, as_small)
        face = Face(path)
        assert "".join(c for c in string.ascii_letters if face.draws(c)) == string.ascii_lowercase, scale
    assert FontLibrary.open([path]).explain("HARBOUR") == (
        "Font 'Open Sans' cannot draw 'H' (U+0048) in 'HARBOUR': it is drawn as a small letter. "
        "Use all bundled fonts or drop the word."
    )


def test_small_letters_drawn_as_small_capitals(tmp_path: Path, redraw_font: RedrawFont) -> None:
    small = {letter: (letter.upper(), 0.75) for letter in string.ascii_lowercase}
    face = Face(redraw_font(tmp_path / "caps.ttf", PLAIN, small))
    assert "".join(c for c in string.ascii_letters if face.draws(c)) == string.ascii_uppercase


def test_letters_in_another_order(tmp_path: Path, redraw_font: RedrawFont) -> None:
    """Two letters exchanged look like themselves to every witness but the names."""
    path = redraw_font(tmp_path / "coded.ttf", PLAIN, {"A": ("B", 1.0), "B": ("B", 1.0)})
    face = Face(path)
    assert not face.draws("A")
    assert not face.draws("B")


def test_signs_of_bundled_files_keep_their_bars(bundled: FontLibrary) -> None:
    """€ and ¢ are refused where the bar is missing, and nowhere else: all files, looked at one by one."""
    refused = {
        (font.id, character)
        for font in bundled.fonts
        for character in "€¢"
        if "its glyph is that of" in (bundled.face(font).problem(character) or "")
    }
    assert refused == {("michroma/Michroma_400Regular", "€"), ("michroma/Michroma_400Regular", "¢")}


@pytest.mark.parametrize("character", ["ß", "Ł", "£"])
def test_what_has_the_outline_of_a_letter_is_that_letter(
    tmp_path: Path, make_font: MakeFont, character: str
) -> None:
    path = make_font(tmp_path / "f.ttf", {"x": WEDGE, "B": TRIANGLE, character: TRIANGLE})
    assert not Face(path).draws(character)
    assert Face(path).draws("B")


def test_relatives_and_look_alikes() -> None:
    assert set(relatives("3")) == set("012456789")
    assert {"E", "È", "Ë", "Ẽ"} <= set(relatives("É"))
    assert "é" not in relatives("É")
    assert relatives("E") == ()
    assert look_alike("K", "К")
    assert look_alike("ţ", "ț")
    assert not look_alike("e", "é")
    assert not look_alike("a", "α")


@pytest.mark.slow
def test_every_bundled_file_keeps_its_characters(bundled: FontLibrary) -> None:
    """What speaks against a glyph must not speak against good ones: all characters of all files."""
    found: dict[str, str] = {}
    for font in bundled.fonts:
        face = bundled.face(font)
        for code in sorted(face.shaper.face.unicodes):
            problem = face.problem(chr(code)) or ""
            if problem.startswith("its glyph is that of") or "place" in problem or problem.endswith("letter"):
                found[font.id] = found.get(font.id, "") + chr(code)
    assert found == WRONG_GLYPHS


def test_the_wrong_glyphs_of_bundled_files_are_not_drawn(bundled: FontLibrary) -> None:
    for font_id, characters in WRONG_GLYPHS.items():
        face = bundled.face(bundled.font(font_id))
        assert not any(map(face.draws, characters))
        assert all(map(face.draws, string.ascii_letters + string.digits))
