"""Every kind of file that is found among crops, made on the fly."""

import ast
import contextlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

import siman_synth
from siman_synth.errors import CropError
from siman_synth.imaging.decode import decode_crop

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
    assert reason_of(b"\0\0\0\x20ftypisom\0\0\2\0", "film.jpg") == "not an image"
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


# Against references: what Pillow does with the whole picture at once, or plain arithmetic.

MODES = {
    "1": "PNG", "L": "PNG", "LA": "PNG", "P": "PNG", "RGB": "PNG", "RGBA": "PNG", "CMYK": "TIFF",
    "YCbCr": "TIFF", "LAB": "TIFF",
}  # fmt: skip


def random_picture(mode: str, width: int, height: int) -> Image.Image:
    values = np.random.default_rng(1).integers(0, 256, (height, width, 4), dtype=np.uint8)
    if mode in ("YCbCr", "LAB"):
        return Image.frombytes(mode, (width, height), values[..., :3].tobytes())
    image = Image.fromarray(values)
    return image.convert(mode) if mode in ("LA", "RGBA") else image.convert("RGB").convert(mode)


@pytest.mark.parametrize("size", [(37, 29), (1500, 1100)], ids=["small", "in several bands"])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_what_pillow_makes_of_it(mode: str, size: tuple[int, int]) -> None:
    image = random_picture(mode, *size)
    if "A" in mode and mode != "LAB":
        white = Image.new("RGBA", size, "white")
        wanted = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    else:
        wanted = image.convert("RGB")
    assert np.array_equal(decode_crop(encoded(image, MODES[mode]), mode), np.asarray(wanted))


@pytest.mark.parametrize("size", [(37, 29), (1500, 1100)], ids=["small", "in several bands"])
def test_transparent_colours_of_a_palette_become_white(size: tuple[int, int]) -> None:
    image = random_picture("RGB", *size).quantize(8, Image.Quantize.FASTOCTREE)
    numbers = np.asarray(image)
    colours = np.array(image.getpalette()).reshape(-1, 3).astype(np.uint8)
    colours[3] = 255
    assert np.array_equal(decode_crop(encoded(image, transparency=3), "palette"), colours[numbers])
    half = bytes([255, 128, *[255] * 6])  # an alpha for each colour
    seen = decode_crop(encoded(image, transparency=half), "palette")
    blended = np.rint(colours[1] * (128 / 255) + 255 * (127 / 255))
    assert np.abs(seen[numbers == 1].astype(int) - blended).max() <= 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("number", range(1, 9))
def test_every_orientation(number: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = number
    known: dict[str, dict[str, Any]] = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}
    options = known.get(kind, {})
    data = encoded(random_picture("RGB", 40, 28).resize((80, 56)), kind, exif=exif.tobytes(), **options)
    with Image.open(io.BytesIO(data)) as image:
        wanted = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(decode_crop(data, "turned"), wanted)
    assert wanted.shape == ((80, 56, 3) if number > 4 else (56, 80, 3))


@pytest.mark.parametrize("size", [(64, 32), (1500, 1100)], ids=["small", "in several bands"])
def test_deep_images_against_arithmetic(size: tuple[int, int]) -> None:
    width, height = size
    deep = np.random.default_rng(2).integers(0, 65536, (height, width), dtype=np.uint16)
    wanted = np.rint(deep / 257).astype(np.uint8)
    for image in (Image.fromarray(deep), Image.fromarray(deep.astype(np.int32))):
        kind = "PNG" if image.mode == "I;16" else "TIFF"
        assert np.array_equal(decode_crop(encoded(image, kind), "deep")[..., 1], wanted)
    wide = deep.astype(np.float32) * 3 - 1000
    wanted = np.rint((wide.astype(float) - wide.min()) * (255 / (float(wide.max()) - wide.min())))
    assert np.array_equal(decode_crop(encoded(Image.fromarray(wide), "TIFF"), "float")[..., 0], wanted)


def test_values_that_are_not_finite_count_as_zero() -> None:
    floats = np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1))
    floats[0, :3] = np.nan, np.inf, -np.inf
    crop = decode_crop(encoded(Image.fromarray(floats), "TIFF"), "float")
    assert crop[0, :3].tolist() == [[0, 0, 0]] * 3
    assert crop[1, -1].tolist() == [255, 255, 255]


def test_colour_profiles_are_ignored() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    plain, profiled = encoded(picture()), encoded(picture(), icc_profile=profile)
    assert np.array_equal(decode_crop(plain, "plain"), decode_crop(profiled, "profiled"))


def test_a_warning_of_pillow_never_reaches_the_terminal(recwarn: pytest.WarningsRecorder) -> None:
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xffgarbage")
    decode_crop(data, "crop.jpg")
    reason_of(bomb(9_500, 9_500))  # more than Pillow likes, less than it refuses
    assert not recwarn.list


def test_a_download_that_broke_off_is_called_truncated() -> None:
    noise = Image.effect_noise((400, 300), 60)
    for kind in ("JPEG", "PNG", "WEBP", "BMP", "TIFF"):
        data = encoded(noise, kind)
        for share in (0.02, 0.5, 0.99):
            assert reason_of(data[: int(share * len(data))]) in ("truncated", "damaged")


PACKAGE = Path(siman_synth.__file__).parent


@pytest.mark.parametrize(
    "file", sorted(PACKAGE.rglob("*.py")), ids=lambda file: str(file.relative_to(PACKAGE))
)
def test_nothing_else_decodes_pictures(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = {
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).split(".")[-1]
            in ("imdecode", "imread", "imdecodemulti", "imreadmulti")
        )
        or (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith(("Image.open", "ImageFile.Parser", "image.imread"))
        )
    }
    if file == PACKAGE / "imaging" / "codec.py":  # what we encoded ourselves, in memory
        assert found == {"cv2.imdecode"}
    elif file != PACKAGE / "imaging" / "decode.py":
        assert not found
    else:
        assert found == {"Image.open", "cv2.imdecode"}
        opened = next(
            n for n in ast.walk(tree) if isinstance(n, ast.Call) and "Image.open" in ast.unparse(n.func)
        )
        assert [word.arg for word in opened.keywords] == ["formats"]
    names = {
        a.name
        for n in ast.walk(tree)
        if isinstance(n, ast.ImportFrom) and n.module == "PIL.Image"
        for a in n.names
    }
    assert "open" not in names


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "Photoshop"),
    ],
)
def test_pictures_of_formats_that_are_not_read_are_named_with_advice(start: bytes, kind: str) -> None:
    with pytest.raises(CropError) as caught:
        decode_crop(start + bytes(40), "IMG_1.jpg")
    assert str(caught.value) == f"IMG_1.jpg is a {kind} picture, which is not read. Save it as PNG or JPEG."
    assert caught.value.reason == f"{kind} picture"
