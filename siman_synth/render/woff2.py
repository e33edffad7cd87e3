"""Fonts packed as WOFF2, which takes Brotli to unpack."""

import importlib
import io
import struct
from typing import Any

from fontTools.ttLib import TTFont
from fontTools.ttLib.woff2 import WOFF2DirectoryEntry, woff2DirectorySize

from siman_synth.render.errors import UnusableFontError

MOST_BYTES = 64_000_000
"""Unpacked. The largest fonts for web pages have some 20 million."""

_SLICE = 16
"""Bytes that are unpacked at a time: one command of Brotli can stand for 16 MB."""


def unpacked_woff2(packed: bytes) -> bytes:
    """Return the font in a WOFF2.

    Raises:
        UnusableFontError: too large when unpacked, or no package to read it.
        Exception: of many types where it is broken.
    """
    brotli = _brotli()
    count, _, size, stored = struct.unpack_from(">HHII", packed, 12)
    _require_small(size)
    directory = io.BytesIO(packed[woff2DirectorySize:])
    lengths = []
    for _ in range(count):
        entry = WOFF2DirectoryEntry()
        entry.fromFile(directory)
        lengths.append(max(entry.origLength, entry.length))
    _require_small(sum(lengths))
    start, found, unpacker = woff2DirectorySize + directory.tell(), 0, brotli.Decompressor()
    for at in range(start, start + stored, _SLICE):
        found += len(unpacker.process(packed[at : min(at + _SLICE, start + stored)]))
        _require_small(found)
    font = TTFont(io.BytesIO(packed), lazy=False)
    font.flavor = None
    plain = io.BytesIO()
    font.save(plain)
    return plain.getvalue()


def _brotli() -> Any:
    for name in ("brotli", "brotlicffi"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            continue
    raise UnusableFontError("WOFF2, which takes the package brotli (pip install brotli)")


def _require_small(size: int) -> None:
    if size > MOST_BYTES:
        raise UnusableFontError("too large")
