"""Labels as classes, and back."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.errors import ConfigError
from siman_synth.recognition.charset import ALPHANUMERIC, PRINTABLE, Charset, named_charset


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


@pytest.mark.parametrize(
    ("label", "drawn"),
    [
        ("\u05e9\u05dc\u05d5\u05dd", "\u05dd\u05d5\u05dc\u05e9"),  # Hebrew runs to the left
        (
            "\u063a\u0631\u0641\u0629 \u0662\u0665",
            "\u0662\u0665 \u0629\u0641\u0631\u063a",
        ),  # and its numbers do not
        ("SBI \u05e9\u05dc", "SBI \u05dc\u05e9"),
        ("Sale 42", "Sale 42"),
    ],
)
def test_classes_follow_each_other_as_drawn(label: str, drawn: str) -> None:
    charset = Charset("".join(sorted(set(label))))
    classes = charset.encode(label)
    assert "".join(charset.characters[number - 1] for number in classes) == drawn
    assert charset.decode(classes) == label


def test_a_charset_has_a_name_or_a_file(tmp_path: Path) -> None:
    assert (named_charset("alphanumeric"), named_charset("printable")) == (ALPHANUMERIC, PRINTABLE)
    file = tmp_path / "letters.txt"
    file.write_text("\ufeffba\nab e\u0301\t\n", encoding="utf-8")
    assert named_charset(str(file)) == " ab\u00e9"
    file.write_text(" \n\t")
    with pytest.raises(ConfigError, match="needs at least one character that can be seen"):
        named_charset(str(file))
    file.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="is not UTF-8: byte offset 0"):
        named_charset(str(file))
    with pytest.raises(
        ConfigError, match=r"no charset 'latin'\. Use alphanumeric, printable, or a text file"
    ):
        named_charset("latin")
