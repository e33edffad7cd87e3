"""Lines of many scripts, and of several at once, against Pillow's libraqm as the reference."""

from pathlib import Path

import pytest
from fontTools.merge import Merger
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.render.fonts import FontLibrary
from tests.render.reference import agreement, font_file

ALIKE = 0.9
"""Of the same ink. What differs is rounding: Pillow sets whole pixels."""

DEJAVU = {
    "Latin": "Harbour ÅÉ",
    "Greek": "Αθήνα",
    "Cyrillic": "Привет",
    "Armenian": "Երեւան",
    "Hebrew": "שלום עולם",
    "Arabic": "لأ الله السلام",
    "NKo": "ߒߞߏ",
    "Georgian": "თბილისი",
    "Lao": "ລາວ",
    "Tifinagh": "ⵜⴰⵎⴰ",
    "Syllabics": "ᐃᓄᒃ",
    "digits": "غرفة ٢٥",
    "year": "١٩٨٧",
    "Persian": "۱۲۳ تهران",
    "price": "السعر 45 ريال",
    "Latin inside": "عربي ABC عربي",
    "Arabic inside": "Room غرفة 12",
    "date": "10/11/2024 שלום",
    "brackets": "שלום (abc) 12",
    "marks": "السَّلَامُ",
    "joiner": "می\u200cخواهم",
}
NOTO = {
    "NotoSansDevanagari-Regular.ttf": ["शक्ति", "हिन्दी १२३", "क्\u200dष"],
    "NotoSansBengali-Regular.ttf": ["বাংলা", "ক্ষমা"],
    "NotoSansGurmukhi-Regular.ttf": ["ਪੰਜਾਬੀ"],
    "NotoSansGujarati-Regular.ttf": ["ગુજરાતી"],
    "NotoSansOriya-Regular.ttf": ["ଓଡ଼ିଆ"],
    "NotoSansTamil-Regular.ttf": ["தமிழ்", "கொடு"],
    "NotoSansTelugu-Regular.ttf": ["తెలుగు"],
    "NotoSansKannada-Regular.ttf": ["ಕನ್ನಡ"],
    "NotoSansMalayalam-Regular.ttf": ["മലയാളം"],
    "NotoSansSinhala-Regular.ttf": ["සිංහල", "ක්\u200dෂේ"],
    "NotoSansThai-Regular.ttf": ["ภาษาไทย", "น้ำ", "ผู้ใหญ่"],
    "NotoSansLao-Regular.ttf": ["ພາສາລາວ"],
    "NotoSansKhmer-Regular.ttf": ["ភាសាខ្មែរ"],
    "NotoSansMyanmar-Regular.ttf": ["မြန်မာ", "က္က"],
    "NotoSerifTibetan-Regular.ttf": ["བོད་ཡིག"],
    "NotoSansEthiopic-Regular.ttf": ["አማርኛ"],
    "NotoSansSyriac-Regular.ttf": ["ܣܘܪܝܝܐ"],
    "NotoSansThaana-Regular.ttf": ["ދިވެހި"],
    "NotoNastaliqUrdu-Regular.ttf": ["اردو", "پاکستان ۱۲"],
    "NotoNaskhArabic-Regular.ttf": ["محمد", "لإ ٣٫٥"],
    "NotoSansJavanese-Regular.ttf": ["ꦗꦮ"],
    "NotoSansMongolian-Regular.ttf": ["ᠮᠣᠩᠭᠣᠯ"],
}


@pytest.mark.parametrize("name", DEJAVU)
def test_as_libraqm_draws_it(name: str) -> None:
    path, text = font_file("DejaVuSans.ttf"), DEJAVU[name]
    assert FontLibrary.open([path]).covering(text)
    assert agreement(path, text) > ALIKE


@pytest.mark.parametrize(("file", "text"), [(file, text) for file, texts in NOTO.items() for text in texts])
def test_as_libraqm_draws_it_in_noto(file: str, text: str) -> None:
    path = font_file(file)
    assert FontLibrary.open([path]).covering(text)
    assert agreement(path, text) > ALIKE


@pytest.mark.parametrize("text", ["SBI शक्ति", "शक्ति-SBI", "No. १२ शक्ति (SBI)"])
def test_latin_beside_a_script_that_is_rebuilt(tmp_path: Path, text: str) -> None:
    """In a font of both: each run by the rules of its own script."""
    files = [font_file("NotoSans-Regular.ttf"), font_file("NotoSansDevanagari-Regular.ttf")]
    path = tmp_path / "both.ttf"
    Merger().merge([str(file) for file in files]).save(path)
    assert FontLibrary.open([path]).covering(text)
    assert agreement(path, text) > ALIKE


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            *(st.text(alphabet, min_size=1, max_size=4) for alphabet in ("abcXYZ", "אבגדש", "سلامبتج")),
            *(st.text(alphabet, min_size=1, max_size=3) for alphabet in ("0123456789", "٠١٢٣٤٥", "۱۲۳")),
            st.sampled_from([" ", ".", ",", "-", "/", ":", "(", ")", "%", "$", "!", " (", ") ", "+"]),
        ),
        min_size=1,
        max_size=7,
    ).map("".join)
)
def test_any_mixed_line_is_as_libraqm_draws_it(text: str) -> None:
    text = " ".join(text.split()) or "a"
    assert agreement(font_file("DejaVuSans.ttf"), text) > ALIKE


def test_the_reference_tells_right_from_wrong() -> None:
    """It notices what it is there for: digits from right to left, and a visible joint."""
    path = font_file("DejaVuSans.ttf")
    for right, wrong in (("غرفة ٢٥", "غرفة ٥٢"), ("لا", "ل\u200cا"), ("12 שלום", "21 שלום"), ("(ש", ")ש")):
        assert agreement(path, right) > ALIKE > agreement(path, right, wrong)
