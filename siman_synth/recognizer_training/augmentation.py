"""Small changes of a word that leave it readable, drawn anew each time it is seen."""

import math

import cv2
import numpy as np


def augmented(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move, turn, shear, blur and recolour a word a little; uint8 (H, W, 3) to the same."""
    height, width = image.shape[:2]
    turn, shear = rng.normal(0, math.radians(2)), rng.normal(0, 0.08)
    scale = 1 + rng.uniform(-0.08, 0.08, 2)
    linear = np.array([[scale[0], shear - turn], [turn, scale[1]]])
    centre = np.array([width / 2, height / 2])
    shift = centre - linear @ centre + rng.uniform(-1, 1, 2) * (0.03 * width, 0.06 * height)
    matrix = np.hstack([linear, shift[:, None]])
    moved = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.3:
        moved = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.4, 1.2))
    gain, offset = rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, 3), rng.uniform(-25, 25)
    table = np.clip((np.arange(256)[:, None] - 128) * gain + 128 + offset, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(moved, table[:, None, :]))
