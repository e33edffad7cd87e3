"""Word images of any size, to what the recognizer reads."""

from collections.abc import Sequence

import cv2
import numpy as np
from torch import Tensor

from siman_synth.models.images import to_network

HEIGHT_PX, WIDTH_PX = 32, 100


def squeeze(image: np.ndarray) -> np.ndarray:
    """Resize uint8 (H, W, 3) to uint8 (32, 100, 3), whatever its aspect, as recognizers do."""
    shrinks = image.shape[0] > HEIGHT_PX and image.shape[1] > WIDTH_PX
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (WIDTH_PX, HEIGHT_PX), interpolation=how))


def to_batch(images: Sequence[np.ndarray]) -> Tensor:
    """Turn uint8 (H_i, W_i, 3) images into float (B, 3, 32, 100) in [-1, 1], channels last."""
    return to_network([squeeze(image) for image in images])[0]
