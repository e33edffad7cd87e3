"""Mixtures as a search draws from them: lines as long as crops, sources weighed anew."""

from pathlib import Path

import numpy as np
import pytest

from siman_synth.errors import CorpusError
from siman_synth.text.casing import CaseConfig
from siman_synth.text.mixture import CorpusMixture, TextConfig


def test_fitted_lines_end_where_they_fit_and_hold_no_more_words_than_asked() -> None:
    config = TextConfig(words=(1, 12), fit_lines=True)
    mixture = CorpusMixture.open(["english", "numbers"], config)
    for wanted in (4, 15, 40):
        rng = np.random.default_rng(wanted)

        def misfit(text: str, wanted: int = wanted) -> float:
            return abs(np.log(len(text) / wanted))

        lines = [mixture.draw_fitting(rng, misfit, 0.1, 24).text for _ in range(300)]
        assert max(len(line.split()) for line in lines) <= 12
        # Those of the most words are long enough; the last word makes a line a little longer or shorter.
        found = np.median([len(line) for line in lines if len(line.split()) > 1])
        assert abs(found - wanted) <= max(2, 0.3 * wanted)
    single = CorpusMixture.open("english", TextConfig(words=(1, 1), fit_lines=True))
    plain = CorpusMixture.open("english")
    one, other = (
        source.draw_fitting(np.random.default_rng(9), lambda text: abs(len(text) - 7), 0, 24).text
        for source in (single, plain)
    )
    assert one == other


def test_phrases_are_chosen_by_the_width_of_the_crop(tmp_path: Path) -> None:
    """Where words are lines already, as those that were read on lines, the first one must fit, too."""
    phrases = tmp_path / "said.txt"
    phrases.write_text("CASH\nTax Invoice\nThank You, Please Come Again\n", encoding="utf-8")
    config = TextConfig(words=(1, 4), max_length=40, fit_lines=True)
    mixture = CorpusMixture.open(str(phrases), config)
    rng = np.random.default_rng(0)
    for wanted in (4, 11, 28):

        def misfit(text: str, wanted: int = wanted) -> float:
            return abs(np.log(len(text) / wanted))

        lines = [mixture.draw_fitting(rng, misfit, 0.2, 24).text for _ in range(50)]
        assert {len(line) for line in lines} <= set(range(round(wanted / 1.25), round(wanted * 1.25) + 1))


def test_sources_can_be_weighed_anew_without_opening_them() -> None:
    mixture = CorpusMixture.open(["english:2", "numbers"])
    assert mixture.specs == ("english", "numbers")
    config = TextConfig(case=CaseConfig(as_is=0, lower=0, upper=1, capitalized=0))
    shouted = mixture.weighed({"english": 1.0}, config)
    rng = np.random.default_rng(0)
    assert all(shouted.draw(rng).text.isupper() for _ in range(50))
    assert mixture.weighed({"english": 1, "numbers": 3}, TextConfig()).weights == (0.25, 0.75)
    same = mixture.weighed({"english": 2, "numbers": 1}, TextConfig())
    assert [same.draw(np.random.default_rng(s)) for s in range(9)] == [
        mixture.draw(np.random.default_rng(s)) for s in range(9)
    ]
    with pytest.raises(CorpusError, match="No corpus is left"):
        mixture.weighed({"dates": 1.0}, config)
