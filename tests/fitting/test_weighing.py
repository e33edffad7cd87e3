"""Beliefs and weighing: densities, and what is found in crops of which everything is known."""

import numpy as np
import pytest
import torch

from siman_synth.fitting.belief import Belief, Movable, counts_where, log_joint
from siman_synth.fitting.table import Range, Table, Weights
from siman_synth.fitting.weighing import Kernel, Round, Weighing
from tests.fitting.domain import NARROW, TABLE, seen

ALL = range(len(TABLE.entries))


def test_points_are_drawn_with_the_density_that_is_told() -> None:
    rng = np.random.default_rng(1)
    points = torch.from_numpy(Belief.wide(TABLE).draw(20_000, rng, 0.5))
    wide = Belief.wide(TABLE)
    ratio = (log_joint(NARROW, points, 0.25, ALL) - log_joint(wide, points, 0.5, ALL)).exp()
    # Of any two densities of which one covers the other, the mean ratio is 1.
    assert float(ratio.mean()) == pytest.approx(1, abs=0.03)
    drawn = NARROW.draw(20_000, rng, 0.25)
    for value in (lambda p: p[:, 1], lambda p: p[:, 2], lambda p: p[:, 0] == 0):
        expected = float((ratio * torch.as_tensor(value(points), dtype=torch.float64)).mean())
        assert np.mean(value(drawn)) == pytest.approx(expected, abs=0.02)


def test_drawing_follows_the_generator_alone() -> None:
    first, second = (NARROW.draw(50, np.random.default_rng(3), 0.2) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_belief_is_json_and_moves_without_changing() -> None:
    again = Belief.from_json(TABLE, NARROW.to_json())
    for one, other in zip(NARROW.values, again.values, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(NARROW.values, Movable(NARROW).belief().values, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_an_entry_counts_only_where_it_is_seen() -> None:
    points = torch.tensor([[0, 0.5, 0, 0.5, 0.5], [1, 0.5, 1, 0.5, 0.5]], dtype=torch.float64)
    assert counts_where(TABLE, 3, points).tolist() == [False, True]
    assert counts_where(TABLE, 1, points).tolist() == [True, True]


def test_the_kernel_distance_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(2)
    images, crops = rng.normal(1, 1, (7, 4)), rng.normal(1.5, 1, (9, 4))
    scale = np.sqrt((crops**2).mean())
    weights = rng.random(7)
    weights /= weights.sum()

    def alike(one: np.ndarray, other: np.ndarray) -> float:
        return float((one @ other / scale**2 / 4 + 1) ** 3)

    within = sum(weights[i] * weights[j] * alike(images[i], images[j]) for i in range(7) for j in range(7))
    across = sum(weights[i] * alike(images[i], crop) / 9 for i in range(7) for crop in crops)
    among = sum(alike(crops[i], crops[j]) for i in range(9) for j in range(9) if i != j) / 72
    kernel = Kernel(images.astype(np.float32), crops.astype(np.float32))
    found = kernel.distance(torch.from_numpy(weights).float())
    assert float(found) == pytest.approx(within - 2 * across + among, rel=1e-4)


def test_what_made_the_crops_is_found() -> None:
    rng = np.random.default_rng(4)
    crops = seen(NARROW.draw(1500, rng, 0.0), rng)
    wide = Belief.wide(TABLE)
    points = wide.draw(1500, rng, 0.5)
    rounds = [Round(wide, 0.5, points, {"seen": seen(points, rng)})]
    for _ in range(2):
        weighing = Weighing(rounds, {"seen": crops}, wide, ALL)
        found = weighing.find(rounds[-1].drawn_from, 0.001, {"seen": 1.0})
        points = found.belief.draw(500, rng, 0.25)
        rounds.append(Round(found.belief, 0.25, points, {"seen": seen(points, rng)}))
    np.testing.assert_allclose(found.belief["kind"], NARROW["kind"], atol=0.08)
    np.testing.assert_allclose(found.belief["x.size"], NARROW["x.size"], atol=0.1)
    np.testing.assert_allclose(found.belief["x.dirt"], NARROW["x.dirt"], atol=0.06)
    assert found.belief["x.slant"][0] > 0.4
    # Nothing is said about it: it stays what it was.
    np.testing.assert_allclose(found.belief["x.unseen"], [0, 1], atol=0.1)
    assert 20 < found.effective <= 2500


def test_more_images_count_where_less_is_moved_and_the_rest_stays() -> None:
    rng = np.random.default_rng(8)
    many = [Range(f"x.idle{number}", 0.0, 1.0, "nothing") for number in range(20)]
    table = Table((Range("x.size", 0.0, 10.0, "size"), *many))
    wide = Belief.wide(table)
    default = Belief(table, tuple(np.array([0.3, 0.5]) for _ in table))

    def looks(sizes: np.ndarray) -> np.ndarray:
        noise = 0.1 * rng.standard_normal((len(sizes), 3))
        return (1 + np.stack([sizes, sizes**2, 1 - sizes], axis=1) + noise).astype(np.float32)

    crops = looks(rng.uniform(0.6, 0.8, 500))
    points = wide.draw(600, rng, 0.5)
    rounds = [Round(wide, 0.5, points, {"seen": looks(points[:, 0])})]
    one, every = (
        Weighing(rounds, {"seen": crops}, default, columns).find(wide, 0.001, {"seen": 1.0})
        for columns in ([0], range(21))
    )
    assert one.effective > 5 * every.effective
    assert one.belief["x.size"].mean() == pytest.approx(0.7, abs=0.05)
    for idle in many:
        np.testing.assert_array_equal(one.belief[idle.name], default[idle.name])


def test_few_images_are_never_near_alone() -> None:
    rng = np.random.default_rng(5)
    crops = seen(NARROW.draw(300, rng, 0.0), rng)
    one = Kernel(crops[:40], crops)
    alone, together = torch.zeros(40), torch.full((40,), 1 / 40)
    alone[int(torch.argmin(torch.stack([one.distance(row) for row in torch.eye(40)])))] = 1
    assert float(one.distance(together)) < float(one.distance(alone))


def test_choices_of_a_group_are_told_apart_only_where_many_images_do() -> None:
    rng = np.random.default_rng(6)
    names = {f"{group}{number}": "" for group in "ab" for number in range(40)}
    table = Table((Weights("font", names, "font", groups=("a",) * 40 + ("b",) * 40),))
    wide = Belief.wide(table)

    def looks(points: np.ndarray) -> np.ndarray:
        return (1 + (points >= 40) + 0.5 * rng.standard_normal((len(points), 6))).astype(np.float32)

    crops = looks(rng.integers(40, 80, (800, 1)))  # any of group b
    points = wide.draw(300, rng, 0.5)
    rounds = [Round(wide, 0.5, points, {"seen": looks(points)})]
    found = Weighing(rounds, {"seen": crops}, wide, [0]).find(wide, 0.004, {"seen": 1.0}).belief["font"]
    assert found[40:].sum() > 0.9
    assert found.max() < 4 / 40


def test_choices_that_cannot_be_told_apart_keep_their_proportions_in_their_group() -> None:
    rng = np.random.default_rng(9)
    table = Table((Weights("words", dict.fromkeys("abc", ""), "words", groups=("list", "list", "digits")),))
    wide, default = Belief.wide(table), Belief(table, (np.array([0.7, 0.1, 0.2]),))

    def looks(points: np.ndarray) -> np.ndarray:
        # What tells b from a is noise of these few images.
        return (
            1 + np.where(points == 2, 1.0, 0.02 * points) + 0.3 * rng.standard_normal((len(points), 6))
        ).astype(np.float32)

    crops = looks(np.where(rng.random((600, 1)) < 0.6, 2, 1))  # digits, and b alone
    points = wide.draw(300, rng, 0.5)
    rounds = [Round(wide, 0.5, points, {"seen": looks(points)})]

    def found(apart: dict[int, float] | None) -> np.ndarray:
        weighing = Weighing(rounds, {"seen": crops}, default, [0], apart)
        return weighing.find(wide, 0.0001, {"seen": 1.0}).belief["words"]

    tied, free = found({0: 0.0}), found(None)
    assert tied[2] == pytest.approx(0.6, abs=0.1)
    assert tied[0] / tied[1] == pytest.approx(7)
    assert abs(np.log(free[0] / free[1] / 7)) > 0.5
    half = found({0: 0.5})
    assert 0.5 * tied[0] < half[0] < tied[0] + 0.5
