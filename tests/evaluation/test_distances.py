"""Fréchet distance, KID, density and coverage against their plain formulas, and on known cases."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from siman_synth.evaluation.distances import (
    density_and_coverage,
    frechet_distance,
    kernel_distance,
    mixed_kernel_distances,
)
from siman_synth.evaluation.style import Interval, style_distance


def cloud(seed: int, count: int, size: int, shift: float = 0.0) -> np.ndarray:
    """Return correlated normal vectors; the correlation is the same for every seed."""
    mixing = np.random.default_rng(99).normal(size=(size, size))
    return np.random.default_rng(seed).normal(size=(count, size)) @ mixing + shift


@pytest.mark.parametrize(("count", "size"), [(60, 7), (9, 7), (12, 30)])
def test_frechet_is_the_formula(count: int, size: int) -> None:
    one, other = cloud(1, count, size), cloud(2, count + 3, size, shift=0.5)
    first, second = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    means = ((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum()
    plain = means + np.trace(first + second - 2 * np.real(sqrtm(first @ second)))
    # With fewer vectors than dimensions the plain root is of a singular matrix, hence rough.
    assert frechet_distance(one, other) == pytest.approx(plain, rel=1e-7 if count > size else 1e-3)


def test_kid_is_the_formula() -> None:
    one, other = cloud(1, 11, 4), cloud(2, 13, 4, shift=0.3)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 4 + 1) ** 3)

    def within(vectors: np.ndarray) -> float:
        pairs = [(i, j) for i in range(len(vectors)) for j in range(len(vectors)) if i != j]
        return sum(kernel(vectors[i], vectors[j]) for i, j in pairs) / len(pairs)

    between = sum(kernel(a, b) for a in one for b in other) / (len(one) * len(other))
    assert kernel_distance(one, other) == pytest.approx(within(one) + within(other) - 2 * between)


def test_kid_of_mixed_clouds_is_that_of_clouds_that_were_mixed() -> None:
    one, second, other = (cloud(seed, 1200, 4, shift) for seed, shift in ((1, 0.8), (2, -0.6), (3, 0.0)))
    shares = (0.0, 0.25, 0.5, 1.0)
    mixed = [np.vstack([one[int(1200 * share) :], second[: int(1200 * share)]]) for share in shares]
    plain = [kernel_distance(cloud, other) for cloud in mixed]
    found = mixed_kernel_distances(one, second, other, shares)
    assert (found[0], found[-1]) == (plain[0], plain[-1])
    assert found == pytest.approx(plain, abs=0.05 * max(plain))
    assert found[2] < 0.5 * min(found[0], found[-1])  # on both sides of it they are nearer together


def test_density_and_coverage_are_the_formula() -> None:
    real, other = cloud(1, 30, 3), cloud(2, 25, 3, shift=0.5)
    balls = []
    for vector in real:
        radius = sorted(np.linalg.norm(real - vector, axis=1))[4]  # the first is the vector itself
        balls.append(np.linalg.norm(other - vector, axis=1) <= radius)
    density, coverage = density_and_coverage(real, other, neighbours=4)
    assert density == pytest.approx(np.sum(balls) / (4 * 25))
    assert coverage == pytest.approx(np.mean([ball.any() for ball in balls]))


def test_neighbours_need_enough_vectors() -> None:
    with pytest.raises(ValueError, match=r"5 neighbours need more than 5 vectors, found 5\."):
        density_and_coverage(np.zeros((5, 2)), np.zeros((9, 2)))


def test_the_same_vectors_are_at_no_distance() -> None:
    one = cloud(1, 50, 6)
    assert frechet_distance(one, one.copy()) == pytest.approx(0, abs=1e-9)
    density, coverage = density_and_coverage(one, one.copy())
    assert coverage == 1
    assert density > 1


def test_known_distance_of_two_points_and_means() -> None:
    one = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert frechet_distance(one, one + np.array([3.0, 4.0])) == pytest.approx(25)
    # Variances 2 and 8 along one axis: (sqrt 2 - sqrt 8)².
    assert frechet_distance(one, 2 * one) == pytest.approx(2)


def test_kid_is_about_zero_for_one_distribution_and_grows_with_the_shift() -> None:
    values = [kernel_distance(cloud(seed, 200, 5), cloud(seed + 50, 200, 5)) for seed in range(20)]
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values)) < 3 * error
    shifted = [kernel_distance(cloud(1, 200, 5), cloud(2, 200, 5, shift)) for shift in (0.5, 1.0, 2.0)]
    assert np.mean(values) + 3 * error < shifted[0] < shifted[1] < shifted[2]


def test_a_collapsed_set_covers_little_and_a_far_one_nothing() -> None:
    real = cloud(1, 200, 3)
    collapsed = real[:1] + 0.001 * cloud(2, 200, 3)
    density, coverage = density_and_coverage(real, collapsed)
    assert coverage < 0.1
    assert density_and_coverage(real, real + 1000) == (0, 0)
    assert density > 0


def test_style_distance_stands_beside_its_floor() -> None:
    real, alike, other = cloud(1, 120, 4, 2.0), cloud(2, 150, 4, 2.0), cloud(3, 100, 4, 5.0)
    near = style_distance("x", real, alike, np.random.default_rng(0))
    far = style_distance("x", real, other, np.random.default_rng(0))
    assert (near.vectors, near.half) == (120, 60)
    assert (far.vectors, far.half) == (100, 50)
    assert near.dataset.kid.low < near.floor.kid.high
    assert far.dataset.kid.low > far.floor.kid.high
    assert far.dataset.frechet.low > far.floor.frechet.high
    assert far.dataset.coverage.high < far.floor.coverage.low
    assert far == style_distance("x", real, other, np.random.default_rng(0))
    # The unit of the features does not matter: both are divided by the size of the real ones.
    scaled = style_distance("x", 50 * real, 50 * other, np.random.default_rng(0))
    assert scaled.dataset.kid.mean == pytest.approx(far.dataset.kid.mean)


def test_interval() -> None:
    found = Interval.of([1.0, 2.0, 3.0])
    assert (found.low, found.mean, found.high) == pytest.approx((2 - 1.96, 2, 2 + 1.96))
