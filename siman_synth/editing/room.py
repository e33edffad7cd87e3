"""How far the ground beside a word is free."""

import cv2
import numpy as np

from siman_synth.editing.ink import Floats, Pixels

_ODD = 28.0
"""Grey levels from the ground's colour from which a pixel is something else."""
_NOISE = 5.0
_SHARE = 0.3
"""Of the word's height: what fills so much of a column stands in the way."""
_COVERED = 0.1


def free_room(
    crop: Pixels, ground: Floats, hole: Floats, span: tuple[float, float], rows: tuple[float, float]
) -> tuple[float, float]:
    """Return from where to where, across a crop (H, W, 3), nothing but ground stands beside the old word.

    Args:
        crop: uint8.
        ground: (H, W, 3), its colours without ink.
        hole: (H, W), 0 to 1: what the old word covers.
        span: from where to where it reaches.
        rows: its top and bottom.
    """
    width = crop.shape[1]
    top, bottom = max(0, round(rows[0])), round(rows[1])
    away = np.abs(cv2.GaussianBlur(crop.astype(np.float32) - ground, (0, 0), 0.8)).max(-1)[top:bottom]
    bare = hole[top:bottom] < _COVERED
    if not bare.any():
        return 0.0, float(width)
    odd = bare & (away > max(_ODD, _NOISE * float(np.median(away[bare]))))
    blocked = np.flatnonzero(odd.mean(0) > _SHARE)
    before, after = blocked[blocked < span[0]], blocked[blocked >= span[1]]
    left = float(before.max() + 1) if before.size else 0.0
    return left, float(after.min()) if after.size else float(width)
