"""Pictures of our own as JPEG or PNG in memory, and back."""

import cv2
import numpy as np

_SAMPLING_444 = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
_SAMPLING_420 = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420


def encode_jpeg(image: np.ndarray, quality: int, full_chroma: bool = False) -> bytes:
    """Return uint8 (H, W, 3) RGB as JPEG, with colour at full resolution (4:4:4) or at half of it (4:2:0)."""
    sampling = _SAMPLING_444 if full_chroma else _SAMPLING_420
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return _encode(".jpg", image, options)


def encode_png(image: np.ndarray) -> bytes:
    """Return uint8 (H, W, 3) RGB as PNG."""
    return _encode(".png", image, [])


def decode(data: bytes) -> np.ndarray:
    """Return what was encoded here as uint8 (H, W, 3) RGB, as a reader of the data set would see it.

    For files of others there is `decode_crop`, which trusts nothing.
    """
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return np.asarray(cv2.cvtColor(np.asarray(bgr), cv2.COLOR_BGR2RGB))


def _encode(suffix: str, image: np.ndarray, options: list[int]) -> bytes:
    _, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    return data.tobytes()
