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
        (only(upper=1), "straße", "STRASSE"),
        (only(capitalized=1), "don't STOP", "Don't Stop"),
    ],
)
def test_cases(config: CaseConfig, word: str, changed: str) -> None:
    assert apply_case(word, config, np.random.default_rng(0)) == changed


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=12), st.integers(0, 2**32))
def test_case_keeps_to_the_maximum_and_to_nfc(word: str, seed: int) -> None:
    word = unicodedata.normalize("NFC", word)
    changed = apply_case(word, CaseConfig(), np.random.default_rng(seed), max_length=len(word))
    assert len(changed) <= len(word)
    assert unicodedata.is_normalized("NFC", changed)


def test_case_weights_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^upper must be a weight of 0 or more, found -1\.$"):
        CaseConfig(upper=-1)
    with pytest.raises(ValueError, match=r"must not all be 0"):
        only()
