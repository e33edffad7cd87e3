"""Any string can be shown and stored, and what is harmless is left as it is."""

import json
import os
import tomllib
import unicodedata

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.errors import CropError, SimanError
from siman_synth.escaping import printable, printable_lines, shortened_repr, storable, storable_document
from siman_synth.tally import Tally

ANY = st.text(st.characters(exclude_categories=()), max_size=30) | st.binary(max_size=30).map(os.fsdecode)
JOINERS = "\u200c\u200d"


def is_seen(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp") and character not in (
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
    )


@given(ANY)
def test_what_is_printed_is_seen(text: str) -> None:
    assert all(is_seen(character) for character in printable(text))
    assert all(
        is_seen(character)
        for line in printable_lines(text).split("\n")
        for character in line.replace("\t", "")
    )
    assert printable(printable(text)) == printable(text)
    assert printable_lines(text).count("\n") == text.count("\n")


@given(st.text(st.characters(categories=("L", "N", "P", "M", "S"))))
def test_words_are_left_as_they_are(text: str) -> None:
    assert printable(text) == storable(text) == printable_lines(text) == text


@given(ANY)
def test_what_is_stored_can_be_read_back(text: str) -> None:
    assert storable(text).encode("utf-8").decode() == storable(text)
    values = {"key": text, text: "value"}
    stored = {storable(key): storable(value) for key, value in values.items()}
    document = storable_document(json.dumps(values, ensure_ascii=False))
    assert json.loads(document.encode("utf-8")) == stored
    document = storable_document(tomli_w.dumps(values))
    assert tomllib.loads(document.encode("utf-8").decode()) == stored


def test_escapes() -> None:
    assert printable(os.fsdecode(b"caf\xe9")) == "caf\\xe9"
    assert (
        printable("a\x1b[31m\n\t\x9b\u202e\ud800\U000e0041")
        == "a\\x1b[31m\\n\\t\\x9b\\u202e\\ud800\\U000e0041"
    )
    assert printable(f"نمی{JOINERS}خواهم, naïve, 漢字") == f"نمی{JOINERS}خواهم, naïve, 漢字"
    assert printable("abcdef", 3) == "abc…"


def test_a_value_of_any_size_is_shown() -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    assert shortened_repr("x") == "'x'"
    assert len(shortened_repr("x" * 10**6)) == 81
    assert shortened_repr(nested) == "a list nested too deeply to show"
    assert shortened_repr(10**5000) == "a number too long to show"


def test_errors_and_tallies_are_printable() -> None:
    name = os.fsdecode(b"\xe9\x1b[2J\n")
    shown = "\\xe9\\x1b[2J\\n"
    assert str(SimanError(f"No {name}.")) == f"No {shown}."
    assert (str(CropError(name, "damaged")), CropError(name, "damaged").reason) == (shown, "damaged")
    tally = Tally()
    tally.add(f"bad {name}", name)
    tally.add("long", "x" * 10_000)
    assert tally.counts == {f"bad {shown}": 1, "long": 1}
    assert tally.examples[f"bad {shown}"] == [shown]
    assert len(tally.examples["long"][0]) < 300
