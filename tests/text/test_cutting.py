import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.text.cutting import cut_at_an_end
from siman_synth.text.mixture import CorpusMixture, TextConfig


@given(st.text(min_size=1, max_size=20), st.integers(0, 2**32))
def test_what_is_left_is_a_beginning_or_an_end(text: str, seed: int) -> None:
    text = unicodedata.normalize("NFC", text)
    left = cut_at_an_end(text, np.random.default_rng(seed))
    assert text.startswith(left) or text.endswith(left) or left in text
    assert unicodedata.is_normalized("NFC", left)
    assert len(left) >= min(len(text), 1)


def test_both_ends_are_cut_and_short_words_are_not() -> None:
    rng = np.random.default_rng(0)
    found = {cut_at_an_end("restaurant", rng) for _ in range(300)}
    assert {"restaurant"[count:] for count in range(1, 7)} | {
        "restaurant"[:count] for count in range(4, 10)
    } == found
    assert cut_at_an_end("bar", rng) == "bar"
    marked = "e\u0301\u0323b\u0323\u0301cd"  # letters with marks that no character composes
    assert all(unicodedata.combining(cut_at_an_end(marked, rng)[0]) == 0 for _ in range(50))


@pytest.mark.parametrize("cut", [0.0, 0.3, 1.0])
def test_a_share_of_the_words_is_cut(tmp_path: Path, cut: float) -> None:
    words = tmp_path / "words.txt"
    words.write_text("Restaurant\n", encoding="utf-8")
    mixture, rng = CorpusMixture.open(str(words), TextConfig(cut=cut)), np.random.default_rng(0)
    found = [mixture.draw(rng).text != "Restaurant" for _ in range(1000)]
    assert np.mean(found) == pytest.approx(cut, abs=0.04)
    fitted = [mixture.draw_fitting(rng, lambda text: abs(len(text) - 6), 0, 20).text for _ in range(20)]
    assert any(len(text) == 6 for text in fitted) == (cut > 0)
