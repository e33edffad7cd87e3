"""The mean of beliefs draws what they draw by lot."""

from dataclasses import replace

import numpy as np
import pytest

from siman_synth.fitting.averaging import mean_belief, mean_of_trials
from siman_synth.fitting.belief import Belief
from siman_synth.fitting.recipe import recipe_of
from siman_synth.fitting.store import Trial
from siman_synth.fitting.table import Range, Share, Table
from siman_synth.synthesis.config import GenerateConfig
from tests.fitting.domain import NARROW, TABLE

OTHER = Belief(
    TABLE,
    (
        np.array([0.2, 0.1, 0.7]),
        np.array([0.4, 0.9]),
        np.array([0.5]),
        np.array([0.1, 0.3]),
        np.array([0.0, 1.0]),
    ),
)


def test_one_belief_and_the_same_twice_are_their_own_mean() -> None:
    for beliefs in ([NARROW], [NARROW, NARROW, NARROW]):
        for mean, value in zip(mean_belief(beliefs).values, NARROW.values, strict=True):
            np.testing.assert_allclose(mean, value)


def test_shares_and_weights_come_as_often_as_by_lot() -> None:
    mean = mean_belief([NARROW, OTHER])
    np.testing.assert_allclose(mean["kind"], [0.4, 0.2, 0.4])
    np.testing.assert_allclose(mean["x.dirt"], [0.3])
    one = mean_belief([NARROW, NARROW, OTHER])
    np.testing.assert_allclose(one["x.dirt"], [(0.1 + 0.1 + 0.5) / 3])


def test_a_range_keeps_mean_and_variance_of_what_was_drawn_by_lot() -> None:
    rng = np.random.default_rng(0)
    ends = [one["x.size"] for one in (NARROW, OTHER)]
    by_lot = np.concatenate([rng.uniform(low, high, 100_000) for low, high in ends])
    low, high = mean_belief([NARROW, OTHER])["x.size"]
    assert (low + high) / 2 == pytest.approx(by_lot.mean(), abs=0.005)
    assert (high - low) / np.sqrt(12) == pytest.approx(by_lot.std(), abs=0.005)


def test_a_range_does_not_leave_what_may_be() -> None:
    ends = [(0.0, 0.1), (0.9, 1.0)]
    beliefs = [Belief(TABLE, (*NARROW.values[:1], np.array(one), *NARROW.values[2:])) for one in ends]
    np.testing.assert_array_equal(mean_belief(beliefs)["x.size"], [0, 1])


def test_settings_of_a_run_are_a_mean_and_yes_or_no_what_most_of_the_trials_took() -> None:
    table = Table(
        (Range("render.framing.stretch", 0.5, 1.5, "stretch"), Share("render.dots.share", 0.3, "dots"))
    )
    values = [[0.2, 0.4], [0.1]]

    def recipe(*sharp: float) -> GenerateConfig:
        one = Trial(1, {"style.balance": 0.5}, values, 360, {}, {}, 0.5)
        trials = [
            replace(one, options={"style.balance": 0.25 * number, "finish.match_sharpness": chosen})
            for number, chosen in enumerate(sharp)
        ]
        belief, options = mean_of_trials(table, trials)
        return recipe_of(belief, GenerateConfig(), options, {}).config

    assert recipe(1.0, 0.0, 1.0).finish.match_sharpness is True
    assert recipe(1.0, 0.0, 0.0).finish.match_sharpness is False
    assert recipe(1.0, 0.0, 1.0).style.balance == pytest.approx(0.25)
