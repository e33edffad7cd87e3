"""How many words of the recipe `scene` a found recipe takes, so that it is not too narrow.

The kernel distance compares means of features. A kind of fonts or of damage that one crop in thirty shows
weighs next to nothing in them, and a search lets it vanish; a recognizer meets it nevertheless. Words that
are drawn as the recipe `scene` draws them, which was tuned by hand for variety, have all of it. Where they
are of the domain at all, a recognizer learned more with a third of them, at a distance that is hardly
greater; of receipts it learned less, even where the distance got smaller (benchmarks/RESULTS.md).
"""

import numpy as np

from siman_synth.evaluation.distances import mixed_kernel_distances
from siman_synth.fitting.measures import Measured

SHARES = tuple(step / 20 for step in range(11))
"""The shares that may be: up to half of the words."""

_OF_THE_DOMAIN = 2.0
"""How much farther than the found ones other words may be and still belong: words of `scene` are 1.7 times as
far from scene crops, 3.3 times from receipts."""
_BORNE = 1.1
"""How much greater the distance may be with them."""


def borne_share(found: Measured, other: Measured, crops: Measured) -> float:
    """Return the largest share of other words among found ones that the distance to the crops bears.

    There is none if the others alone are twice as far as the found ones, on any kind of features.

    Args:
        found: words of the recipe that was found.
        other: words of the same texts and styles, drawn otherwise.
        crops: what they are compared with.
    """
    borne = np.ones(len(SHARES), bool)
    for kind, vectors in crops.features.items():
        real = vectors.astype(np.float64)
        scale = np.sqrt((real**2).mean())  # as `evaluate` has it
        ours, theirs = (words.features[kind].astype(np.float64) / scale for words in (found, other))
        apart = np.array(mixed_kernel_distances(ours, theirs, real / scale, (*SHARES, 1.0)))
        nearest = max(apart[0], 0.0)
        if apart[-1] > _OF_THE_DOMAIN * nearest:
            return 0.0
        borne &= apart[:-1] <= _BORNE * nearest
    return max(share for share, is_borne in zip(SHARES, borne, strict=True) if is_borne)
