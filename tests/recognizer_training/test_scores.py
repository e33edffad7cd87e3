"""The field's figures, against hand and library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from siman_synth.recognizer_training.scores import Scores, wilson


def test_the_three_figures_of_four_words() -> None:
    scores = Scores.of(["sale", "egg", "hotel", "42"], ["sale", "eg", "motet", ""])
    assert (scores.words, scores.right, scores.within_one_edit) == (4, 0.25, 0.5)
    # 1, 1 - 1/3, 1 - 2/5, 0
    assert scores.edit_similarity == pytest.approx((1 + 2 / 3 + 3 / 5 + 0) / 4)
    assert "Acc. 25.0 % (4.6 to 69.9)  E.D. 1 50.0 % (15.0 to 85.0)  NED 56.7 % (" in scores.to_text()


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_intervals_are_wilsons(trials: tuple[int, int]) -> None:
    right, count = trials
    wanted = binomtest(right, count).proportion_ci(method="wilson")
    assert wilson(right / count, count) == pytest.approx((wanted.low, wanted.high), abs=1e-4)


def test_no_words_have_no_scores() -> None:
    with pytest.raises(ValueError, match="at least one word"):
        Scores.of([], [])
