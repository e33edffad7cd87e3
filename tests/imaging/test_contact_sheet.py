"""Captions in any script that a font has, and in several at once."""

from pathlib import Path

import numpy as np
import pytest

from siman_synth.imaging.contact_sheet import _caption, _has_all, _visual, contact_sheet
from siman_synth.text.catalogue import bundled_catalogue
from siman_synth.text.corpus import Corpus
from tests.render.reference import font_file

IMAGE = np.full((32, 80, 3), 200, np.uint8)


@pytest.mark.parametrize("name", sorted(bundled_catalogue().corpora))
def test_the_words_of_the_box_in_one_font(name: str) -> None:
    word = Corpus.open(name, 1000)[7]
    ((text, font),) = _caption(word, 14, ())
    assert text == word
    assert _has_all(font, word)


@pytest.mark.parametrize(
    "text",
    ["SBI शक्ति 東京 غرفة", "ไทย 한국어 ქართული", "Αθήνα Москва שלום", "தமிழ் বাংলা አማርኛ 中文: ink too faint"],
)
def test_scripts_beside_each_other(text: str) -> None:
    """Each part in a font that has all of it; nothing is lost, and words are not torn."""
    caption = _caption(text, 14, ())
    assert "".join(part for part, _ in caption) == text
    assert all(_has_all(font, part) for part, font in caption)
    assert len(caption) <= len(text.split())


def test_what_no_font_has_is_named_by_its_code_point() -> None:
    assert "".join(part for part, _ in _caption("a\U000104a0b", 14, ())) == "a\\u104a0b"


def test_a_font_that_is_given_helps() -> None:
    path = str(font_file("DejaVuSans.ttf"))
    text = "ⵜⴰⵎⴰ 東"
    assert "\\u2d5c" in _caption(text, 14, ())[0][0]
    caption = _caption(text, 14, (path,))
    assert "".join(part for part, _ in caption) == text
    sheets = [contact_sheet([IMAGE], [text], fonts=fonts) for fonts in ((), (Path(path),))]
    assert np.asarray(sheets[0]).tobytes() != np.asarray(sheets[1]).tobytes()


def test_long_captions_of_several_scripts_are_cut() -> None:
    sheet = contact_sheet([IMAGE], ["東京 غرفة " * 40], width_px=300)
    assert sheet.width == 300


@pytest.mark.parametrize(
    ("text", "left_to_right"),
    [
        ("פרק ١٢", ["١٢", "פרק "]),
        ("שלום 한국", ["한국", "שלום "]),
        ("한국 שלום غرفة", ["한국 ", "غرفة", "שלום "]),
        ("東京 한국", ["東京 ", "한국"]),
    ],
)
def test_parts_stand_in_the_order_in_which_they_are_read(text: str, left_to_right: list[str]) -> None:
    assert [part for part, _, _ in _visual(_caption(text, 14, ()))] == left_to_right
