"""Font files within limits: what is unpacked, and how much of it, is decided by the header alone."""

import ctypes
from pathlib import Path

import freetype
import freetype.raw as ft

from siman_synth.render.errors import UnusableFontError
from siman_synth.render.woff2 import unpacked_woff2

MAX_FILE_BYTES = 200_000_000
"""The largest collections of Chinese, Japanese and Korean fonts have some 130 million."""
MAX_UNPACKED_BYTES = 64_000_000
"""Of a WOFF, which is one font for a web page; the largest have some 20 million."""
MAX_FACES = 256
"""Of a collection; the largest known have some 100."""

_WOFF, _WOFF2 = b"wOFF", b"wOF2"
_UNPACKED_LENGTH = slice(16, 20)
"""Where a WOFF says how long it is unpacked. FreeType unpacks no more than that."""


def unpacked(path: Path) -> bytes | None:
    """Return the bytes of a font packed as WOFF or WOFF2, None for one that can be used as it lies there.

    The content decides, not the extension.

    Raises:
        UnusableFontError: the file is too large, packed in another way, or damaged.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise UnusableFontError("too large")
    with path.open("rb") as file:
        header = file.read(_UNPACKED_LENGTH.stop)
    if header.startswith(_WOFF2):
        return unpacked_woff2(path.read_bytes())
    if not header.startswith(_WOFF):
        return None
    if int.from_bytes(header[_UNPACKED_LENGTH], "big") > MAX_UNPACKED_BYTES:
        raise UnusableFontError("too large")
    return _whole_font(freetype.Face(str(path)))


def _whole_font(face: freetype.Face) -> bytes:
    """Return the file that FreeType unpacked: its "table" 0 is the font itself."""
    length = ft.FT_ULong(0)
    _load(face, None, length)
    content = ctypes.create_string_buffer(length.value)
    _load(face, content, length)
    return content.raw


def _load(face: freetype.Face, content: "ctypes.Array[ctypes.c_char] | None", length: ctypes.c_ulong) -> None:
    if ft.FT_Load_Sfnt_Table(face._FT_Face, 0, 0, content, ctypes.byref(length)):
        raise UnusableFontError("broken file")
