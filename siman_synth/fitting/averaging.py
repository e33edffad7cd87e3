"""One recipe of several good trials: the mean of what each of them believes.

Which trial is the best is luck, too, as its score is of a few hundred words, and what one trial has of rare
fonts, layouts and damage is what one weighing happened to leave. Their mean is as near to the crops as the
best of them, or nearer, and it is broader: of receipts recognizers read more after it, of scene words no less
nor more (benchmarks/RESULTS.md).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from siman_synth.fitting.belief import Belief
from siman_synth.fitting.recipe import RUN_CHOICES
from siman_synth.fitting.store import Trial
from siman_synth.fitting.table import Range, Table

MOST = 5
"""How many trials are taken together; eight were farther from receipts, nearer to scene crops."""


def mean_belief(beliefs: Sequence[Belief]) -> Belief:
    """Return what several beliefs say on average.

    A value drawn from the mean comes as often as if it were drawn from one of the beliefs by lot; of a range
    its mean and variance do, within what the table allows.
    """
    columns = zip(beliefs[0].table, *(belief.values for belief in beliefs), strict=True)
    return Belief(
        beliefs[0].table,
        tuple(
            _mean_range(np.stack(values)) if isinstance(entry, Range) else np.mean(values, axis=0)
            for entry, *values in columns
        ),
    )


def mean_of_trials(table: Table, trials: Sequence[Trial]) -> tuple[Belief, dict[str, float]]:
    """Return what trials believe on average, and the settings of a whole run that they took on average."""
    options = {name: float(np.mean([trial.options[name] for trial in trials])) for name in RUN_CHOICES}
    return mean_belief([Belief.from_json(table, one.belief) for one in trials]), options


def _mean_range(ends: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the one range with the mean and the variance of ranges (K, 2) together."""
    centres, halves = ends.mean(1), (ends[:, 1] - ends[:, 0]) / 2
    centre = centres.mean()
    half = np.sqrt(3 * (halves**2 / 3 + (centres - centre) ** 2).mean())
    return np.array([centre - half, centre + half]).clip(0, 1)
