"""Filling what ink covered from what lies around it: colours smoothly, grain as it is beside it."""

import cv2
import numpy as np

from siman_synth.editing.ink import Floats, Pixels

_GRAIN_SIGMA_PX = 2.0
_SHIFTS = 32
_ODD = 24.0
_LEAST_WEIGHT = 0.01


def fill_ground(image: Pixels, hole: Floats, usual: Floats) -> Floats:
    """Return float32 (H, W, 3) in which what `hole`, (H, W) from 0 to 1, covers is filled.

    What it does not cover at all keeps its pixels. `usual`, (H, W, 3), is about the colour of the ground:
    what is far from it, such as the frame of a sign, lends less of its own.
    """
    pixels = image.astype(np.float32)
    covered = hole > 0.02
    if not covered.any() or covered.all():
        return pixels
    known = (~covered).astype(np.float32)
    off = np.linalg.norm(cv2.GaussianBlur(pixels, (0, 0), 1.0) - usual, axis=-1)
    odd = float(np.clip(3 * np.median(off[~covered]), _ODD, 2 * _ODD))
    sound = known * (off < odd)
    weights = known * (_LEAST_WEIGHT + (1 - _LEAST_WEIGHT) * (off < odd)).astype(np.float32)
    filled = _pyramid_fill(pixels, weights) + copied_grain(pixels, sound, covered)
    weight = np.clip(hole, 0, 1)[..., None]
    mixed = np.where(covered[..., None], weight * filled + (1 - weight) * pixels, pixels)
    return mixed.astype(np.float32)


def _pyramid_fill(pixels: Floats, known: Floats) -> Floats:
    """Fill from the nearest known pixels: every level of a pyramid fills what the finer one could not."""
    sums, weights = [pixels * known[..., None]], [known]
    while min(sums[-1].shape[:2]) > 2:
        sums.append(cv2.pyrDown(sums[-1]))
        weights.append(cv2.pyrDown(weights[-1]))
    filled = sums[-1] / np.maximum(weights[-1], 1e-6)[..., None]
    for total, weight in zip(sums[-2::-1], weights[-2::-1], strict=True):
        height, width = weight.shape
        coarse = cv2.pyrUp(filled)[:height, :width]
        own = total / np.maximum(weight, 1e-6)[..., None]
        share = np.clip(weight, 0, 1)[..., None]
        filled = share * own + (1 - share) * coarse
    # Pyramids leave steps.
    soft = cv2.GaussianBlur(filled, (0, 0), max(0.8, min(known.shape) / 48))
    return np.asarray(soft, np.float32)


def copied_grain(pixels: Floats, known: Floats, covered: np.ndarray) -> Floats:
    """Return the fine structure (H, W, 3) of known places, copied from near by to those that are covered."""
    sums = cv2.GaussianBlur(np.dstack([pixels * known[..., None], known]), (0, 0), _GRAIN_SIGMA_PX)
    fine = (pixels - sums[..., :3] / np.maximum(sums[..., 3:], 1e-3)) * known[..., None]
    # Next to ink the ground is not only ground.
    sound = cv2.erode(known, np.ones((3, 3), np.uint8), borderValue=1.0)
    copied = np.zeros((covered.size, 3), np.float32)
    fine = fine.reshape(-1, 3)
    height, width = known.shape
    rng = np.random.default_rng(height * 7919 + width)
    reach_x, reach_y = max(2, width // 2), max(2, height // 2)
    framed = np.pad(sound > 0, ((reach_y + 2, reach_y + 2), (reach_x + 3, reach_x + 3)))
    waiting = np.flatnonzero(covered)
    framed_waiting = np.flatnonzero(np.pad(covered, ((reach_y + 2, reach_y + 2), (reach_x + 3, reach_x + 3))))
    for number in range(_SHIFTS):
        if not len(waiting):
            break
        grow = (number + 1) / _SHIFTS
        dx = int(rng.integers(2, 3 + reach_x * grow)) * (1 if rng.random() < 0.5 else -1)
        dy = int(rng.integers(0, 2 + reach_y * grow)) * (1 if rng.random() < 0.5 else -1)
        found = framed.take(framed_waiting - (dy * framed.shape[1] + dx))
        here = waiting[found]
        copied[here] = fine.take(here - (dy * width + dx), axis=0)
        waiting, framed_waiting = waiting[~found], framed_waiting[~found]
    return copied.reshape(pixels.shape)
