"""How often each value of each entry comes: what is believed of a domain, as numbers a search can move.

Points are float (N, E), one column an entry of the table: for a range its place from 0 to 1, for a share 1
or 0, for weights the number of the choice.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from siman_synth.fitting.table import Condition, Entry, Range, Share, Table, Weights

Points = npt.NDArray[np.float64]
Tie = Callable[[Tensor], Tensor]
"""From shares to shares that keep to something."""

SOFT = 0.04
"""How softly a range ends, as a share of how far it may go: what has sharp ends has no slope to follow."""
NARROWEST = 0.02
_GRID = 128
_RARE = 1e-4


@dataclass(frozen=True, slots=True)
class Belief:
    """For each entry of a table: (low, high) of a range, a share, or the shares of all choices."""

    table: Table
    values: tuple[npt.NDArray[np.float64], ...]

    @classmethod
    def wide(cls, table: Table) -> Self:
        """Return what is tried at first: whole ranges, every choice alike."""
        values = []
        for entry in table:
            if isinstance(entry, Range):
                values.append(np.array([0.0, 1.0]))
            elif isinstance(entry, Share):
                values.append(np.array([entry.tried]))
            else:
                values.append(
                    np.array(entry.tried or [1.0] * len(entry.choices))
                    / (sum(entry.tried) or len(entry.choices))
                )
        return cls(table, tuple(values))

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        return self.values[self.table.column(name)]

    def draw(self, count: int, rng: np.random.Generator, wide_share: float) -> Points:
        """Draw points; each value comes from `wide` instead with a chance of `wide_share`."""
        wide = Belief.wide(self.table)
        columns = []
        for entry, own, all_of_it in zip(self.table, self.values, wide.values, strict=True):
            from_wide = rng.random(count) < wide_share
            drawn = [_drawn(entry, value, count, rng) for value in (own, all_of_it)]
            columns.append(np.where(from_wide, drawn[1], drawn[0]))
        return np.stack(columns, axis=1)

    def to_json(self) -> list[list[float]]:
        """Return plain values."""
        return [[float(number) for number in value] for value in self.values]

    @classmethod
    def from_json(cls, table: Table, values: Any) -> Self:
        """Restore what `to_json` returned."""
        return cls(table, tuple(np.array(value, np.float64) for value in values))


def _drawn(
    entry: Entry, value: npt.NDArray[np.float64], count: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    if isinstance(entry, Range):
        # By the same soft density that weighs points, on a grid.
        grid = (np.arange(_GRID) + rng.random((count, 1))) / _GRID
        log = _log_box(torch.from_numpy(grid), torch.from_numpy(value)).numpy()
        chosen = (log + rng.gumbel(size=log.shape)).argmax(1)
        return np.asarray(grid[np.arange(count), chosen])
    if isinstance(entry, Share):
        return np.asarray(rng.random(count) < value[0], np.float64)
    return np.asarray(rng.choice(len(value), size=count, p=value / value.sum()), np.float64)


def _log_box(unit: Tensor, ends: Tensor) -> Tensor:
    """Return the logarithm of a softly ending box, not normalised."""
    sides = torch.stack([unit - ends[0], ends[1] - unit]) / SOFT + 2
    return torch.nn.functional.softplus(-sides).sum(0).neg()


class Movable:
    """A belief as tensors that a gradient can move, and the logarithms of its densities.

    Args:
        belief: where it begins.
        ties: by column of weights, what its shares are made to keep to.
    """

    def __init__(self, belief: Belief, ties: Mapping[int, Tie] | None = None) -> None:
        self._table, self._ties = belief.table, ties or {}
        self.raw: list[Tensor] = []
        for entry, value in zip(belief.table, belief.values, strict=True):
            if isinstance(entry, Range):
                half = max((value[1] - value[0]) / 2, NARROWEST)
                raw = torch.tensor([(value[0] + value[1]) / 2, np.log(half)])
            elif isinstance(entry, Share):
                share = np.clip(value[0], 0.003, 0.997)
                raw = torch.tensor([np.log(share / (1 - share))])
            else:
                raw = torch.tensor(np.log(np.maximum(value, _RARE)))
            self.raw.append(raw.double().requires_grad_(True))

    def value(self, column: int) -> Tensor:
        """Return an entry's value, as `Belief.values` has it."""
        entry, raw = self._table.entries[column], self.raw[column]
        if isinstance(entry, Range):
            centre = raw[0].clamp(0, 1)
            half = raw[1].exp().clamp(NARROWEST, 0.55)
            return torch.stack([centre - half, centre + half])
        if isinstance(entry, Share):
            return torch.sigmoid(raw)
        shares = torch.softmax(raw, 0)
        return self._ties[column](shares) if column in self._ties else shares

    def log_density(self, column: int, points: Tensor) -> Tensor:
        """Return (N,): the logarithm of how likely each point's value of an entry is."""
        return log_density(self._table, column, self.value(column), points)

    def belief(self) -> Belief:
        """Return where it stands."""
        values = []
        for column, entry in enumerate(self._table):
            value = self.value(column).detach().numpy().copy()
            values.append(np.clip(value, 0, 1) if isinstance(entry, Range) else value)
        return Belief(self._table, tuple(values))


def log_density(table: Table, column: int, value: Tensor, points: Tensor) -> Tensor:
    """Return (N,): the logarithm of the density of an entry, for points (N, E)."""
    entry, here = table.entries[column], points[:, column]
    if isinstance(entry, Range):
        grid = (torch.arange(_GRID, dtype=torch.float64) + 0.5) / _GRID
        whole = torch.logsumexp(_log_box(grid, value), 0) - math.log(_GRID)
        return _log_box(here, value) - whole
    if isinstance(entry, Share):
        share = value[0].clamp(_RARE, 1 - _RARE)
        return torch.where(here > 0, share.log(), (1 - share).log())
    return (value / value.sum()).clamp_min(_RARE / 10).log()[here.long()]


def spread_again(before: Tensor, found: Tensor, groups: Sequence[str]) -> Tensor:
    """Return shares with the groups of `found`, and within each group in the proportions of `before`."""
    names = list(dict.fromkeys(groups))
    member = torch.tensor([[group == name for group in groups] for name in names], dtype=torch.float64)
    spread = member * before.clamp_min(1e-6)
    return ((member @ found) / spread.sum(1)) @ spread


def within_groups(before: Tensor, found: Tensor, groups: Sequence[str], trust: float) -> Tensor:
    """Return shares with the groups of `found`, in each group as `before` but for `trust`, from 0 to 1."""
    return trust * found + (1 - trust) * spread_again(before, found, groups)


def counts_where(table: Table, column: int, points: Tensor) -> Tensor:
    """Return (N,) bool: where an entry has any bearing on the image."""
    given: Condition | None = table.entries[column].given
    if given is None:
        return torch.ones(len(points), dtype=torch.bool)
    on = table.column(given.entry)
    other = table.entries[on]
    if isinstance(other, Weights):
        return points[:, on] == list(other.choices).index(given.choice)
    return points[:, on] > 0


def log_joint(belief: Belief, points: Tensor, wide_share: float, columns: Sequence[int]) -> Tensor:
    """Return (N,): the logarithm of the density with which `Belief.draw` draws points, in some columns."""
    wide = Belief.wide(belief.table)
    total = torch.zeros(len(points), dtype=torch.float64)
    for column in columns:
        own, all_of_it = (
            log_density(belief.table, column, torch.from_numpy(one.values[column]), points)
            for one in (belief, wide)
        )
        mixed = torch.logaddexp(own + math.log(max(1 - wide_share, 1e-12)), all_of_it + math.log(wide_share))
        total += torch.where(counts_where(belief.table, column, points), mixed, 0.0)
    return total


def belief_of(settings: Mapping[str, Any], table: Table, default: Belief) -> Belief:
    """Return the belief that says what nested `settings` of a recipe say; what they lack is as `default`."""
    flat = dict(_flat(settings))
    values = []
    for entry, before in zip(table, default.values, strict=True):
        if isinstance(entry, Range) and entry.setting in flat:
            values.append(np.array([entry.unit(float(end)) for end in flat[entry.setting]]))
        elif isinstance(entry, Share) and entry.setting in flat:
            values.append(np.array([float(flat[entry.setting])]))
        elif isinstance(entry, Weights) and all(one in flat for one in entry.choices.values() if one):
            found = np.array([float(flat[one]) if one else 0.0 for one in entry.choices.values()])
            if "" in entry.choices.values():
                found[list(entry.choices.values()).index("")] = max(0.0, 1 - found.sum())
            values.append(found / found.sum())
        else:
            values.append(before)
    return Belief(table, tuple(values))


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        inner = isinstance(value, Mapping)
        found += _flat(value, f"{prefix}{key}.") if inner else [(prefix + key, value)]
    return found
