"""Lines that no single font draws, faces of collections, and localized forms."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTCollection, TTFont

from siman_synth.errors import FontError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line
from siman_synth.render.word import ContentPlan, RenderConfig, WordRenderer, plan_content

MakeFont = Callable[..., Path]

NARROW = [(50, 0), (50, 700), (250, 700), (250, 0)]
WIDE = [(50, 0), (50, 600), (450, 600), (400, 0)]


@pytest.fixture(scope="module")
def georgian() -> FontLibrary:
    return FontLibrary.open(["Noto Sans Georgian", "Noto Sans Hebrew", "roboto", "lobster", "Alfa Slab One"])


def test_a_line_is_drawn_in_two_fonts_where_none_has_all(georgian: FontLibrary) -> None:
    text = "მარტი March 5"
    assert not georgian.covering(text)
    companions = set()
    for seed in range(8):
        rng = np.random.default_rng(seed)
        font, companion = georgian.choose_pair(text, rng)
        assert companion is not None
        assert font.family in ("Noto Sans Georgian", "Roboto", "Lobster", "Alfa Slab One")
        companions.add((font.family, companion.family))
        plan = plan_content(text, font, RenderConfig(), 48, 4, rng)
        plan = ContentPlan.from_json(plan.to_json() | {"companion": companion.id})
        assert plan.companion == companion.id
        image = WordRenderer(georgian).render(plan)
        assert len(image.boxes) == len(text)
    # Strokes as wide, and no script or slab beside a sans.
    assert {pair for pair in companions if pair[0] == "Noto Sans Georgian"} <= {
        ("Noto Sans Georgian", "Roboto")
    }


def test_one_font_stays_one(georgian: FontLibrary) -> None:
    font, companion = georgian.choose_pair("March 5", np.random.default_rng(0))
    assert companion is None
    assert font == georgian.choose("March 5", np.random.default_rng(0))


def test_what_two_fonts_cannot_draw_is_refused(georgian: FontLibrary) -> None:
    with pytest.raises(FontError, match=r"can draw '字' \(U\+5B57\) in 'ab 字'"):
        georgian.choose_pair("ab 字", np.random.default_rng(0))
    with pytest.raises(FontError, match=r"^No single font draws all of 'ბ ש b'"):
        FontLibrary.open(["Noto Sans Georgian", "Noto Sans Hebrew", "lobster"]).choose_pair(
            "ბ ש b", np.random.default_rng(0)
        )


def test_capitals_of_the_second_font_are_as_tall_and_runs_keep_their_order(georgian: FontLibrary) -> None:
    hebrew, roboto = (
        georgian.face(next(font for font in georgian.fonts if font.family == family))
        for family in ("Noto Sans Hebrew", "Roboto")
    )
    text = "שלום HE"
    line = shape_line(text, hebrew, "Noto Sans Hebrew", companion=roboto)
    tops = [line.points[line.point_units == unit, 1].max() for unit in line.character_units[-2:]]
    assert tops == pytest.approx([hebrew.tall] * 2, rel=0.02)
    centers = line.centers[line.character_units]
    assert list(np.argsort(centers)) == [5, 6, 4, 3, 2, 1, 0]
    alone = shape_line("HE", roboto, "Roboto")
    scale = hebrew.tall / roboto.tall
    mine = line.points[np.isin(line.point_units, line.character_units[-2:])]
    assert np.ptp(mine[:, 0]) == pytest.approx(scale * np.ptp(alone.points[:, 0]), rel=1e-6)


def test_a_face_of_a_collection(tmp_path: Path, make_font: MakeFont) -> None:
    """By number, or by the country that the words' language asks for."""
    collection = TTCollection()
    for country in ("JP", "KR", "SC"):
        path = make_font(tmp_path / f"{country}.ttf", {"A": NARROW, "字": WIDE}, family=f"Made CJK {country}")
        collection.fonts.append(TTFont(path))
    file = tmp_path / "made.ttc"
    collection.save(file)
    assert [font.family[-2:] for font in FontLibrary.open([file]).fonts] == ["JP", "KR", "SC"]
    assert [font.family[-2:] for font in FontLibrary.open([f"{file}#1"]).fonts] == ["KR"]
    library = FontLibrary.open([file], scripts=["Jpan", "Latn"])
    assert [font.family[-2:] for font in library.fonts] == ["JP"]
    assert library.skipped.counts == {"face of a collection for another country": 2}
    assert len(FontLibrary.open([file], scripts=["Hant"])) == 3  # it has none for that country
    with pytest.raises(FontError, match=r"made\.ttc has 3 faces, numbered from 0; there is no number 3\.$"):
        FontLibrary.open([f"{file}#3"])


def test_a_language_has_its_own_forms(tmp_path: Path, make_font: MakeFont) -> None:
    features = (
        "languagesystem DFLT dflt; languagesystem latn dflt; languagesystem latn TRK;"
        "feature locl { script latn; language TRK; sub u0041 by u0042; } locl;"
    )
    path = make_font(tmp_path / "locl.ttf", {"A": NARROW, "B": WIDE}, features=features)
    library = FontLibrary.open([path])
    face = library.face(library.fonts[0])
    plain, turkish, wide = (
        shape_line(*given) for given in (("A", face, "x"), ("A", face, "x"), ("B", face, "x"))
    )
    turkish = shape_line("A", face, "x", language="tr")
    assert np.array_equal(turkish.points, wide.points)
    assert not np.array_equal(plain.points, wide.points)
