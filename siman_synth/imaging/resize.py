"""Resizing pictures, the same way everywhere."""

import cv2
import numpy as np


def resize_to_height(image: np.ndarray, height_px: int, width_multiple: int = 1) -> np.ndarray:
    """Resize uint8 (H, W, 3) to a height, keeping the aspect up to rounding the width.

    Area averaging when shrinking (no aliasing), bicubic when enlarging.
    """
    scale = height_px / image.shape[0]
    width_px = max(1, round(image.shape[1] * scale / width_multiple)) * width_multiple
    return resize(image, width_px, height_px, cv2.INTER_CUBIC)


def resize(image: np.ndarray, width_px: int, height_px: int, enlarging: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Resize uint8 (H, W, 3) to a size: by area averaging if it gets lower, else as `enlarging` says."""
    how = cv2.INTER_AREA if height_px < image.shape[0] else enlarging
    return np.asarray(cv2.resize(image, (width_px, height_px), interpolation=how))


def shrink_to_height(image: np.ndarray, height_px: int) -> np.ndarray:
    """Reduce uint8 (H, W, 3) to a height if it is higher, by area averaging; others stay as they are."""
    return resize_to_height(image, height_px) if image.shape[0] > height_px else image
