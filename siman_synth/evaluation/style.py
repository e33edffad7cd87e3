"""Distances between a set and real crops, each beside the distance of real crops from each other."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from tqdm import tqdm

from siman_synth.evaluation.distances import (
    Features,
    density_and_coverage,
    frechet_distance,
    kernel_distance,
)

REPEATS = 20
"""Random halves that every figure is taken from."""

_Z95 = 1.96


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over random halves and its 95 % interval."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> Self:
        """Take mean and spread of the values of all halves.

        The variance over random halves of N vectors, drawn without repetition, is about that
        of the figure over samples of N; repeated vectors, as a bootstrap has them, would move
        the distances themselves.
        """
        mean, spread = float(np.mean(values)), float(np.std(values, ddof=1))
        return cls(mean, mean - _Z95 * spread, mean + _Z95 * spread)


@dataclass(frozen=True, slots=True)
class Closeness:
    """Four figures of one pair of sets."""

    frechet: Interval
    kid: Interval
    density: Interval
    coverage: Interval


@dataclass(frozen=True, slots=True)
class StyleDistance:
    """A set against real crops, and two halves of the real crops against each other.

    Every single figure compares `half` vectors with `half` others; sets of `vectors` each
    were drawn from.
    """

    features: str
    vectors: int
    half: int
    dataset: Closeness
    floor: Closeness

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def style_distance(
    name: str, real: Features, dataset: Features, rng: np.random.Generator, repeats: int = REPEATS
) -> StyleDistance:
    """Compare equally many vectors of either set, `repeats` times, half of them each time.

    The vectors are divided by the root mean square of the real ones.
    """
    vectors = min(len(real), len(dataset))
    # One factor for both sets: the kernel of KID expects values of about one.
    scale = np.sqrt((real[:vectors] ** 2).mean())
    real, dataset = real[:vectors] / scale, dataset[:vectors] / scale
    half = vectors // 2
    measured: list[tuple[float, ...]] = []
    floors: list[tuple[float, ...]] = []
    for _ in tqdm(range(repeats), desc=f"compare {name}", unit="half", disable=None):
        halves, drawn = rng.permutation(vectors), rng.permutation(vectors)[:half]
        measured.append(_figures(real[halves[:half]], dataset[drawn]))
        floors.append(_figures(real[halves[:half]], real[halves[half : 2 * half]]))
    return StyleDistance(name, vectors, half, _closeness(measured), _closeness(floors))


def _figures(real: Features, other: Features) -> tuple[float, ...]:
    measures: tuple[Callable[[Features, Features], float], ...] = (frechet_distance, kernel_distance)
    return (*(measure(real, other) for measure in measures), *density_and_coverage(real, other))


def _closeness(rows: list[tuple[float, ...]]) -> Closeness:
    return Closeness(*(Interval.of(list(column)) for column in zip(*rows, strict=True)))
