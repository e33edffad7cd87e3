"""What each recognizer does to a label, case by case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.storage.trainer_rules import MMOCR_SYMBOLS, TRAINER_RULES, UNKNOWN, LabelOutcome

LONG = "x" * 26


@pytest.mark.parametrize(
    ("reader", "label", "text", "reason"),
    [
        ("dtrb", "Harbour1", "harbour1", None),
        ("dtrb", "can't", None, "with a character outside the trainer's set"),
        ("dtrb", "a b", None, "with a character outside the trainer's set"),
        ("dtrb", LONG, None, "longer than 25 characters"),
        ("parseq", "Can't", "Can't", None),
        ("parseq", "Café", "Cafe", "characters replaced"),
        ("parseq", "a b", "ab", "characters deleted"),
        ("parseq", "½", "12", "characters replaced"),
        ("parseq", "漢字", None, "without a character of the trainer's set"),
        ("parseq", LONG, None, "longer than 25 characters"),
        ("parseq", "é" * 13 + "漢" * 13, "e" * 13, "characters deleted"),
        ("openocr", "Can't", "cant", "characters deleted"),
        ("openocr", "!" + "x" * 25, "x" * 25, "characters deleted"),
        ("openocr", LONG, None, "longer than 25 characters"),
        ("openocr", "!?", None, "without a character of the trainer's set"),
        ("paddleocr", "Can't", "cant", "characters deleted"),
        ("paddleocr", "!" + "x" * 25, None, "longer than 25 characters"),
        ("paddleocr", "!?", None, "without a character of the trainer's set"),
        ("mmocr", "Can't", "Can't", None),
        ("mmocr", "Café", f"Caf{UNKNOWN}", "characters read as unknown"),
        ("mmocr", "x" * 24, "x" * 24, None),
        ("mmocr", "x" * 25, "x" * 24, "cut to 24 characters"),
    ],
)
def test_rules(reader: str, label: str, text: str | None, reason: str | None) -> None:
    assert TRAINER_RULES[reader].read(label) == LabelOutcome(text, reason)


def test_every_reader_of_the_command_line_has_a_rule() -> None:
    assert list(TRAINER_RULES) == ["dtrb", "parseq", "openocr", "paddleocr", "mmocr"]
    assert len(MMOCR_SYMBOLS) == 90


@given(st.text(min_size=1, max_size=40), st.sampled_from(sorted(TRAINER_RULES)))
def test_an_outcome_is_one_of_three(label: str, reader: str) -> None:
    outcome = TRAINER_RULES[reader].read(label)
    assert not (outcome.dropped and outcome.altered)
    if outcome.text is None:
        assert outcome.reason
    elif outcome.reason is None:
        assert outcome.text.lower() == label.lower()
    else:
        assert outcome.text != label


@given(st.text(alphabet="abcxyz0189", min_size=1, max_size=24), st.sampled_from(sorted(TRAINER_RULES)))
def test_short_lower_alphanumerics_suit_everyone(label: str, reader: str) -> None:
    assert TRAINER_RULES[reader].read(label) == LabelOutcome(label)
