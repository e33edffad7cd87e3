"""Words of which a crop shows only a part."""

import unicodedata

import numpy as np
import regex

from siman_synth.text.visible import needs_ink

_CLUSTER = regex.compile(r"\X")
_FEWEST = 4
"""Shorter words are not cut."""
_MOST = 0.6


def cut_at_an_end(text: str, rng: np.random.Generator) -> str:
    """Return `text`, in NFC, without some characters at its beginning or at its end, at least two are left.

    Letters keep the marks that stand on them.
    """
    letters = [found[0] for found in _CLUSTER.finditer(text)]
    most = min(int(_MOST * len(letters)), len(letters) - 2)
    if len(letters) < _FEWEST:
        return text
    lost, at_start = int(rng.integers(1, most + 1)), bool(rng.random() < 0.5)
    left = "".join(letters[lost:] if at_start else letters[:-lost]).strip()
    seen = any(map(needs_ink, left)) and unicodedata.combining(left[0]) == 0
    return left if seen and unicodedata.is_normalized("NFC", left) else text
