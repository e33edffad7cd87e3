"""How far two clouds of feature vectors are apart. Arrays are float (N, D), one vector a row."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Features = npt.NDArray[np.float64]

NEIGHBOURS = 5
"""k of density and coverage, as in their paper."""


def frechet_distance(one: Features, other: Features) -> float:
    """Return the Fréchet distance of two normal distributions fitted to the clouds.

    |m1 - m2|² + tr(C1 + C2 - 2 (C1 C2)^(1/2)), as in FID (Heusel et al. 2017). It falls with the
    number of vectors, so compare only values of equal N. With C = RᵀR the trace of the root is
    the sum of the singular values of R1 R2ᵀ, which is exact for N below D, too.
    """
    first, second = _root_of_covariance(one), _root_of_covariance(other)
    root_trace = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    means = ((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum()
    return float(max(0.0, means + (first**2).sum() + (second**2).sum() - 2 * root_trace))


def kernel_distance(one: Features, other: Features) -> float:
    """Return the unbiased squared MMD with the kernel (x·y / D + 1)³: KID (Bińkowski et al. 2018).

    It may be slightly negative when the clouds are alike, and does not depend on N on average.
    """
    within = _off_diagonal_mean(_kernel(one, one)) + _off_diagonal_mean(_kernel(other, other))
    return float(within - 2 * _kernel(one, other).mean())


def mixed_kernel_distances(
    one: Features, second: Features, other: Features, shares: Sequence[float]
) -> list[float]:
    """Return the `kernel_distance` from `other` of mixed clouds: a share of `second`, the rest of `one`.

    The distance is a quadratic function of the share, so that no cloud has to be drawn.
    """
    alone = [kernel_distance(cloud, other) for cloud in (one, second)]
    between = _off_diagonal_mean(_kernel(one, one)) + _off_diagonal_mean(_kernel(second, second))
    between -= 2 * float(_kernel(one, second).mean())
    return [(1 - share) * alone[0] + share * alone[1] - share * (1 - share) * between for share in shares]


def density_and_coverage(
    real: Features, other: Features, neighbours: int = NEIGHBOURS
) -> tuple[float, float]:
    """Return how densely `other` lies among `real`, and how much of `real` it reaches.

    Naeem et al. 2020: around every real vector is a ball up to its k-th real neighbour. Density
    is the mean number of balls that a vector of `other` lies in, over k (about 1 for equal
    distributions); coverage is the share of balls that hold a vector of `other`.

    Raises:
        ValueError: there are not more real vectors than `neighbours`.
    """
    if len(real) <= neighbours:
        raise ValueError(f"{neighbours} neighbours need more than {neighbours} vectors, found {len(real)}.")
    among_real = _squared_distances(real, real)
    np.fill_diagonal(among_real, np.inf)
    radii = np.partition(among_real, neighbours - 1, axis=1)[:, neighbours - 1]
    inside = _squared_distances(real, other) <= radii[:, None]
    return float(inside.sum() / (neighbours * len(other))), float(inside.any(axis=1).mean())


def _root_of_covariance(vectors: Features) -> Features:
    """Return R, at most (D, D), with RᵀR the covariance of the rows."""
    centred = (vectors - vectors.mean(axis=0)) / np.sqrt(len(vectors) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(vectors) > vectors.shape[1] else centred


def _kernel(one: Features, other: Features) -> Features:
    values: Features = (one @ other.T / one.shape[1] + 1) ** 3
    return values


def _off_diagonal_mean(square: Features) -> float:
    count = len(square)
    return float((square.sum() - np.trace(square)) / (count * (count - 1)))


def _squared_distances(one: Features, other: Features) -> Features:
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :]
    distances: Features = np.maximum(squares - 2 * one @ other.T, 0.0)
    return distances
