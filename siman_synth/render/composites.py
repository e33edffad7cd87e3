"""Glyphs made of glyphs: how many parts a font's largest one has, before FreeType puts it together.

Seven glyphs, each of twenty times the next, are 64 million parts: a font of 2 KB that takes
gigabytes and minutes.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import uharfbuzz as hb

MOST_PARTS = 10_000
"""The most intricate Chinese characters have some hundred."""

_MORE, _WORDS = 0x20, 0x01
_SCALES = ((0x08, 2), (0x40, 4), (0x80, 8))
"""Bits of a part's flags, and how many bytes of scaling follow for each."""
_MOST_LEVELS = 64
"""Deeper only reach glyphs that are parts of themselves."""


def has_endless_parts(face: "hb.Face") -> bool:
    """Tell whether some glyph of a TrueType font has more than `MOST_PARTS` parts, all levels counted."""
    # FreeType does not heed the depth that a font states.
    head, loca, glyf = (face.reference_table(tag).data for tag in ("head", "loca", "glyf"))
    if len(head) < 54 or not glyf:
        return False
    size = 4 if head[51] else 2
    offsets = np.frombuffer(loca[: len(loca) // size * size], f">u{size}").astype(np.int64) * (4 // size)
    parents, parts = _parts(glyf, offsets)
    counts: npt.NDArray[Any] = np.ones(len(offsets), np.float64)
    for _ in range(_MOST_LEVELS):
        more = 1 + np.bincount(parents, counts[parts], len(offsets))
        if np.array_equal(more, counts):
            return False
        counts = more
        if counts.max() > MOST_PARTS:
            return True
    return True


def _parts(
    glyf: bytes, offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return two lists of glyph numbers: what is made of parts, and the part."""
    starts = offsets[:-1]
    glyphs = np.flatnonzero((starts < offsets[1:]) & (starts < len(glyf)))
    # A composite glyph says that it has fewer than 0 contours.
    composite = glyphs[np.frombuffer(glyf, np.uint8)[starts[glyphs]] >= 0x80].tolist()
    pairs = [(glyph, part) for glyph in composite for part in _parts_of(glyf, int(starts[glyph]) + 10)]
    found = np.array([pair for pair in pairs if pair[1] < len(starts)], np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _parts_of(glyf: bytes, position: int) -> list[int]:
    found = []
    while position + 4 <= len(glyf):
        flags = int.from_bytes(glyf[position : position + 2], "big")
        found.append(int.from_bytes(glyf[position + 2 : position + 4], "big"))
        position += 4 + (4 if flags & _WORDS else 2) + next((n for bit, n in _SCALES if flags & bit), 0)
        if not flags & _MORE:
            break
    return found
