"""The colours of ink, and how sharp its edges are."""

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.editing.ink import Floats

_STEPS = 7
_STRONGEST_BLUR = 0.06
"""Of the height of a line."""


def unmixed_ink(picture: Floats, ground: Floats, alpha: Floats, sigma_px: float) -> Floats:
    """Return the ink's colours (H, W, 3), smooth, such that ground and ink mixed by `alpha` give the picture.

    Least squares in a neighbourhood: thin strokes, which nowhere show the ink alone, are taken apart, too.
    """
    pure = (picture - (1 - alpha[..., None]) * ground) * alpha[..., None]
    weights = alpha * alpha
    sums = np.dstack([pure, weights]).astype(np.float32)
    near = cv2.GaussianBlur(sums, (0, 0), sigma_px)
    far = sums.reshape(-1, 4).sum(0) / max(float(weights.sum()), 1e-6)
    share = np.clip(near[..., 3:] / 0.02, 0, 1)
    colours = share * near[..., :3] / np.maximum(near[..., 3:], 1e-6) + (1 - share) * far[:3]
    return np.asarray(np.clip(colours, 0, 255), np.float32)


def edge_slope(alpha: Floats, where: npt.NDArray[np.bool_] | None = None) -> float:
    """Return how fast ink begins at its sharper edges, as a share of the whole way in a pixel."""
    across, down = cv2.Scharr(alpha, cv2.CV_32F, 1, 0) / 32, cv2.Scharr(alpha, cv2.CV_32F, 0, 1) / 32
    slope = np.hypot(across, down)
    edges = slope[(alpha > 0.1) & (alpha < 0.9) & (where if where is not None else True)]
    # Steep places count most: noise is flat beside them.
    squares = float((edges**2).sum())
    return float((edges**3).sum()) / squares if squares > 0.01 else 0.0


def softening(mask: Floats, wanted: float, height_px: float) -> float:
    """Return the sigma of the blur after which the edges of a mask, 0 to 1, are no sharper than `wanted`."""
    if wanted <= 0 or edge_slope(mask) <= wanted:
        return 0.0
    weak, strong = 0.0, max(0.5, _STRONGEST_BLUR * height_px)
    for _ in range(_STEPS):
        middle = (weak + strong) / 2
        if edge_slope(cv2.GaussianBlur(mask, (0, 0), middle)) > wanted:
            weak = middle
        else:
            strong = middle
    return (weak + strong) / 2


def blurred_by(mask: Floats, sigma_px: float) -> Floats:
    """Return a blurred mask; as it is for a sigma of 0."""
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma_px)) if sigma_px else mask
