import pickle
import string
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTCollection, TTFont

from siman_synth.errors import FontError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import RenderConfig

BOX = [(50, 0), (50, 700), (450, 700), (450, 0)]
TRIANGLE = [(50, 0), (250, 700), (450, 0)]
SLIVER = [(50, 0), (50, 700)]
BITMAP_FONT = """STARTFONT 2.1
FONT -made-dots-medium-r-normal--8-80-75-75-c-80-iso10646-1
SIZE 8 75 75
FONTBOUNDINGBOX 8 8 0 0
STARTPROPERTIES 2
FONT_ASCENT 8
FONT_DESCENT 0
ENDPROPERTIES
CHARS 1
STARTCHAR A
ENCODING 65
SWIDTH 1000 0
DWIDTH 8 0
BBX 8 8 0 0
BITMAP
FF
81
81
FF
81
81
81
81
ENDCHAR
ENDFONT
"""

SHAPE = [(50, 0), (50, 300), (450, 0)]

MakeFont = Callable[..., Path]


def test_bundled_fonts_open_by_name_and_draw_what_signs_hold(bundled: FontLibrary) -> None:
    assert len({font.family for font in bundled.fonts}) >= 30
    assert len({font.id for font in bundled.fonts}) == len(bundled)
    assert bundled.skipped.total == 0
    assert bundled.missing(string.printable) == ()
    by_name, by_slug = FontLibrary.open(["Open Sans"]), FontLibrary.open(["open-sans"])
    assert by_name.fonts == by_slug.fonts
    assert {font.family for font in by_name.fonts} == {"Open Sans"}
    assert by_name.fonts[0].id.startswith("open-sans/")


def test_fonts_of_capitals_never_draw_small_letters(few: FontLibrary) -> None:
    assert "Bebas Neue" in {font.family for font in few.covering("SEA 12")}
    assert "Bebas Neue" not in {font.family for font in few.covering("Sea")}


def test_words_in_capitals_get_no_script(few: FontLibrary) -> None:
    def families(text: str) -> set[str]:
        return {few.choose(text, np.random.default_rng(seed)).family for seed in range(80)}

    assert "Lobster" in families("Harbour")
    assert "Lobster" not in families("HARBOUR")
    assert {font.family for font in FontLibrary.open(["lobster"]).covering("HARBOUR")} == {"Lobster"}


def test_families_are_as_frequent_as_their_weights_among_those_that_can_draw() -> None:
    library = FontLibrary.open()
    weights = {"script": 0.25, "handwriting": 0.0}
    rng = np.random.default_rng(0)
    drawn = [library.choose("Größe", rng, lambda font: weights.get(font.kind, 1.0)) for _ in range(4000)]
    able = {font.family: font for font in library.covering("Größe")}
    shares = {family: weights.get(font.kind, 1.0) for family, font in able.items()}
    total = sum(shares.values())
    for family, share in shares.items():
        expected = 4000 * share / total
        found = sum(font.family == family for font in drawn)
        assert abs(found - expected) <= 5 * max(expected, 1) ** 0.5 * (share > 0), family
    assert {font.family for font in drawn} <= able.keys()
    # Where only kinds of weight 0 can draw the text, it is drawn all the same.
    kinds = dict.fromkeys({font.kind for font in library.fonts}, 0.0)
    assert len({library.choose("Ab", rng, lambda font: kinds[font.kind]).family for _ in range(50)}) > 10


def test_listed_but_blank_or_like_notdef_is_not_drawn(tmp_path: Path, make_font: MakeFont) -> None:
    glyphs = {"A": TRIANGLE, "B": [], "C": BOX, "D": SLIVER, " ": []}
    library = FontLibrary.open([make_font(tmp_path / "made.ttf", glyphs)])
    assert len(library.covering("A A")) == 1
    for undrawn in "BCDE":  # blank, like .notdef, without area, absent
        assert library.covering(f"A{undrawn}") == ()
    assert library.missing("ABCDE \t") == ("B", "C", "D", "E")


def test_a_small_letter_like_its_capital_is_not_drawn(tmp_path: Path, make_font: MakeFont) -> None:
    shifted = [(x + 30, y) for x, y in TRIANGLE]
    library = FontLibrary.open([make_font(tmp_path / "made.ttf", {"A": TRIANGLE, "a": shifted})])
    assert library.covering("A")
    assert not library.covering("a")


def test_joiners_and_the_like_need_no_ink_and_no_glyph(tmp_path: Path, make_font: MakeFont) -> None:
    glyphs = {"A": TRIANGLE, " ": [], "\u00ad": SHAPE, "\u200d": SHAPE}
    library = FontLibrary.open([make_font(tmp_path / "made.ttf", glyphs)])
    assert library.missing([*glyphs, "\u200c", "\ufe0f", "\U000e0100", "\u2069"]) == ()
    assert library.covering("A\u200dA\u200c\ufe0f")


def test_explains_what_is_missing(tmp_path: Path, make_font: MakeFont) -> None:
    one = make_font(tmp_path / "one.ttf", {"n": TRIANGLE, "a": [(0, 0), (9, 400), (400, 0)]}, family="One")
    two = make_font(tmp_path / "two.ttf", {"ï": TRIANGLE}, family="Two")
    assert FontLibrary.open([one]).explain("naïve") == (
        "Font 'One' cannot draw 'ï' (U+00EF) in 'naïve'. Use all bundled fonts or drop the word."
    )
    both = FontLibrary.open([one, two])
    assert both.explain("nab") == (
        "None of the 2 fonts can draw 'b' (U+0062) in 'nab'. Use all bundled fonts or drop the word."
    )
    assert both.explain("naï") == "No single font draws all of 'naï'. Use all bundled fonts or drop the word."
    assert both.explain("na") == "1 of 2 fonts draw 'na'."
    with pytest.raises(FontError, match=r"^None of the 2 fonts can draw 'b'"):
        both.choose("nab", np.random.default_rng(0))
    assert {both.choose(text, np.random.default_rng(0)).family for text in ("nan", "ï")} == {"One", "Two"}


def test_bundled_fonts_that_are_not_open_are_named() -> None:
    assert (
        FontLibrary.open(scripts=["Hans"])
        .explain("計")
        .endswith(
            " can draw '計' (U+8A08) in '計'. "
            "The bundled font 'Noto Sans JP' can: give the language ja, or drop the word."
        )
    )
    assert (
        FontLibrary.open()
        .explain("ბ")
        .endswith(" The bundled font 'Noto Sans Georgian' can: open the fonts of Geor, or drop the word.")
    )


def test_unusable_files_are_named_and_counted(tmp_path: Path, make_font: MakeFont) -> None:
    good = make_font(tmp_path / "good.ttf", {"A": TRIANGLE})
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    (tmp_path / "cut.ttf").write_bytes(good.read_bytes()[:300])
    (tmp_path / "empty.otf").write_bytes(b"")
    (tmp_path / "dots.otb").write_text(BITMAP_FONT)
    (tmp_path / "old.pfb").write_bytes(b"\x80\x01")
    (tmp_path / "readme.txt").write_text("not counted")
    make_font(tmp_path / "blank.ttf", {"A": []})
    library = FontLibrary.open([tmp_path])
    assert [font.id for font in library.fonts] == [f"{tmp_path.name}/good"]
    assert library.fonts[0].family == "Made"
    assert library.skipped.counts == {
        "broken file": 3,
        "bitmap-only": 1,
        "no glyph with ink": 1,
        "unsupported format": 1,
    }
    assert library.skipped.examples["broken file"] == ["broken.ttf", "cut.ttf", "empty.otf"]


def test_refuses_with_exact_text(tmp_path: Path) -> None:
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"not a font")
    with pytest.raises(FontError) as caught:
        FontLibrary.open([broken])
    assert str(caught.value) == (
        f"No usable font in {broken}: 1 broken file (broken.ttf). "
        "Give .ttf, .otf, .ttc, .woff or .woff2 files, or use 'all'."
    )
    folder = tmp_path / "nothing"
    folder.mkdir()
    with pytest.raises(FontError, match=r"No usable font in .*: no font file there\."):
        FontLibrary.open([folder])
    with pytest.raises(FontError) as caught:
        FontLibrary.open(["Opensan"])
    assert str(caught.value).startswith(
        "No font 'Opensan': it is neither a bundled family, a font file nor a folder. "
        "Did you mean 'Open Sans'"
    )
    with pytest.raises(FontError, match=r"^No fonts given\."):
        FontLibrary.open([])


def test_symbol_fonts_are_refused(tmp_path: Path, make_font: MakeFont) -> None:
    path = make_font(tmp_path / "symbols.ttf", {"\uf041": TRIANGLE})
    font = TTFont(path)
    for table in font["cmap"].tables:
        table.platformID, table.platEncID = 3, 0
    font["cmap"].tables = font["cmap"].tables[:1]
    font.save(path)
    with pytest.raises(FontError, match="no Unicode character map"):
        FontLibrary.open([path])


def test_collections_and_woff(tmp_path: Path, make_font: MakeFont) -> None:
    first = TTFont(make_font(tmp_path / "a.ttf", {"A": TRIANGLE}, family="First"))
    second = TTFont(make_font(tmp_path / "b.ttf", {"B": TRIANGLE}, family="Second"))
    collection = TTCollection()
    collection.fonts = [first, second]
    collection.save(tmp_path / "both.ttc")
    first.flavor = "woff"
    first.save(tmp_path / "packed.woff")
    library = FontLibrary.open([tmp_path / "both.ttc", tmp_path / "packed.woff"])
    assert [(font.id, font.family) for font in library.fonts] == [
        ("both#0", "First"),
        ("both#1", "Second"),
        ("packed", "First"),
    ]
    assert [font.id for font in library.covering("A")] == ["both#0", "packed"]
    assert [font.id for font in library.covering("B")] == ["both#1"]


def test_each_file_once_and_ids_unique(tmp_path: Path, make_font: MakeFont) -> None:
    for folder in ("x/same", "y/same"):
        (tmp_path / folder).mkdir(parents=True)
        make_font(tmp_path / folder / "f.ttf", {"A": TRIANGLE})
    specs = [tmp_path / "x/same", tmp_path / "y/same", tmp_path / "x/same/f.ttf"]
    assert [font.id for font in FontLibrary.open(specs).fonts] == ["same/f", "same/f~2"]


def test_pickles_as_its_list(few: FontLibrary) -> None:
    copy = pickle.loads(pickle.dumps(few))
    assert copy.fonts == few.fonts
    assert copy.fingerprint() == few.fingerprint()
    assert copy.covering("Harbour") == few.covering("Harbour")
    with pytest.raises(FontError, match=r"^No font 'nobody/Font' among the"):
        copy.font("nobody/Font")


def test_fingerprint_follows_the_files(tmp_path: Path, make_font: MakeFont) -> None:
    path = make_font(tmp_path / "f.ttf", {"A": TRIANGLE})
    before = FontLibrary.open([path]).fingerprint()
    make_font(path, {"A": TRIANGLE, "B": SHAPE})
    assert FontLibrary.open([path]).fingerprint() != before


def test_typical_widths_come_from_advances(tmp_path: Path, make_font: MakeFont) -> None:
    glyphs = {"A": TRIANGLE, "\u5b57": SHAPE, "\u0301": SHAPE}
    path = make_font(tmp_path / "f.ttf", glyphs, advances={"\u5b57": 1000, "\u0301": 300})
    library = FontLibrary.open([path])
    narrow, wide, mark, absent = map(library.typical_width, "A\u5b57\u0301B")
    assert wide == pytest.approx(2 * narrow)
    assert narrow > 0
    assert (mark, absent) == (0, 0)


def test_families_named_in_a_recipe_are_as_frequent_as_it_says() -> None:
    library = FontLibrary.open(["roboto", "oswald", "lobster", "open sans"])
    config = RenderConfig(families={"Oswald": 3.0, "Lobster": 10.0}, other_families=0.0)
    rng = np.random.default_rng(0)
    drawn = [library.choose("Sea", rng, config.font_weight).family for _ in range(2000)]
    assert set(drawn) == {"Oswald", "Lobster"}
    # Lobster is a script: its kind weighs a tenth.
    assert drawn.count("Oswald") / 2000 == pytest.approx(3 / 4, abs=0.05)


def test_threads_that_share_a_face_read_their_own_glyphs() -> None:
    """The studio writes and edits with the fonts of one model."""
    library = FontLibrary.open("roboto")
    face = library.face(library.fonts[0])
    glyphs = [face.glyph_id(character) for character in "IW"]
    alone = [face._read(glyph).points for glyph in glyphs]

    def read(number: int) -> bool:
        return all(np.array_equal(face._read(glyphs[number]).points, alone[number]) for _ in range(500))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as threads:
            assert all(threads.map(read, range(2)))
    finally:
        sys.setswitchinterval(interval)
