import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.text.casing import CaseConfig, apply_case
from siman_synth.text.patterns import LONGEST, PATTERNS


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_pattern_is_short_printable_and_varied(name: str) -> None:
    rng = np.random.default_rng(5)
    texts = [PATTERNS[name](rng) for _ in range(3000)]
    assert all(1 <= len(text) <= LONGEST for text in texts)
    assert all(text == text.strip() and text.isprintable() for text in texts)
    assert all(unicodedata.is_normalized("NFC", text) for text in texts)
    assert len(set(texts)) > 400


@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_pattern_is_a_function_of_the_generator(name: str) -> None:
    assert [PATTERNS[name](np.random.default_rng(seed)) for seed in range(20)] == [
        PATTERNS[name](np.random.default_rng(seed)) for seed in range(20)
    ]


def only(**weights: float) -> CaseConfig:
    return CaseConfig(**{"as_is": 0, "lower": 0, "upper": 0, "capitalized": 0, **weights})


@pytest.mark.parametrize(
    ("config", "word", "changed"),
    [
        (only(as_is=1), "McDonald", "McDonald"),
        (only(lower=1), "McDonald", "mcdonald"),
        (only(upper=1), "Ärger", "ÄRGER"),
        (only(capitalized=1), "don't STOP", "Don't Stop"),
        (only(capitalized=1), "ŁÓDŹ über", "Łódź Über"),
        # No exact capital: two letters, another letter on the way back, or one that nobody prints.
        *((only(upper=1), word, word) for word in ("straße", "5 µm", "ısı", "λόγος", "ქართული", "ꭰꮝ", "ŉ")),
        *((only(lower=1), word, word) for word in ("İZMİR", "ẞ", "ᲥᲐᲠᲗᲣᲚᲘ", "ᏣᎳᎩ", "H\u0331")),
        *((only(capitalized=1), word, word) for word in ("ქართული", "µm", "ǆ", "ßa")),
    ],
)
def test_cases(config: CaseConfig, word: str, changed: str) -> None:
    assert apply_case(word, config, np.random.default_rng(0)) == changed


@pytest.mark.parametrize("case", ["lower", "upper", "capitalized"])
def test_any_character_changes_exactly_or_not_at_all(case: str) -> None:
    """All of Unicode, one by one: nothing is gained, lost, or changed for good."""
    rng = np.random.default_rng(0)
    for code in range(0x110000):
        character = chr(code)
        if unicodedata.category(character) in ("Cs", "Cn") or not unicodedata.is_normalized("NFC", character):
            continue
        changed = apply_case(character, only(**{case: 1}), rng)
        if changed == character:
            continue
        assert len(changed) == 1, hex(code)
        assert character in (changed.lower(), changed.upper()), hex(code)
        assert not unicodedata.name(character).startswith(("GEORGIAN", "CHEROKEE", "MICRO")), hex(code)


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=12), st.integers(0, 2**32))
def test_a_word_changes_as_a_whole_or_not_at_all(word: str, seed: int) -> None:
    word = unicodedata.normalize("NFC", word)
    changed = apply_case(word, CaseConfig(), np.random.default_rng(seed))
    assert len(changed) == len(word)
    assert unicodedata.is_normalized("NFC", changed)
    assert changed == word or changed.lower() == word.lower()
    assert changed.count("\u0307") == word.count("\u0307")


def test_case_weights_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^upper must be between 0 and 1000, found -1\.$"):
        CaseConfig(upper=-1)
    with pytest.raises(ValueError, match=r"must not all be 0"):
        only()
