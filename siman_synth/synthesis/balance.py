"""How alike crops look, so that a thousand look-alikes do not lend their style a thousand times as often.

All sums are whole numbers, so their order does not matter.
"""

import math

import cv2
import numpy as np
import numpy.typing as npt

_THUMBNAIL = (8, 4)
"""Width and height; fine enough for colours and where they are, too coarse for letters."""
_VALUES = 3 * _THUMBNAIL[0] * _THUMBNAIL[1]
_ALIKE = 16
"""Root mean square difference of two thumbnails that look alike, in levels of 256 (CIELAB)."""
_ASPECT_LEVELS = 20
"""How many levels of every value a ratio of e between two widths counts as."""
_SCALE = 1_000_000
_ROWS = 128


def look(image: npt.NDArray[np.uint8]) -> npt.NDArray[np.int16]:
    """Return what uint8 (H, W, 3) looks like from afar: a thumbnail and its shape, int16 (97,)."""
    height, width = image.shape[:2]
    thumbnail = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), _THUMBNAIL, interpolation=cv2.INTER_AREA)
    shape = round(_ASPECT_LEVELS * math.sqrt(_VALUES) * math.log(width / height))
    return np.append(thumbnail.reshape(-1), shape).astype(np.int16)


def lookalikes(looks: npt.NDArray[np.int16]) -> npt.NDArray[np.int64]:
    """Return for each of N looks (N, 97) how many are like it, itself included."""
    # 96 products of bytes and the square of the shape: below 2 ** 23, float32 counts exactly.
    points = looks.astype(np.float32)
    lengths = (points * points).sum(1)
    counts = np.zeros(len(points), np.int64)
    for start in range(0, len(points), _ROWS):
        some = slice(start, start + _ROWS)
        apart = lengths[some, None] + lengths[None] - 2 * (points[some] @ points.T)
        counts[some] = (apart <= _VALUES * _ALIKE**2).sum(1)
    return counts


def weights(looks: npt.NDArray[np.int16], balance: float) -> npt.NDArray[np.int64]:
    """Return how often each of N crops should be drawn, in proportion.

    Args:
        looks: (N, 97).
        balance: 0 draws every crop equally often, 1 about every look.
    """
    if balance == 0:
        return np.full(len(looks), _SCALE, np.int64)
    return np.maximum(np.rint(_SCALE * lookalikes(looks).astype(np.float64) ** -balance), 1).astype(np.int64)
