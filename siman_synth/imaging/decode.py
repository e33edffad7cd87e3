"""The one place that decodes pictures: any bytes to uint8 (H, W, 3) RGB, or a clear refusal.

A picture's header is looked at before anything is unpacked: a file of a few kilobytes may say
that it holds gigabytes.
"""

import io
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from siman_synth.errors import CropError
from siman_synth.imaging.rgb import orientation, rgb_array, turned

MIN_SIDE_PX = 4
"""Fewer rows or columns hold no letter."""
MAX_PIXELS = 64_000_000
"""The photo of a phone has 48 million. Decoding takes 7 bytes a pixel, of WebP 16: a gigabyte at most."""
MAX_ASPECT = 512
"""Longer side over shorter one, as `render.max_aspect` may be. A line of 200 letters is about 130 heights
wide; a strip of 2,000,000 x 4 px, brought to the height of 32, would take gigabytes."""
MAX_FILE_BYTES = 256_000_000
"""The largest picture, uncompressed at four bytes a pixel."""
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM")
"""Raster formats with a signature. Others of Pillow would start programs (EPS), take any bytes for
an image (TGA), or are hardly ever used, and so hardly ever tested."""

_MOST_SCANS = 100
"""Of a progressive JPEG, which usually has about ten. Each is a pass over the whole picture, and a
few bytes are enough for one."""
_PNG = b"\x89PNG\r\n\x1a\n"
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"P5", b"P6")
_BRANDS = {b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"hevc": "HEIC",
           b"mif1": "HEIF", b"msf1": "HEIF", b"avif": "AVIF", b"avis": "AVIF"}  # fmt: skip
"""What stands at the eighth byte of pictures in the containers of MP4."""
_OTHER_SIGNATURES = {b"8BPS": "Photoshop", b"\xff\x0a": "JPEG XL", b"\0\0\0\x0cJXL ": "JPEG XL",
                     b"\0\0\0\x0cjP  ": "JPEG 2000", b"\xff\x4f\xff\x51": "JPEG 2000"}  # fmt: skip
_TRUNCATION_WORDS = ("truncat", "not enough image data", "unexpected end", "end of file", "buffer")
_START_OF_SCAN = b"\xff\xda"
_TILE_WIDTH, _TILE_LENGTH = 322, 323


def decode_crop(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """Decode a picture; its content decides the format, not the extension of `name`.

    Gray, 1-bit, palette and CMYK images become RGB; 16-bit and float ones are scaled to
    8 bits; transparency is laid over white, which is what most viewers show; EXIF
    rotation is applied; colour profiles are ignored; of several frames or pages the first
    is taken. Images taller than wide are decoded like others.

    Args:
        data: the encoded file.
        name: what error messages call it.

    Returns:
        uint8 (H, W, 3) RGB, at least `MIN_SIDE_PX` high and wide.

    Raises:
        CropError: with a `reason` of "zero bytes", "not an image", "HEIC picture" and the like, "truncated",
            "damaged", "too small", "too large" or "too long and thin".
    """
    array, turn = _unpacked(data, name)
    # Only now, when Pillow's copy is gone.
    return np.ascontiguousarray(turned(array, turn))


def read_picture(path: Path, name: str) -> bytes:
    """Return the bytes of a picture's file, for `decode_crop`.

    Raises:
        CropError: with a `reason` of "unreadable", or "too large".
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a named pipe would be waited for, for ever
            raise CropError(f"Cannot read {name}: it is not a regular file.", "unreadable")
        if found.st_size > MAX_FILE_BYTES:
            raise _too_large(name, f"{found.st_size} bytes", f"{MAX_FILE_BYTES} bytes are read")
        return path.read_bytes()
    except OSError as error:
        raise CropError(f"Cannot read {name}: {error.strerror}.", "unreadable") from error


def header_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) as a picture's header says, None if it is no picture; nothing is decoded."""
    try:
        with opened_picture(data, "") as image:
            return image.size
    except CropError:
        return None


def decoded_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a picture that Pillow decodes to its end, else None.

    Pictures beyond the limits of this module, but for the least side, are not tried.
    """
    try:
        with opened_picture(data, "") as image:
            _check_cost(image, data, "")
            with _told(""):
                image.load()
            return image.size
    except CropError:
        return None


def opencv_size(data: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a picture that OpenCV decodes, else None.

    As with `decoded_size`, the header must be within the limits.
    """
    try:
        with opened_picture(data, "") as image:
            _check_cost(image, data, "")
            if image.format == "PNG" and not _chunks_fit(data):
                return None
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except (CropError, cv2.error):
        return None
    return None if decoded is None else (decoded.shape[1], decoded.shape[0])


def _unpacked(data: bytes, name: str) -> tuple[npt.NDArray[np.uint8], int]:
    with opened_picture(data, name) as image:
        _check_cost(image, data, name)
        width, height = image.size
        if min(width, height) < MIN_SIDE_PX:
            raise CropError(
                f"{name} is too small: {width} x {height} px; at least {MIN_SIDE_PX} x {MIN_SIDE_PX} "
                "are needed.",
                "too small",
            )
        with _told(name):
            image.load()
            return rgb_array(image), orientation(image)


@contextmanager
def opened_picture(data: bytes, name: str) -> Iterator[Image.Image]:
    """Open a picture for its header and what stands beside its pixels; none of them is decoded.

    Raises:
        CropError: it is no picture, or its header is damaged.
    """
    if not data:
        raise CropError(f"{name} has zero bytes.", "zero bytes")
    # Pillow warns about damaged EXIF blocks and large pictures: what matters is told by our errors.
    with warnings.catch_warnings(action="ignore"):
        with _told(name, data):
            image = Image.open(io.BytesIO(data), formats=FORMATS)
        with image:
            yield image


@contextmanager
def _told(name: str, data: bytes = b"") -> Iterator[None]:
    """Turn whatever Pillow raises into a `CropError`."""
    try:
        yield
    except CropError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, str(error)) from error
    except UnidentifiedImageError as error:
        if data.startswith(_SIGNATURES):
            raise CropError(f"{name} ends or is damaged within its header.", "truncated") from error
        if other := _other_format(data):
            raise CropError(
                f"{name} is a {other} picture, which is not read. Save it as PNG or JPEG.", f"{other} picture"
            ) from error
        raise CropError(f"{name} is not an image (it starts with {data[:8]!r}).", "not an image") from error
    except Exception as error:  # Pillow's plugins raise many types on damaged files
        reason = "truncated" if _tells_truncation(error) else "damaged"
        raise CropError(f"{name} is {reason}: {error}.", reason) from error


def _other_format(data: bytes) -> str | None:
    """Return the name of a format that is none of `FORMATS`, where the first bytes tell it."""
    if data[4:8] == b"ftyp" and (brand := _BRANDS.get(data[8:12])):
        return brand
    return next((name for start, name in _OTHER_SIGNATURES.items() if data.startswith(start)), None)


def _check_cost(image: Image.Image, data: bytes, name: str) -> None:
    # From the header alone: nothing has been decompressed yet.
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(name, f"{len(data)} bytes", f"{MAX_FILE_BYTES} bytes are read")
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width} x {height} px")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise CropError(
            f"{name} is too long and thin: {width} x {height} px; one side may be {MAX_ASPECT} times the "
            "other at most.",
            "too long and thin",
        )
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        tile = [int(image.tag_v2.get(tag, 0)) for tag in (_TILE_WIDTH, _TILE_LENGTH)]
        if tile[0] * tile[1] > MAX_PIXELS:
            raise _too_large(name, f"tiles of {tile[0]} x {tile[1]} px")
    elif image.format in ("JPEG", "MPO") and (scans := data.count(_START_OF_SCAN)) > _MOST_SCANS:
        raise _too_large(name, f"{scans} scans", f"{_MOST_SCANS} are decoded")


def _chunks_fit(data: bytes) -> bool:
    """Whether no chunk of a PNG says that it is longer than what is there; OpenCV believes it."""
    start = len(_PNG)
    while start + 4 <= len(data):
        start += 12 + int.from_bytes(data[start : start + 4], "big")  # and the chunk's name and checksum
    return start <= len(data)


def _too_large(name: str, found: str, limit: str = f"{MAX_PIXELS} pixels are decoded") -> CropError:
    return CropError(f"{name} is too large: {found}; at most {limit}.", "too large")


def _tells_truncation(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, EOFError) or any(word in text for word in _TRUNCATION_WORDS)
