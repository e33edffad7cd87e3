"""Grain comes from sound places beside it, the same offset for all that finds some there."""

import cv2
import numpy as np

from siman_synth.editing.ground import copied_grain


def test_grain_is_copied_from_known_places_only() -> None:
    rng = np.random.default_rng(3)
    height, width = 40, 90
    # Left of the middle there is grain, right of it none; a stripe in the left part is covered.
    pixels = np.full((height, width, 3), 120, np.float32)
    pixels[:, :60] += rng.normal(0, 6, (height, 60, 1)).astype(np.float32)
    known = np.ones((height, width), np.float32)
    known[12:28, 10:50] = 0
    covered = known == 0
    copied = copied_grain(pixels, known, covered)
    assert not copied[~covered].any()
    grain = copied[covered]
    assert 4 < grain.std() < 8
    assert np.allclose(grain[:, 0], grain[:, 1], atol=1e-4)
    assert np.array_equal(copied, plainly_copied(pixels, known, covered))


def plainly_copied(pixels: np.ndarray, known: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Copy place by place: by the first of 32 offsets, drawn ever wider, that leads to a sound place."""
    height, width = known.shape
    weights = cv2.GaussianBlur(known, (0, 0), 2.0)[..., None]
    near = cv2.GaussianBlur(pixels * known[..., None], (0, 0), 2.0) / np.maximum(weights, 1e-3)
    rng = np.random.default_rng(height * 7919 + width)
    offsets = []
    for number in range(32):
        grow = (number + 1) / 32
        across = int(rng.integers(2, 3 + width // 2 * grow)) * (1 if rng.random() < 0.5 else -1)
        down = int(rng.integers(0, 2 + height // 2 * grow)) * (1 if rng.random() < 0.5 else -1)
        offsets.append((down, across))
    copied = np.zeros_like(pixels)
    for y, x in np.argwhere(covered):
        for down, across in offsets:
            there = y - down, x - across
            if 0 <= there[0] < height and 0 <= there[1] < width:
                around = known[max(0, there[0] - 1) : there[0] + 2, max(0, there[1] - 1) : there[1] + 2]
                if around.all():
                    copied[y, x] = pixels[there] - near[there]
                    break
    return copied


def test_where_nothing_is_sound_nothing_is_copied() -> None:
    pixels = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    covered = np.ones((20, 30), bool)
    assert not copied_grain(pixels, np.zeros((20, 30), np.float32), covered).any()


def test_tiny_pictures() -> None:
    for height, width in ((1, 1), (2, 7), (9, 1)):
        pixels = np.full((height, width, 3), 7, np.float32)
        known = np.ones((height, width), np.float32)
        known[0, 0] = 0
        assert copied_grain(pixels, known, known == 0).shape == pixels.shape
