"""What a hostile picture may cost: nothing is unpacked that is not within the limits."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from siman_synth.errors import CropError
from siman_synth.imaging import decode
from siman_synth.imaging.decode import decode_crop, decoded_size, opencv_size, read_picture
from siman_synth.render.word import RenderConfig
from tests.imaging import hostile
from tests.imaging.hostile import encoded, png

PeakMemory = Callable[..., tuple[int, str]]

SETUP = "from siman_synth.imaging.decode import decode_crop"
WORK = """
try:
    print(decode_crop(open(sys.argv[1], 'rb').read(), 'picture').shape)
except Exception as error:
    print(type(error).__name__, getattr(error, 'reason', ''))
"""


def solid(mode: str, side: int) -> Image.Image:
    return Image.new(mode, (side, side))


PROGRESSIVE: dict[str, Any] = {"progressive": True, "subsampling": 0}
EXIF_TURNED = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
LARGE: dict[str, tuple[Callable[[int], bytes], int]] = {
    # What it is, and how many bytes a pixel it may cost.
    "gray, 16 bits": (lambda side: png(side, side, hostile.GRAY, 16), 6),
    "colour": (lambda side: png(side, side, hostile.RGB), 8),
    "gray and alpha": (lambda side: png(side, side, hostile.GRAY_ALPHA), 8),
    "colour and alpha, 16 bits": (lambda side: png(side, side, hostile.RGBA, 16), 8),
    "progressive JPEG": (lambda side: encoded(solid("RGB", side), "JPEG", **PROGRESSIVE), 11),
    "turned JPEG": (lambda side: encoded(solid("RGB", side), "JPEG", exif=b"Exif\0\0" + EXIF_TURNED), 8),
    "CMYK": (lambda side: encoded(solid("CMYK", side), "JPEG"), 8),
    "WebP": (lambda side: encoded(solid("RGBA", side), "WEBP", lossless=True, method=0), 17),
    "float": (lambda side: encoded(solid("F", side), "TIFF", compression="tiff_deflate"), 9),
    "integer": (lambda side: encoded(solid("I", side), "TIFF", compression="tiff_deflate"), 9),
    "GIF": (lambda side: encoded(solid("P", side), "GIF"), 8),
}  # fmt: skip


@pytest.mark.parametrize("kind", LARGE)
def test_a_large_photo_is_decoded_within_its_price(
    kind: str, tmp_path: Path, peak_memory: PeakMemory
) -> None:
    make, bytes_a_pixel = LARGE[kind]
    (tmp_path / "picture").write_bytes(make(3000))
    added_mb, output = peak_memory(SETUP, WORK, tmp_path / "picture")
    assert output == "(3000, 3000, 3)"
    assert added_mb < 9 * bytes_a_pixel + 40


@pytest.mark.slow
@pytest.mark.parametrize("kind", LARGE)
def test_the_largest_picture_costs_a_gigabyte_at_most(
    kind: str, tmp_path: Path, peak_memory: PeakMemory
) -> None:
    (tmp_path / "picture").write_bytes(LARGE[kind][0](8000))
    added_mb, output = peak_memory(SETUP, WORK, tmp_path / "picture")
    assert output == "(8000, 8000, 3)"
    assert added_mb < 1100


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "16,000,000 x 4": (lambda: png(16_000_000, 4), "too long and thin"),
    "2,000,000 x 4": (lambda: png(2_000_000, 4), "too long and thin"),
    "4 x 200,000": (lambda: png(4, 200_000), "too long and thin"),
    "16 bits, 9000 x 9000": (lambda: png(9000, 9000, hostile.GRAY, 16), "too large"),
    "WebP of 16,383 x 16,383": (
        lambda: (
            b"RIFF" + (4 + 18).to_bytes(4, "little") + b"WEBPVP8X" + (10).to_bytes(4, "little")
            + b"\x02\0\0\0" + (16382).to_bytes(3, "little") * 2
        ),
        "too large",
    ),
    "a tile larger than its picture": (lambda: hostile.tiled_tiff(100, 40_000), "too large"),
    "a colour profile that unpacks to 256 MB": (
        lambda: png(64, 32, before=hostile.chunk(b"iCCP", b"x\0\0" + hostile.bomb(1 << 28))),
        "damaged",
    ),
    "a text that unpacks to 256 MB": (
        lambda: png(64, 32, before=hostile.chunk(b"zTXt", b"x\0\0" + hostile.bomb(1 << 28))),
        "damaged",
    ),
    "seventy texts of 1 MB": (
        lambda: png(64, 32, before=hostile.chunk(b"zTXt", b"x\0\0" + hostile.bomb(1 << 20)) * 70),
        "damaged",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_small_files_that_hold_a_lot_cost_nothing(kind: str, tmp_path: Path, peak_memory: PeakMemory) -> None:
    make, reason = REFUSED[kind]
    (tmp_path / "picture").write_bytes(make())
    added_mb, output = peak_memory(SETUP, WORK, tmp_path / "picture")
    assert output == f"CropError {reason}"
    assert added_mb < 100


@pytest.mark.parametrize("length", [b"\x7f\0\0\0", b"\xfe\0\x11I", b"\xff\xff\xff\xff"])
def test_a_chunk_that_says_it_is_long_costs_nothing(
    length: bytes, tmp_path: Path, peak_memory: PeakMemory
) -> None:
    """OpenCV takes memory for a chunk of a PNG before it reads it: 900 bytes cost 4 GB."""
    whole = png(48, 32)
    start = whole.index(b"IDAT") - 4
    (tmp_path / "picture").write_bytes(whole[:start] + length + whole[start + 4 :])
    work = "print(opencv_size(open(sys.argv[1], 'rb').read()))"
    setup = "from siman_synth.imaging.decode import opencv_size"
    added_mb, output = peak_memory(setup, work, tmp_path / "picture")
    assert output == "None"
    assert added_mb < 50


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "PNG", "WEBP"])
def test_only_the_first_of_many_frames_is_decoded(kind: str, tmp_path: Path, peak_memory: PeakMemory) -> None:
    frames = [Image.new("L", (500, 400), 10 * number) for number in range(20)]
    picture = tmp_path / "picture"
    picture.write_bytes(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))
    added_mb, output = peak_memory(SETUP, WORK, picture)
    assert output == "(400, 500, 3)"
    assert decode_crop(picture.read_bytes(), "picture").max() == 0
    assert added_mb < 40


def test_a_jpeg_of_many_scans_is_refused() -> None:
    with pytest.raises(CropError) as caught:
        decode_crop(hostile.many_scans(64, 1000), "scans.jpg")
    assert caught.value.reason == "too large"
    assert str(caught.value).endswith(" scans; at most 100 are decoded.")
    assert decode_crop(hostile.many_scans(64, 5), "few").shape == (64, 64, 3)


def test_neither_check_of_a_data_set_unpacks_what_is_too_large() -> None:
    for data in (png(16_000_000, 4), hostile.tiled_tiff(100, 40_000), b"", b"no picture"):
        assert decoded_size(data) is None
        assert opencv_size(data) is None
    assert decoded_size(png(48, 2)) == opencv_size(png(48, 2)) == (48, 2)


def test_an_enormous_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "photo.bmp"
    with path.open("wb") as file:
        file.truncate(decode.MAX_FILE_BYTES + 1)  # takes no room on the disk
    with pytest.raises(CropError) as caught:
        read_picture(path, "photo.bmp")
    assert str(caught.value) == ("photo.bmp is too large: 256000001 bytes; at most 256000000 bytes are read.")


def test_a_named_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(CropError, match=r"Cannot read pipe\.png: it is not a regular file\."):
        read_picture(tmp_path / "pipe.png", "pipe.png")


def test_the_longest_line_that_is_made_is_decoded() -> None:
    RenderConfig(max_aspect=decode.MAX_ASPECT)
    with pytest.raises(ValueError, match="max_aspect"):
        RenderConfig(max_aspect=decode.MAX_ASPECT + 1)


def test_the_longest_shape_that_is_decoded() -> None:
    assert decode_crop(png(2048, 4), "line").shape == (4, 2048, 3)
    with pytest.raises(CropError) as caught:
        decode_crop(png(2049, 4), "line.png")
    assert str(caught.value) == (
        "line.png is too long and thin: 2049 x 4 px; one side may be 512 times the other at most."
    )
