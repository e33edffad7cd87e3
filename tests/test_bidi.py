"""Which way lines run, against python-bidi's own display order."""

import unicodedata

import pytest
from bidi import get_display
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from siman_synth.bidi import embedding_levels, visual_runs

PIECES = st.one_of(
    *(
        st.text(alphabet, min_size=1, max_size=3)
        for alphabet in ("abcXYZ", "אבגד", "سلمان", "0123", "٠١٢", "۱۲۳")
    ),
    *(
        st.sampled_from(alphabet)
        for alphabet in (" ", "()[]{}<>", "+-", "$€%#", ".,:/", "!?&*;", "\u0301\u05b8\u064e")
    ),
    *(
        st.sampled_from(alphabet)
        for alphabet in ("\u202a\u202b\u202c\u202d\u202e", "\u2066\u2067\u2068\u2069", "\u200e\u200f\u061c")
    ),
)


OUT = ("BN", "LRE", "RLE", "LRO", "RLO", "PDF")
"""Rule X9 takes these out, and leaves open where they go."""


def displayed(text: str) -> str:
    runs = (text[start:end][:: -1 if level % 2 else 1] for start, end, level in visual_runs(text))
    return "".join(runs)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, min_size=1, max_size=9).map("".join))
def test_the_order_is_that_of_the_standard(text: str) -> None:
    def seen(line: str) -> str:
        return "".join(character for character in line if unicodedata.bidirectional(character) not in OUT)

    assume(("\u202d" not in text and "\u202e" not in text) or not spaces_at_the_end(text))
    assert seen(displayed(text)) == seen(get_display(text))


def spaces_at_the_end(text: str) -> bool:
    """Whether rule L1 applies at the end: python-bidi leaves it out for what an override changed."""
    return unicodedata.bidirectional(text[-1]) in ("WS", "LRI", "RLI", "FSI", "PDI", *OUT)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=20).filter(lambda text: len(text.splitlines()) == 1))
def test_runs_hold_every_character_once(text: str) -> None:
    held = sorted(index for start, end, _ in visual_runs(text) for index in range(start, end))
    assert held == list(range(len(text)))


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("abc", [0, 0, 0]),
        ("אב", [1, 1]),
        ("א12", [1, 2, 2]),
        ("a א", [0, 0, 1]),
        ("٢٥", [2, 2]),
        ("א ", [1, 1]),
        ("א\u202da ", [1, 1, 2, 1]),
        ("a \u05d0😀b", [0, 0, 1, 0, 0]),
    ],
)
def test_levels_are_one_a_character(text: str, levels: list[int]) -> None:
    assert embedding_levels(text) == levels
