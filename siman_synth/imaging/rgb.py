"""From an opened picture of any mode to uint8 RGB, a few rows at a time.

Pillow's copy of the pixels and the result are all that is ever held whole.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

_BAND_PIXELS = 1 << 20
_SIXTEEN_BITS = "I;16"
"""How the names of these modes begin."""
_DEEPEST = 65535
_EIGHT_OF_SIXTEEN_BITS = np.rint(np.arange(_DEEPEST + 1) * (255 / _DEEPEST)).astype(np.uint8)
_WHITE = (255, 255, 255, 255)
_ORIENTATION = 0x0112


def rgb_array(image: Image.Image) -> Pixels:
    """Return the pixels of a loaded picture, uint8 (H, W, 3), as they are stored: not turned.

    Transparency is laid over white. Deep gray is scaled: 16-bit integers by their range, others
    by the range that they use; values that are not finite count as 0.
    """
    width, height = image.size
    result = np.empty((height, width, 3), np.uint8)
    limits = _used_range(image) if image.mode in ("I", "F") else (0.0, 0.0)
    for top, band in _bands(image):
        rows = slice(top, top + band.size[1])
        if band.mode.startswith(_SIXTEEN_BITS):
            result[rows] = _EIGHT_OF_SIXTEEN_BITS[np.asarray(band)][..., None]
        elif band.mode in ("I", "F"):
            result[rows] = _to_eight_bits(_values(band), *limits)[..., None]
        else:
            result[rows] = _colours(band)
    return result


def orientation(image: Image.Image) -> int:
    """Return how a loaded picture must be turned: EXIF's (or XMP's) number, 1 for not at all."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a damaged EXIF block says nothing about the pixels
        return 1


def turned(array: Pixels, number: int) -> Pixels:
    """Return a view of (H, W, 3) the right way up; `number` is EXIF's orientation."""
    if number in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if number in (2, 3, 6, 7):
        array = array[:, ::-1]
    if number in (3, 4, 7, 8):
        array = array[::-1]
    return array


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """Yield (first row, picture of some rows)."""
    width, height = image.size
    rows = max(1, _BAND_PIXELS // width)
    if rows >= height:
        yield 0, image
        return
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(top + rows, height)))


def _colours(band: Image.Image) -> Pixels:
    if "A" in band.getbands() or "transparency" in band.info:
        rgba = band.convert("RGBA")
        band = Image.alpha_composite(Image.new("RGBA", rgba.size, _WHITE), rgba)
    return np.asarray(band.convert("RGB"))


def _values(band: Image.Image) -> npt.NDArray[np.float64]:
    return np.nan_to_num(np.asarray(band).astype(np.float64), copy=False, posinf=0.0, neginf=0.0)


def _used_range(image: Image.Image) -> tuple[float, float]:
    ranges = [(float(values.min()), float(values.max())) for _, b in _bands(image) for values in [_values(b)]]
    low, high = min(low for low, _ in ranges), max(high for _, high in ranges)
    if image.mode != "F" and low >= 0 and high <= _DEEPEST:
        return 0.0, float(_DEEPEST)
    if image.mode == "F" and low >= 0 and high <= 255:
        return 0.0, 1.0 if high <= 1 else 255.0
    return low, high


def _to_eight_bits(values: npt.NDArray[np.float64], low: float, high: float) -> Pixels:
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
