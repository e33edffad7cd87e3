"""Reading crops: what made them is found where images tell, and nothing is claimed where they do not."""

import numpy as np
import pytest

from siman_synth.fitting.belief import Belief
from siman_synth.fitting.reading import Reading, read
from siman_synth.fitting.table import CORPORA, Table, Weights
from siman_synth.fitting.weighing import Round
from tests.fitting.domain import NARROW, TABLE, seen

pytest.importorskip("sklearn")

BEFORE = Belief(
    TABLE,
    (
        np.array([0.2, 0.2, 0.6]),
        np.array([0.4, 1.0]),
        np.array([0.5]),
        np.array([0.0, 0.5]),
        np.array([0.3, 0.4]),
    ),
)


def reading(simulated: int, crops: int, seed: int = 0) -> Reading:
    rng = np.random.default_rng(7)
    wide = Belief.wide(TABLE)
    points = wide.draw(simulated, rng, 0.5)
    one = Round(wide, 0.5, points, {"x": seen(points, rng)})
    real = seen(NARROW.draw(crops, rng, 0.0), rng)
    return read([one], {"x": real}, BEFORE, seed)


def test_what_made_the_crops_is_read() -> None:
    found = reading(1500, 600)
    np.testing.assert_allclose(found.belief["kind"], NARROW["kind"], atol=0.06)
    np.testing.assert_allclose(found.belief["x.size"], NARROW["x.size"], atol=0.08)
    assert found.belief["x.dirt"][0] == pytest.approx(0.1, abs=0.05)
    # Of the crops of kind b alone.
    np.testing.assert_allclose(found.belief["x.slant"], NARROW["x.slant"], atol=0.12)
    assert found.certainty["kind"] > 0.9


def test_what_images_do_not_tell_stays_as_it_was() -> None:
    found = reading(1500, 600)
    assert found.certainty["x.unseen"] < 0.03
    assert found.told == [0, 1, 2, 3]
    np.testing.assert_array_equal(found.belief["x.unseen"], BEFORE["x.unseen"])


def test_too_few_images_tell_nothing() -> None:
    found = reading(40, 600)
    assert set(found.certainty.values()) == {0.0}
    assert found.told == [0, 1, 2, 3, 4]
    for now, before in zip(found.belief.values, BEFORE.values, strict=True):
        np.testing.assert_array_equal(now, before)


def test_where_hardly_anything_is_told_all_is_moved() -> None:
    found = Reading(BEFORE, {entry.name: 0.01 for entry in TABLE})
    assert found.told == [0, 1, 2, 3, 4]


def test_what_counts_for_few_crops_is_not_read() -> None:
    found = reading(1500, 100)  # some 30 of kind b
    np.testing.assert_array_equal(found.belief["x.slant"], BEFORE["x.slant"])
    assert found.belief["kind"][0] == pytest.approx(0.6, abs=0.1)


def test_the_seed_decides() -> None:
    first, again = reading(400, 200), reading(400, 200)
    for one, other in zip(first.belief.values, again.belief.values, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("told", "trust"), [(0.0, 0.0), (3.0, 1.0)])
def test_how_far_choices_of_a_group_can_be_told_apart(told: float, trust: float) -> None:
    rng = np.random.default_rng(3)
    table = Table(
        (Weights("words", dict.fromkeys("abc", ""), "words", groups=("list", "list", "digits"), tied=True),)
    )
    wide = Belief.wide(table)
    before = Belief(table, (np.array([0.7, 0.1, 0.2]),))

    def looks(points: np.ndarray) -> np.ndarray:
        sees = np.hstack([points == 2, told * (points == 1)])
        return (1 + sees + 0.2 * rng.standard_normal(sees.shape)).astype(np.float32)

    points = wide.draw(900, rng, 0.5)
    crops = looks(rng.choice(3, (600, 1), p=[0.2, 0.2, 0.6]).astype(np.float64))
    found = read([Round(wide, 0.5, points, {"x": looks(points)})], {"x": crops}, before, 0)
    assert found.apart[0] == pytest.approx(trust, abs=0.05)
    assert found.belief["words"][2] == pytest.approx(0.6, abs=0.08)
    wanted = 7 if told == 0 else 1
    assert found.belief["words"][0] / found.belief["words"][1] == pytest.approx(wanted, rel=0.35)


def test_only_tied_choices_are_held_in_their_groups() -> None:
    assert reading(400, 200).apart == {}
    table = Table.of({"Roboto": "sans", "Lobster": "script"}, {"english": "words", "numbers": "numbers"})
    assert [entry.name for entry in table if isinstance(entry, Weights) and entry.tied] == [CORPORA]
