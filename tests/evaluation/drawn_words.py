"""Words in a plain face that any recognizer reads."""

import cv2
import numpy as np

WORDS = ("Harbour", "STREET", "garage", "Coffee", "BOOKS", "tomato", "Bridge", "LONDON", "silver", "Market")


def drawn_word(text: str, seed: int, height: int = 32) -> np.ndarray:
    """Return `text` in a plain face, dark on light or the other way round, uint8 (H, W, 3)."""
    rng = np.random.default_rng(seed)
    ground, ink = rng.integers(170, 256, 3), rng.integers(0, 80, 3)
    if seed % 2:
        ground, ink = ink, ground
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 2)
    image = np.empty((32, width + 12, 3), np.uint8)
    image[:] = ground
    cv2.putText(image, text, (6, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, [int(part) for part in ink], 2)
    return cv2.resize(image, (image.shape[1] * height // 32, height), interpolation=cv2.INTER_CUBIC)
