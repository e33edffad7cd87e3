"""Word images of any size, to what the recognizer reads."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from siman_synth.imaging.resize import resize
from siman_synth.models.images import to_network

HEIGHT_PX, WIDTH_PX = 32, 100


def squeeze(image: np.ndarray, height_px: int = HEIGHT_PX, width_px: int = WIDTH_PX) -> np.ndarray:
    """Resize uint8 (H, W, 3) to one size, whatever its aspect, as recognizers do."""
    return resize(image, width_px, height_px)


def to_batch(images: Sequence[np.ndarray], height_px: int = HEIGHT_PX, width_px: int = WIDTH_PX) -> Tensor:
    """Turn uint8 (H_i, W_i, 3) images into float (B, 3, H, W) in [-1, 1], channels last."""
    return to_network([squeeze(image, height_px, width_px) for image in images])
