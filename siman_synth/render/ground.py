"""How much of the ground between the strokes of a word is left when its ink grew.

A word whose letters are closed to blocks stands out from its ground as it should, and nobody can read it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from siman_synth.render.boxes import Box
from siman_synth.text.visible import needs_ink

Mask = npt.NDArray[np.uint8]

LEAST = 0.3
"""The share that a word needs. Of 1,500 words with every setting as far as it may go eight had less, and one
of these could be read."""
_BLOCK = 0.75
"""Characters that fill more of their boxes than this (I, l, a dash) have no ground to lose."""


def ground_left(clean: Mask, grown: Mask, text: str, boxes: Sequence[Box]) -> float:
    """Return the share of the ground in the boxes of characters that is still there; 1 if there was none.

    Args:
        clean: (H, W), the word as its font has it, 255 = full ink.
        grown: the same with the ink that is drawn.
        text: the characters.
        boxes: where each of them is.
    """
    before = after = 0.0
    for character, box in zip(text, boxes, strict=True):
        if not needs_ink(character):
            continue
        ground = float((255.0 - clean[box.pixels]).sum())
        if ground < (1 - _BLOCK) * 255 * clean[box.pixels].size:
            continue
        before += ground
        after += float((255.0 - grown[box.pixels]).sum())
    return after / before if before else 1.0
