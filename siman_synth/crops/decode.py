"""Whatever lies in a folder of crops, to uint8 (H, W, 3) RGB or a clear refusal."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from siman_synth.errors import CropError

MIN_SIDE_PX = 4
MAX_PIXELS = 64_000_000

# Raster formats with a signature. Pillow's others would run Ghostscript (EPS), or take
# any bytes for an image (TGA).
_FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "PPM")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"RIFF", b"P5", b"P6")
_WIDE_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
_TRUNCATION_WORDS = ("truncat", "not enough image data", "unexpected end", "end of file", "buffer")
_BACKGROUND = (255, 255, 255, 255)


def decode_crop(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    """Decode an encoded image; its content decides the format, not the extension of `name`.

    Gray, 1-bit, palette and CMYK images become RGB; 16-bit and float ones are scaled to
    8 bits; transparency is laid over white, which is what most viewers show; EXIF
    rotation is applied; of an animation the first frame is taken. Images taller than
    wide are decoded like others.

    Args:
        data: the encoded file.
        name: what error messages call it.

    Returns:
        uint8 (H, W, 3) RGB, at least `MIN_SIDE_PX` high and wide.

    Raises:
        CropError: with a `reason` of "zero bytes", "not an image", "truncated", "damaged",
            "too small" or "too large".
    """
    if not data:
        raise CropError(f"{name} has zero bytes.", "zero bytes")
    with _open(data, name) as image:
        _check_size(image, name)
        try:
            image.load()
            return np.ascontiguousarray(_to_rgb(_upright(image)))
        except Exception as error:  # Pillow's plugins raise many types on damaged files
            reason = "truncated" if _tells_truncation(error) else "damaged"
            raise CropError(f"{name} is {reason}: {error}.", reason) from error


def _open(data: bytes, name: str) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, str(error)) from error
    except UnidentifiedImageError as error:
        if data.startswith(_SIGNATURES):
            raise CropError(f"{name} ends or is damaged within its header.", "truncated") from error
        raise CropError(f"{name} is not an image (it starts with {data[:8]!r}).", "not an image") from error
    except Exception as error:  # a damaged header
        reason = "truncated" if _tells_truncation(error) else "damaged"
        raise CropError(f"{name} is {reason}: {error}.", reason) from error


def _check_size(image: Image.Image, name: str) -> None:
    # From the header alone: nothing has been decompressed yet.
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(name, f"{width} x {height} px")
    if min(width, height) < MIN_SIDE_PX:
        raise CropError(
            f"{name} is too small: {width} x {height} px; at least {MIN_SIDE_PX} x {MIN_SIDE_PX} are needed.",
            "too small",
        )


def _too_large(name: str, found: str) -> CropError:
    return CropError(f"{name} is too large: {found}; at most {MAX_PIXELS} pixels are decoded.", "too large")


def _tells_truncation(error: Exception) -> bool:
    text = str(error).lower()
    return isinstance(error, EOFError) or any(word in text for word in _TRUNCATION_WORDS)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block says nothing about the pixels
        return image


def _to_rgb(image: Image.Image) -> npt.NDArray[np.uint8]:
    if image.mode in _WIDE_MODES:
        gray = _to_eight_bits(image)
        return np.repeat(gray[..., None], 3, axis=2)
    if "A" in image.getbands() or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, _BACKGROUND), rgba)
    return np.asarray(image.convert("RGB"))


def _to_eight_bits(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Scale a deep gray image: 16-bit integers by their range, others by the range they use."""
    values = np.nan_to_num(np.asarray(image).astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if image.mode != "F" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    elif image.mode == "F" and low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return np.rint(np.clip(scaled, 0, 255)).astype(np.uint8)
