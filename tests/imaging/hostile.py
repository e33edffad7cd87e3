"""Small files that say they hold a lot, each in a second at most."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
GRAY, RGB, GRAY_ALPHA, RGBA = 0, 2, 4, 6


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, colour: int = GRAY, depth: int = 8, before: bytes = b"") -> bytes:
    """Return a black PNG of any size; `before` are chunks before the pixels."""
    row = bytes(1 + (width * _CHANNELS[colour] * depth + 7) // 8)
    packer = zlib.compressobj(9)
    pixels = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + before + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def bomb(length: int) -> bytes:
    """Return so many zeros, packed."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(length >> 20)) + packer.flush()


def tiled_tiff(side: int, tile: int) -> bytes:
    """Return a TIFF whose one tile is larger than itself."""
    data = zlib.compress(bytes(1000))
    entries = [
        (256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1),
        (322, 4, tile), (323, 4, tile), (324, 4, 8), (325, 4, len(data)),
    ]  # fmt: skip
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(data))
        + data
        + struct.pack("<H", len(entries))
        + table
        + bytes(4)
    )


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image in a format."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def many_scans(side: int, count: int) -> bytes:
    """Return a progressive JPEG whose last scan comes again and again."""
    data = encoded(Image.effect_noise((side, side), 60), "JPEG", progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:start] + data[start:-2] * count + data[-2:]
