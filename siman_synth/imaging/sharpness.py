"""How sharp a picture is, and making one as soft as another."""

import cv2
import numpy as np

_FLAT = 3.0
"""Deviation of lightness, of 255 levels, below which a picture holds nothing to measure."""
_STRONGEST_BLUR_PX = 3.0
_HALVINGS = 5


def sharpness(image: np.ndarray) -> float:
    """Return the deviation of the Laplacian of uint8 (H, W, 3), as a share of that of the lightness."""
    return edge_strength(_lightness(image))


def soften(image: np.ndarray, wanted: float) -> np.ndarray:
    """Blur uint8 (H, W, 3) until it is no sharper than `wanted`; what is softer already stays as it is."""
    lightness = _lightness(image)
    if edge_strength(lightness) <= wanted:
        return image
    weak, strong = 0.0, _STRONGEST_BLUR_PX
    for _ in range(_HALVINGS):
        middle = (weak + strong) / 2
        if edge_strength(cv2.GaussianBlur(lightness, (0, 0), middle)) > wanted:
            weak = middle
        else:
            strong = middle
    return np.asarray(cv2.GaussianBlur(image, (0, 0), strong))


def _lightness(image: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.float32)


def edge_strength(lightness: np.ndarray, flat: float = _FLAT) -> float:
    """Return the deviation of the Laplacian of float32 (H, W), as a share of its own or of `flat`."""
    _, deviation = cv2.meanStdDev(lightness)
    _, edges = cv2.meanStdDev(cv2.Laplacian(lightness, cv2.CV_32F))
    return float(edges[0, 0] / max(deviation[0, 0], flat))
