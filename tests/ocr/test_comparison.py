"""What counts as read right, and the edit distance."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import siman_synth
from siman_synth.evaluation.readability import compare
from siman_synth.ocr.comparison import (
    as_typed,
    as_written,
    comparable,
    edit_distance,
    edit_similarity,
    spelled_as,
)
from siman_synth.ocr.recognizer import Reading, agrees

WORDS = st.text(alphabet="abcé1", max_size=8)


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("Wi-Fi 24/7!", "wifi247"),
        ("Café", "café"),
        ("Cafe\u0301", "café"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("x²", "x2"),
        ("３号", "3号"),
        ("हिन्दी", "हिन्दी"),
        ("€ & ©!", ""),
    ],
)
def test_comparable(text: str, compared: str) -> None:
    assert comparable(text) == compared


@given(st.text(max_size=20))
def test_comparable_is_stable_and_blind_to_case(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text)
    assert comparable(text.swapcase().casefold()) == comparable(text.casefold().swapcase())


@pytest.mark.parametrize(
    ("one", "other", "distance"), [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ab", "ba", 2)]
)
def test_known_distances(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other) == distance


@given(WORDS, WORDS, WORDS)
def test_edit_distance_is_a_metric(one: str, other: str, third: str) -> None:
    distance = edit_distance(one, other)
    assert (distance == 0) == (one == other)
    assert distance == edit_distance(other, one)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
    assert distance <= edit_distance(one, third) + edit_distance(third, other)


@given(WORDS, WORDS)
def test_edit_similarity_is_one_for_equal_words_alone(one: str, other: str) -> None:
    assert 0 <= edit_similarity(one, other) <= 1
    assert (edit_similarity(one, other) == 1) == (one == other)


class Latin:
    """A reader that can write small and capital letters of ASCII."""

    name = "latin"
    alphabet = frozenset("abcdefghijklmnopqrstuvwxyzABC")

    def read(self, images: object) -> list[Reading]:
        raise NotImplementedError


def test_shares_of_words() -> None:
    labels = ["Shop", "shop", "SHOP!", "€", "商店", "bakery"]
    found = [Reading(text, 0.5) for text in ("shop", "shp", "chips", "x", "x", "")]
    summary, words = compare(labels, found, range(10, 16), Latin())
    assert [(word.index, word.distance) for word in words] == [(10, 0), (11, 1), (12, 3), (15, 6)]
    assert (summary.words, summary.without_letters, summary.outside_alphabet) == (4, 1, 1)
    assert (summary.right, summary.within_one_edit) == (0.25, 0.5)
    assert summary.edit_similarity == pytest.approx((1 + 3 / 4 + 2 / 5 + 0) / 4)
    assert summary.right_error == pytest.approx((0.25 * 0.75 / 4) ** 0.5)


def test_nothing_to_compare() -> None:
    summary, words = compare(["!"], [Reading("", 0)], [0], Latin())
    assert (summary.words, summary.right, summary.right_error, words) == (0, 0, 0, [])


def test_accents_that_the_ocr_does_not_separate_do_not_count() -> None:
    """Polish words are judged by their letters, Greek ones by their look, Cyrillic ones not at all."""
    labels = ["bąć", "ΑCΒ", "Жук", "bac"]
    summary, words = compare(
        labels, [Reading(text, 1) for text in ("bac", "ACB", "x", "bąc")], range(4), Latin()
    )
    assert [(word.index, word.distance) for word in words] == [(0, 0), (1, 0), (3, 1)]
    assert (summary.labels, summary.outside_alphabet, summary.without_accents) == (4, 1, 2)
    verdicts = [
        agrees(Latin(), label, text) for label, text in zip(labels, ("bac", "ACB", "x", "bąc"), strict=True)
    ]
    assert verdicts == [True, True, None, False]


def test_readings_are_judged_in_one_place() -> None:
    """Who compares letters alone judges accents otherwise than the rest does."""
    package = Path(siman_synth.__file__).parent
    modules = [path for path in package.rglob("*.py") if path.parent.name != "ocr"]
    assert [path for path in modules if re.search(r"judged_as|comparable\(\w+\.text", path.read_text())] == []


@pytest.mark.parametrize(
    ("typed", "there"),
    [
        ("Musee", "Musée"),
        ("MUSEE", "musée"),
        ("strasse", "Straße"),
        ("STRASSE", "Straße"),
        ("isik", "IŞIK"),
        ("ışık", "isik"),
        ("istanbul", "İSTANBUL"),
        ("OPEN", "Ｏｐｅｎ"),
        ("fin", "ﬁn"),
        ("oeuvre", "Œuvre"),
        ("Lodz", "ŁÓDŹ"),
        ("Mu\u0301sica", "musica"),
    ],
)
def test_as_typed_neither_accents_nor_case_count(typed: str, there: str) -> None:
    assert as_typed(typed) == as_typed(there)


@given(st.text("aàÁčÇßẞıİœÆŁłŞşéÉxyz1ｅＥﬁ号एं\u0301", max_size=20))
def test_what_is_equal_by_a_stricter_rule_is_equal_by_a_looser_one(text: str) -> None:
    assert as_typed(text) == as_typed(comparable(text))
    assert as_typed(as_typed(text)) == as_typed(text)
    assert comparable(as_written(text)) == comparable(text)


@pytest.mark.parametrize("pair", [("が", "か"), ("हिन्दी", "हनद"), ("Musee", "Muse"), ("Йод", "Код")])
def test_marks_that_are_no_accents_count(pair: tuple[str, str]) -> None:
    assert as_typed(pair[0]) != as_typed(pair[1])


def test_letters_of_which_case_shows_in_the_size_alone_are_as_written() -> None:
    assert as_written("SHOP") == as_written("sHoP")
    assert as_written("SHOP") != as_written("Shop")
    assert as_written("Musée") != as_written("Musee")


@pytest.mark.parametrize(
    ("typed", "read", "spelled"),
    [
        ("musee", "Musée", "Musée"),
        ("Musée", "MUSEE", "MUSÉE"),
        ("SHOP", "sHoP", "SHOP"),
        ("shop", "SHoP", "SHoP"),
        ("strasse", "Straße", "Straße"),
        ("isik", "IŞIK", "IŞIK"),
        ("Musée", "Mu\u0301see", "Mu\u0301sée"),
    ],
)
def test_case_as_it_was_read_and_accents_that_either_has(typed: str, read: str, spelled: str) -> None:
    assert spelled_as(typed, read) == unicodedata.normalize("NFC", spelled)
