"""How many words of the recipe `scene` a found recipe bears, so that it is not too narrow.

The kernel distance compares means of features. A kind of fonts or of damage that one crop in thirty shows
weighs next to nothing in them, and a search lets it vanish; a recognizer meets it nevertheless. Words that
are drawn as the recipe `scene` draws them, which was tuned by hand for variety, have all of it, and with a
part of them the others are often nearer to the crops. Where they are not, there shall be none: of receipts a
recognizer learned less from words that were a little farther off (benchmarks/RESULTS.md).
"""

import numpy as np

from siman_synth.evaluation.distances import mixed_kernel_distances
from siman_synth.fitting.measures import Measured

SHARES = tuple(step / 20 for step in range(11))
"""The shares that may be: up to half of the words."""


def largest_share(found: Measured, other: Measured, crops: Measured) -> float:
    """Return the largest share of other words among found ones that is no farther from the crops.

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
        apart = np.array(mixed_kernel_distances(ours, theirs, real / scale, SHARES))
        borne &= apart <= max(apart[0], 0.0)
    return max(share for share, is_borne in zip(SHARES, borne, strict=True) if is_borne)
