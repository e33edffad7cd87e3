"""The bars of a fit's report show what the recipe holds."""

import numpy as np
import pytest

from siman_synth.fitting.report import choice_bars
from siman_synth.fitting.table import CASE, FAMILIES, Weights


@pytest.mark.parametrize(("name", "shown"), [(CASE, ["50.0%", "50.0%"]), (FAMILIES, ["80.0%", "20.0%"])])
def test_words_are_half_as_they_were_and_everything_else_as_it_was_found(name: str, shown: list[str]) -> None:
    entry = Weights(name, {"a": "x.a", "b": "x.b"}, "choices")
    bars = choice_bars(entry, np.array([0.2, 0.8]), np.array([0.8, 0.2]))
    assert [bar.text for bar in bars] == shown
    assert bars[0].before[1] == pytest.approx(0.25)
    assert max(bar.after[1] for bar in bars) == pytest.approx(float(shown[0][:-1]) / 80)
