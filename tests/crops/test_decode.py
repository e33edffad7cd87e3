"""Every kind of file that is found among crops, made on the fly."""

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from siman_synth.crops.decode import decode_crop
from siman_synth.errors import CropError

WIDTH, HEIGHT = 48, 20
RED = (200, 30, 40)


def picture(
    mode: str = "RGB", size: tuple[int, int] = (WIDTH, HEIGHT), left: Any = RED, right: Any = None
) -> Image.Image:
    """Return an image whose left half has one colour and whose right half another (black)."""
    image = Image.new(mode, size, left)
    image.paste(right if right is not None else 0, (size[0] // 2, 0, *size))
    return image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def reason_of(data: bytes, name: str = "crop.png") -> str:
    with pytest.raises(CropError) as caught:
        decode_crop(data, name)
    assert str(caught.value).startswith(name)
    return caught.value.reason


def bomb(width: int, height: int) -> bytes:
    """Return a PNG whose header promises an enormous image."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = b""
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")):
        chunks += struct.pack(">I", len(content)) + kind + content
        chunks += struct.pack(">I", zlib.crc32(kind + content))
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF", "WEBP", "PPM"])
def test_formats(kind: str) -> None:
    options = {"quality": 100} if kind in ("JPEG", "WEBP") else {}
    crop = decode_crop(encoded(picture(), kind, **options), "crop")
    assert crop.shape == (HEIGHT, WIDTH, 3)
    assert crop.dtype == np.uint8
    assert crop.flags.c_contiguous
    assert np.abs(crop[3, 3].astype(int) - RED).max() < 12
    assert crop[3, -3].max() < 12


def test_the_content_decides_not_the_extension() -> None:
    assert decode_crop(encoded(picture(), "BMP"), "crop.jpg")[0, 0].tolist() == list(RED)


def test_gray_and_one_bit() -> None:
    assert decode_crop(encoded(picture("L", left=77)), "gray")[0, 0].tolist() == [77, 77, 77]
    assert decode_crop(encoded(picture("1", left=1)), "bits")[0, [0, -1], 0].tolist() == [255, 0]


def test_transparency_is_laid_over_white() -> None:
    for mode, left in (("RGBA", (*RED, 255)), ("LA", (77, 255))):
        crop = decode_crop(encoded(picture(mode, left=left, right=(0,) * (len(left) - 1) + (0,))), mode)
        assert crop[0, 0, 0] == left[0]
        assert crop[0, -1].tolist() == [255, 255, 255]


def test_palettes() -> None:
    palette = picture().quantize(4)
    assert decode_crop(encoded(palette), "palette")[0, 0].tolist() == list(RED)
    black = palette.getpixel((WIDTH - 1, 0))
    crop = decode_crop(encoded(palette, transparency=black), "transparent")
    assert crop[0, [0, -1]].tolist() == [list(RED), [255, 255, 255]]
    assert decode_crop(encoded(palette, "GIF"), "gif")[0, 0].tolist() == list(RED)


def test_cmyk() -> None:
    crop = decode_crop(encoded(picture("CMYK", left=(0, 255, 255, 0)), "JPEG", quality=100), "cmyk.jpg")
    assert crop[3, 3, 0] > 240
    assert crop[3, 3, 1:].max() < 15


def test_deep_images_are_scaled() -> None:
    ramp = np.linspace(0, 65535, WIDTH).astype(np.uint16)
    crop = decode_crop(encoded(Image.fromarray(np.tile(ramp, (HEIGHT, 1)))), "sixteen")
    assert crop[0, [0, WIDTH // 2, -1], 0].tolist() == [0, round(int(ramp[WIDTH // 2]) / 257), 255]
    floats = np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))
    assert decode_crop(encoded(Image.fromarray(floats), "TIFF"), "float")[0, [0, -1], 1].tolist() == [0, 255]


def test_exif_rotation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    crop = decode_crop(encoded(picture(), "JPEG", exif=exif.tobytes(), quality=100), "turned.jpg")
    assert crop.shape == (WIDTH, HEIGHT, 3)
    assert crop[3, 3, 0] > 150 > crop[-3, 3, 0]


def test_a_damaged_exif_block_is_ignored() -> None:
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    assert decode_crop(data, "crop.jpg").shape == (HEIGHT, WIDTH, 3)


def test_taller_than_wide_is_decoded() -> None:
    assert decode_crop(encoded(picture(size=(10, 60))), "tall").shape == (60, 10, 3)


def test_the_first_frame_of_an_animation() -> None:
    data = encoded(picture(), "GIF", save_all=True, append_images=[picture(left=(0, 0, 255))])
    assert decode_crop(data, "moving.gif")[0, 0].tolist() == list(RED)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_truncated_files(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 200, 3), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), kind)
    assert reason_of(data[: len(data) // 2]) in ("truncated", "damaged")
    assert reason_of(data[:14]) in ("truncated", "damaged")


def test_truncated_jpeg_and_png_are_called_so() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 200, 3), dtype=np.uint8)
    for kind in ("JPEG", "PNG"):
        data = encoded(Image.fromarray(noise), kind)
        assert reason_of(data[: len(data) // 2]) == "truncated"


def test_files_that_are_no_crops() -> None:
    assert reason_of(b"") == "zero bytes"
    assert reason_of(b"<html>404</html>", "404.jpg") == "not an image"
    assert reason_of(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == "not an image"
    assert reason_of(encoded(picture(size=(1, 1)))) == "too small"
    assert reason_of(encoded(picture(size=(200, 3)))) == "too small"


@pytest.mark.parametrize("side", [9_000, 10_000, 60_000])
def test_decompression_bombs_are_refused_from_their_header(side: int) -> None:
    assert reason_of(bomb(side, side)) == "too large"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_never_raises_anything_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"]))
    content = bytearray(encoded(picture(), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(CropError):
        crop = decode_crop(bytes(content), "damaged")
        assert crop.ndim == 3
        assert crop.dtype == np.uint8
