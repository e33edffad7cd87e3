"""Words of scripts whose fonts are in the box, and which OCR may not know."""

import numpy as np
import pytest

from siman_synth.editing.editor import TextEditor
from siman_synth.editing.errors import EditError
from siman_synth.editing.sheet import sheet_row
from siman_synth.ocr.ppocr import PpOcr

# mypy: disable-error-code="no-untyped-def"

GEORGIAN = "noto-sans-georgian/NotoSansGeorgian-Bold.ttf"


@pytest.fixture(scope="module")
def any_script(tiny_weights) -> TextEditor:
    """An editor as it comes: no fonts named, the real OCR."""
    return TextEditor.load(tiny_weights, None, "cpu", PpOcr.load())


@pytest.fixture(scope="module")
def georgian(any_script, draw_photo, corners_around):
    photo, box = draw_photo("პური", GEORGIAN)
    return photo, corners_around(box, 12)


def test_the_fonts_of_a_script_need_no_naming(any_script, georgian):
    photo, corners = georgian
    result = any_script.edit(photo, corners, "წიგნი", old="პური")
    assert result.font.scripts == ("Geor",)
    assert result.likeness > 0.9
    assert result.word.any()


def test_an_ocr_without_such_letters_has_no_say(any_script, georgian):
    photo, corners = georgian
    result = any_script.edit(photo, corners, "თევზი")
    assert result.old is None
    assert result.reading is not None
    assert result.is_read is None
    assert sheet_row(photo, result).captions[1] == "თევზი"


def test_a_script_without_fonts_is_refused_and_latin_goes_on(any_script, draw_photo, corners_around):
    photo, box = draw_photo()
    with pytest.raises(EditError, match=r"can draw 'ශ' \(U\+0DC1\) in 'ශ'. Add a font that has it or drop"):
        any_script.edit(photo, corners_around(box, 12), "ශ", old="OPEN")
    assert any_script.edit(photo, corners_around(box, 12), "SHUT", old="OPEN").is_read


def test_the_language_chooses_among_fonts_for_chinese_characters(any_script, draw_photo, corners_around):
    photo, box = draw_photo("計", "noto-sans-jp/NotoSansJP-Regular.otf")
    corners = corners_around(box, 12)
    with pytest.raises(EditError, match="The bundled font 'Noto Sans JP' can: give the language ja, or drop"):
        any_script.edit(photo, corners, "会計", old="計")
    japanese = TextEditor(any_script._synthesizer, None, None, language="ja")
    wide = np.add(corners, [(-60, 0), (60, 0), (60, 0), (-60, 0)]).tolist()
    assert japanese.edit(photo, wide, "会計", old="計").font.scripts == ("Jpan",)


def test_a_language_must_be_a_code(any_script):
    with pytest.raises(EditError, match="language must be a code such as ja or zh-Hans, or auto, found '!'"):
        TextEditor(any_script._synthesizer, None, None, language="!")
