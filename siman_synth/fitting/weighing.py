"""Weighing simulated images until they look like the crops.

An image that was simulated with a point x, drawn with density q(x), stands for p(x) / q(x) images of a recipe
that draws x with density p(x). So one set of simulated images says how far any recipe is from the crops, and
which way to move its settings: the kernel distance (KID) of weighed images is a smooth function of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from siman_synth import stopping
from siman_synth.fitting.belief import (
    Belief,
    Movable,
    Tie,
    counts_where,
    log_joint,
    spread_again,
    within_groups,
)
from siman_synth.fitting.table import Range, Share, Weights

Vectors = npt.NDArray[np.float32]

_STEPS = 300
_RATE = 0.05
_IN_GROUPS = 10.0
"""How much dearer it is to leave the default within a group, as a family within its kind of fonts."""


@dataclass(frozen=True, slots=True)
class Round:
    """Simulated images: where their points were drawn from, the points, and what networks see in them."""

    drawn_from: Belief
    wide_share: float
    points: npt.NDArray[np.float64]
    """(N, E)."""
    features: Mapping[str, Vectors]
    """(N, D) by kind."""


class Kernel:
    """The kernel distance between weighed images and crops, on one kind of features."""

    def __init__(self, images: Vectors, crops: Vectors) -> None:
        # As `evaluate` has it: the kernel expects values of about one.
        scale = float(np.sqrt((crops.astype(np.float64) ** 2).mean()))
        ours, real = torch.from_numpy(images) / scale, torch.from_numpy(crops) / scale
        self._within = _kernel(ours, ours)
        self._to_real = _kernel(ours, real).mean(1)
        among = _kernel(real, real)
        count = len(real)
        self._real = (among.sum() - among.trace()) / (count * (count - 1))

    def distance(self, weights: Tensor) -> Tensor:
        """Return the distance for float32 weights (N,) that add up to 1.

        An image counts as like itself, too, so that few images of great weight are never near: what would
        be found then holds for those images alone.
        """
        return weights @ (self._within @ weights) - 2 * weights @ self._to_real + self._real


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T / one.shape[1] + 1) ** 3


@dataclass(frozen=True, slots=True)
class Weighed:
    """A belief that was found by weighing."""

    belief: Belief
    distances: Mapping[str, float]
    """The predicted distance by kind of features."""
    effective: float
    """For how many images the weighed ones count."""


class Weighing:
    """All images simulated so far, against one set of crops.

    Args:
        rounds: the images.
        crops: what networks see in each crop, by kind.
        default: what is believed where the crops do not say anything.
        columns: the entries of the table that are moved; the others stay as in `default`, and weights
            do not depend on them. Each entry more leaves fewer images that count, so those of which images
            tell nothing do harm.
        apart: by column of an entry with groups, how far its choices may leave the proportions that they have
            in `default` within their group, from 0 to 1. Without a number freely.
    """

    def __init__(
        self,
        rounds: Sequence[Round],
        crops: Mapping[str, Vectors],
        default: Belief,
        columns: Sequence[int],
        apart: Mapping[int, float] | None = None,
    ) -> None:
        self._default, self._columns = default, columns
        self._ties = {column: self._tie(column, trust) for column, trust in (apart or {}).items()}
        self._points = torch.from_numpy(np.concatenate([one.points for one in rounds]))
        self._kernels = {
            kind: Kernel(np.concatenate([one.features[kind] for one in rounds]), real)
            for kind, real in crops.items()
        }
        sizes = torch.tensor([float(len(one.points)) for one in rounds], dtype=torch.float64)
        logs = [log_joint(one.drawn_from, self._points, one.wide_share, columns) for one in rounds]
        self._drawn = torch.logsumexp(torch.stack(logs) + (sizes / sizes.sum()).log()[:, None], 0)
        self._counts = {column: counts_where(default.table, column, self._points) for column in columns}

    def weights(self, movable: Movable) -> Tensor:
        """Return (N,), adding up to 1: how much each image counts for a belief."""
        total = -self._drawn
        for column, counts in self._counts.items():
            total = total + torch.where(counts, movable.log_density(column, self._points), 0.0)
        return torch.softmax(total, 0)

    def _tie(self, column: int, trust: float) -> Tie:
        entry, before = self._default.table.entries[column], torch.from_numpy(self._default.values[column])
        assert isinstance(entry, Weights)
        groups = entry.groups
        return lambda found: within_groups(before, found, groups, trust)

    def find(self, start: Belief, caution: float, scales: Mapping[str, float]) -> Weighed:
        """Move a belief until the weighed images are as near to the crops as `caution` lets them.

        Args:
            start: where to begin.
            caution: how much leaving the default recipe costs; where crops do not say anything, what was
                found stays there.
            scales: what each kind's distance is divided by.
        """
        movable = Movable(start, self._ties)
        optimiser = torch.optim.Adam(movable.raw, lr=_RATE)
        for step in range(_STEPS):
            stopping.check()
            for group in optimiser.param_groups:
                group["lr"] = _RATE * (1 - step / _STEPS)
            weights = self.weights(movable)
            single = weights.float()
            loss = sum(
                kernel.distance(single).double() / scales[kind] for kind, kernel in self._kernels.items()
            ) / len(self._kernels)
            moved = {column: movable.value(column) for column in self._columns}
            loss = loss + caution * departure(self._default, moved)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            weights = self.weights(movable)
            distances = {
                kind: float(kernel.distance(weights.float())) for kind, kernel in self._kernels.items()
            }
        now, stay = movable.belief(), self._default.values
        values = [now.values[i] if i in self._counts else stay[i] for i in range(len(stay))]
        return Weighed(Belief(now.table, tuple(values)), distances, float(1 / (weights**2).sum()))


def departure(default: Belief, values: Mapping[int, Tensor]) -> Tensor:
    """Return how far values of some entries, by column, are from the default recipe, summed over them."""
    total = torch.zeros((), dtype=torch.float64)
    for column, found in values.items():
        entry = default.table.entries[column]
        before = torch.from_numpy(default.values[column])
        if isinstance(entry, Range):
            total = total + 2 * ((found.clamp(0, 1) - before) ** 2).sum()
        else:
            if isinstance(entry, Share):
                found, before = torch.cat([found, 1 - found]), torch.cat([before, 1 - before])
            total = total + _apart(found, before)
        if isinstance(entry, Weights) and entry.groups:
            total = total + _IN_GROUPS * _apart(found, spread_again(before, found, entry.groups))
    return total


def _apart(found: Tensor, before: Tensor) -> Tensor:
    """Return how far shares are from others (Kullback and Leibler), which may be 0."""
    return (found * ((found + 1e-6) / (before + 1e-3)).log()).sum()
