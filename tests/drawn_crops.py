"""Crops that the tests draw for themselves."""

import cv2
import numpy as np


def drawn_crop(seed: int, height: int = 32, width: int = 100) -> np.ndarray:
    """Return a crop-like picture: bright letters on a dark ground or the other way round."""
    rng = np.random.default_rng(seed)
    ground, ink = (rng.integers(0, 90, 3), rng.integers(160, 256, 3))
    if seed % 2:
        ground, ink = ink, ground
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ground
    text = "".join(rng.choice(list("ABCDEFGHKLMNPRSTXYZ"), 8))
    cv2.putText(image, text, (2, height - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.7, [int(c) for c in ink], 2)
    return cv2.GaussianBlur(image, (3, 3), 0.6)
