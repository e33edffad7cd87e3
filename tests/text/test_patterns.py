import unicodedata

import numpy as np
import pytest

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
