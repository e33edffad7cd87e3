"""Where nobody says what a word is, it is spelled by the fonts' own letters, well enough to find its font."""

from pathlib import Path

import numpy as np
import pytest

from siman_synth.editing.editor import TextEditor
from siman_synth.editing.lettering import box_matrix, fill_mapped, set_line
from siman_synth.editing.spelling import Spelled, Speller
from siman_synth.editing.thumbnails import Thumbnailer
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line

WORDS = ("Harbour", "STALE", "quays", "Room 12")


@pytest.fixture(scope="module")
def speller(editing_fonts: FontLibrary) -> Speller:
    return Speller(editing_fonts, Thumbnailer(editing_fonts))


def crop_of(
    fonts: FontLibrary, name: str, text: str, spacing_em: float = 0.0, light: bool = False
) -> np.ndarray:
    """Return a word as its font draws it, uint8 (48, W, 3)."""
    font = fonts.font(name)
    outline = set_line(shape_line(text, fonts.face(font), font.family), 0.0, spacing_em)
    left, bottom, right, top = outline.box
    width = round(36 * (right - left) / (top - bottom))
    mask = fill_mapped(outline, box_matrix(outline.box, (8, 6, 8 + width, 42)), 48, width + 16)
    share = mask[..., None] / 255
    ground, ink = ((40, 60, 50), (230, 220, 200)) if light else ((225, 215, 205), (60, 30, 80))
    return np.rint(share * ink + (1 - share) * ground).astype(np.uint8)


def spelled(speller: Speller, fonts: FontLibrary, crop: np.ndarray) -> Spelled:
    found = speller.spelled(crop, {font.id for font in fonts.fonts})
    assert found is not None
    return found


def test_words_are_spelled_and_their_font_comes_first(speller: Speller, editing_fonts: FontLibrary) -> None:
    by_family = list({font.family: font for font in editing_fonts.fonts}.values())
    read, found, tried = 0, 0, 0
    for font in by_family:
        for number, word in enumerate(WORDS):
            if font.family == "Lobster" and word.isupper():
                continue
            one = spelled(
                speller, editing_fonts, crop_of(editing_fonts, font.id, word, light=number % 2 == 1)
            )
            tried += 1
            read += one.text.casefold() == word.replace(" ", "").casefold()
            found += editing_fonts.font(one.ranking[0]).family == font.family
            assert sorted(one.ranking) == sorted(each.id for each in editing_fonts.fonts)
    assert found >= 0.9 * tried
    assert read >= 0.7 * tried


def test_letters_that_touch_are_cut_apart(speller: Speller, editing_fonts: FontLibrary) -> None:
    name = "roboto/Roboto_400Regular"
    crop = crop_of(editing_fonts, name, "CLOSE", -0.09)
    found = spelled(speller, editing_fonts, crop)
    assert found.text.casefold() == "close"
    assert editing_fonts.font(found.ranking[0]).family == "Roboto"


def test_letters_that_are_broken_are_joined(speller: Speller, editing_fonts: FontLibrary) -> None:
    crop = crop_of(editing_fonts, "roboto/Roboto_900Black", "HUM")
    # A crack from top to bottom through the crossbar of the H.
    columns = np.flatnonzero(crop[24, :, 0] < 100)
    crack = int(columns[0]) + 12
    crop[:, crack : crack + 2] = crop[0, 0]
    assert spelled(speller, editing_fonts, crop).text.casefold() == "hum"


def test_what_holds_no_letters_is_not_spelled(speller: Speller, editing_fonts: FontLibrary) -> None:
    everything = {font.id for font in editing_fonts.fonts}
    assert speller.spelled(np.full((48, 120, 3), 128, np.uint8), everything) is None
    crop = crop_of(editing_fonts, "roboto/Roboto_400Regular", "SALE")
    assert speller.spelled(crop, set()) is None
    only = speller.spelled(crop, {"lobster/Lobster_400Regular"})
    assert only is not None
    assert only.ranking == ["lobster/Lobster_400Regular"]


def test_an_editor_without_ocr_finds_the_font_of_an_unknown_word(
    editing_fonts: FontLibrary, tiny_weights: Path
) -> None:
    blind = TextEditor.load(tiny_weights, editing_fonts, "cpu", ocr=None)
    for name in ("roboto/Roboto_900Black", "courier-prime/CourierPrime_700Bold", "oswald/Oswald_400Regular"):
        crop = crop_of(editing_fonts, name, "Harbour")
        result = blind.edit(crop, None, "Harbour")
        assert result.font.family == editing_fonts.font(name).family
        assert result.likeness > 0.9
        assert result.old is None
        error = ((result.image.astype(float) - crop) ** 2).mean() / 255**2
        assert -10 * np.log10(error) > 24
        other = blind.edit(crop, None, "Harbour", font="lobster/Lobster_400Regular")
        assert other.font.id == "lobster/Lobster_400Regular"


def test_words_that_the_alphabet_does_not_spell_are_edited_nevertheless(tiny_weights: Path) -> None:
    every = FontLibrary.open(scripts=["Arab"])
    fonts = every.without([font for font in every.fonts if font not in every.covering("سلام")], "no Arabic")
    names = {font.id for font in fonts.fonts}
    blind = TextEditor.load(tiny_weights, fonts, "cpu", ocr=None)
    crop = crop_of(fonts, sorted(names)[0], "سلام")
    assert blind.edit(crop, None, "سلام").font.id in names
