"""Glyphs of damaged fonts may have no outline at all."""

import numpy as np

from siman_synth.render.claims import same_up_to_scale
from siman_synth.render.outlines import GlyphShape

BLANK = GlyphShape(np.zeros((0, 2), np.float32), np.zeros(0, np.int64))
SQUARE = GlyphShape(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), np.array([4]))


def test_what_has_no_outline_is_like_nothing() -> None:
    assert not same_up_to_scale(BLANK, SQUARE)
    assert not same_up_to_scale(SQUARE, BLANK)
    assert not same_up_to_scale(BLANK, BLANK)
    assert same_up_to_scale(SQUARE, SQUARE)
