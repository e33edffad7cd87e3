"""Reading from crops how they were made: learned from simulated images, of which that is known.

For each entry of the table a classifier learns, from what networks see in an image, which choice made it.
What it says of the crops, one by one, holds for a domain in which choices come as often as simulated.
How often they come in the crops follows by expectation and maximisation (Saerens, Latinne and Decaestecker,
Neural Computation 2002). Images that were held back say how much of an entry can be read at all: what cannot
is left as it was. Of choices that are tied in groups (lists of words) they also say how far those of one
group can be told apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from siman_synth import stopping
from siman_synth.fitting.belief import Belief, counts_where, within_groups
from siman_synth.fitting.table import Condition, Entry, Range, Share, Table, Weights
from siman_synth.fitting.weighing import Round, Vectors
from siman_synth.seeding import sample_rng

Shares = npt.NDArray[np.float64]

_BINS = 6
"""In how many parts a range is read."""
_HELD_BACK = 0.25
_STRENGTHS = (0.001, 0.01, 0.1)
"""Regularisation that is tried, as scikit-learn counts it."""
_FEWEST = 60
"""With fewer images, or fewer crops that an entry counts for, nothing is read."""
_UNREAD, _READ = 0.05, 0.15
"""Below the first certainty an entry stays as it was, above the second it is what was read."""
_ROUNDS = 200
_TOLD = 0.03
"""Certainties below it come about by chance."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read from crops."""

    belief: Belief
    """How often each value comes; as before where images do not tell."""
    certainty: Mapping[str, float]
    """By entry: the share of what there is to know, in bits, that images held back tell, from 0 to 1."""
    apart: Mapping[int, float] = field(default_factory=dict)
    """By column of an entry with tied groups: how far to trust what is found within a group, from 0 to 1."""

    @property
    def told(self) -> list[int]:
        """The columns of the entries of which images tell something; all, if they tell of none."""
        entries = self.belief.table.entries
        told = [column for column, entry in enumerate(entries) if self.certainty[entry.name] > _TOLD]
        return told or list(range(len(entries)))


def read(rounds: Sequence[Round], crops: Mapping[str, Vectors], default: Belief, seed: int) -> Reading:
    """Learn from simulated images, and read crops.

    Args:
        rounds: simulated images.
        crops: what networks see in each crop, by kind.
        default: what is believed where nothing can be read.
        seed: decides which images are held back.
    """
    points = np.concatenate([one.points for one in rounds])
    images = np.concatenate([np.hstack([one.features[kind] for kind in crops]) for one in rounds])
    real = np.hstack(list(crops.values()))
    middle, spread = images.mean(0), images.std(0) + 1e-6
    images, real = (images - middle) / spread, (real - middle) / spread
    held_back = sample_rng(seed, "fit", "reading").random(len(images)) < _HELD_BACK
    values, certainty = list(default.values), {}
    apart: dict[int, float] = {}
    chances: dict[str, Shares] = {}
    for column, entry in enumerate(default.table):
        stopping.check()
        groups = entry.groups if isinstance(entry, Weights) and entry.tied else ()
        counted = counts_where(default.table, column, torch.from_numpy(points)).numpy()
        weights = _crops_counted(entry, default.table, chances, len(real))
        classes = _classes(entry, points[counted, column])
        found = _learned(images[counted], classes, held_back[counted], real, groups)
        if found is None or weights.sum() < _FEWEST:
            certainty[entry.name] = 0.0
            if groups:
                apart[column] = 0.0
            continue
        chances[entry.name], shares = _corrected(found, weights, _number(entry))
        certainty[entry.name] = found.certainty
        value = _value(entry, shares)
        if groups:
            apart[column] = _trust(found.within)
            before, now = torch.from_numpy(values[column]), torch.from_numpy(value)
            value = within_groups(before, now, groups, apart[column]).numpy()
        trust = _trust(found.certainty)
        values[column] = (1 - trust) * values[column] + trust * value
    return Reading(Belief(default.table, tuple(values)), certainty, apart)


def _trust(certainty: float) -> float:
    return float(np.clip((certainty - _UNREAD) / (_READ - _UNREAD), 0, 1))


@dataclass(frozen=True, slots=True)
class _Learned:
    classes: npt.NDArray[np.int64]
    """Those that were simulated, ascending."""
    simulated: Shares
    """How often each of them was."""
    chances: Shares
    """(N, classes): what the classifier says of the crops."""
    certainty: float
    within: float
    """The certainty among the choices of one group; 0 without groups."""


def _learned(
    images: Vectors,
    classes: npt.NDArray[np.int64],
    held_back: npt.NDArray[np.bool_],
    real: Vectors,
    groups: Sequence[str],
) -> _Learned | None:
    """Train classifiers, keep the one that is best on images held back; None with too few images."""
    from sklearn.linear_model import LogisticRegression

    train, test = ~held_back, held_back & np.isin(classes, classes[~held_back])
    if train.sum() < _FEWEST or len(np.unique(classes[train])) < 2 or not test.any():
        return None
    known, counts = np.unique(classes[train], return_counts=True)
    simulated = counts / counts.sum()
    place = np.searchsorted(known, classes[test])
    blind = -np.log(simulated[place]).mean()
    best: tuple[float, Shares] | None = None
    within = 0.0
    for strength in _STRENGTHS:
        stopping.check()
        model = LogisticRegression(C=strength, max_iter=300).fit(images[train], classes[train])
        chances = model.predict_proba(images[test])
        loss = -np.log(np.maximum(chances[np.arange(len(place)), place], 1e-9)).mean()
        if groups:
            within = max(within, _certainty_within(chances, simulated, place, np.array(groups)[known]))
        if best is None or loss < best[0]:
            best = loss, model.predict_proba(real)
    assert best is not None
    return _Learned(known, simulated, best[1], max(0.0, float(1 - best[0] / blind)), within)


def _certainty_within(
    chances: Shares, simulated: Shares, place: npt.NDArray[np.int64], groups: npt.NDArray[np.str_]
) -> float:
    """Return what is known of a choice once its group is: 0 if nothing, or if no group has two choices."""
    same = groups[place][:, None] == groups
    several = same.sum(1) > 1
    if not several.any():
        return 0.0
    rows, place, same = np.arange(int(several.sum())), place[several], same[several]
    losses = []
    for shares in (chances[several], np.broadcast_to(simulated, same.shape)):
        among = np.where(same, np.maximum(shares, 1e-9), 0.0)
        losses.append(-np.log(among[rows, place] / among.sum(1)).mean())
    return max(0.0, float(1 - losses[0] / losses[1]))


def _corrected(found: _Learned, weights: Shares, number: int) -> tuple[Shares, Shares]:
    """Return each crop's chances of all classes, (N, number), and how often each class comes."""
    shares = found.simulated
    for _ in range(_ROUNDS):
        chances = found.chances * (shares / found.simulated)
        chances /= chances.sum(1, keepdims=True)
        shares = weights @ chances / weights.sum()
    every, all_shares = np.zeros((len(chances), number)), np.zeros(number)
    every[:, found.classes], all_shares[found.classes] = chances, shares
    return every, all_shares


def _crops_counted(entry: Entry, table: Table, chances: Mapping[str, Shares], count: int) -> Shares:
    """Return (N,): how likely it is that an entry has any bearing on each crop."""
    given: Condition | None = entry.given
    if given is None:
        return np.ones(count)
    if given.entry not in chances:
        return np.zeros(count)
    other = table[given.entry]
    chosen = list(other.choices).index(given.choice) if isinstance(other, Weights) else 1
    return chances[given.entry][:, chosen]


def _number(entry: Entry) -> int:
    return _BINS if isinstance(entry, Range) else 2 if isinstance(entry, Share) else len(entry.choices)


def _classes(entry: Entry, values: Shares) -> npt.NDArray[np.int64]:
    if isinstance(entry, Range):
        return np.minimum((values * _BINS).astype(np.int64), _BINS - 1)
    return values.astype(np.int64)


def _value(entry: Entry, shares: Shares) -> Shares:
    """Return what a belief holds of an entry: of a range the ends with the same mean and spread."""
    if isinstance(entry, Weights):
        return shares
    if isinstance(entry, Share):
        return shares[1:]
    centres = (np.arange(_BINS) + 0.5) / _BINS
    mean = float(shares @ centres)
    half = float(np.sqrt(3 * (shares @ (centres - mean) ** 2) + 0.25 / _BINS**2))
    return np.clip([mean - half, mean + half], 0, 1)
