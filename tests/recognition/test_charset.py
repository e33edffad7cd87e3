"""Labels as classes, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.recognition.charset import ALPHANUMERIC, PRINTABLE, Charset


@pytest.mark.parametrize(
    ("label", "lower", "printable"),
    [
        ("Café", "cafe", "Cafe"),
        ("Cafe\u0301", "cafe", "Cafe"),
        ("No. 42!", "no42", "No.42!"),
        ("ÖL", "ol", "OL"),
        ("ﬁne²", "fine2", "fine2"),
        ("Straße", "strae", "Strae"),
        ("日本", "", ""),
        ("", "", ""),
    ],
)
def test_cleaning_keeps_what_the_characters_can_say(label: str, lower: str, printable: str) -> None:
    assert Charset().clean(label) == lower
    assert Charset(PRINTABLE).clean(label) == printable


def test_characters_of_its_own_are_kept_as_they_are() -> None:
    assert Charset("aéß").clean("Éaßà") == "éaßa"


@given(st.text(PRINTABLE))
def test_encoding_and_decoding_gives_the_label_back(label: str) -> None:
    charset = Charset(PRINTABLE)
    assert charset.decode(charset.encode(label)) == label


def test_classes_count_the_blank() -> None:
    charset = Charset()
    assert (len(ALPHANUMERIC), len(PRINTABLE), charset.classes) == (36, 94, 37)
    assert charset.encode("0aZ") == [1, 11, 36]


@pytest.mark.parametrize("characters", ["", "aba"])
def test_a_charset_holds_each_character_once(characters: str) -> None:
    with pytest.raises(ValueError, match="needs characters, each once"):
        Charset(characters)
