"""Lines that run downwards: which characters stand upright in them, and which lie on their side (UAX #50).

Such a line is set as it lies when its page is turned to the left by 90 degrees: it runs from left to right,
so that layouts, framing and the network need not know of it. What lies on its side on the page then stands
as in any line, and what stands upright on the page is turned.
"""

import bisect
import functools
import unicodedata
from collections.abc import Sequence
from typing import Literal

import numpy as np

from siman_synth.render.face import Face
from siman_synth.render.scripts import SIMPLE, script_of
from siman_synth.text.visible import needs_ink

Writing = Literal["across", "down", "stacked"]
"""How a line runs: across, or downwards; "stacked" if its Latin letters and digits stand upright, too."""
ACROSS: Writing = "across"
DOWN: Writing = "down"
STACKED: Writing = "stacked"

_SCRIPTS = frozenset({"Hani", "Hira", "Kana", "Hang", "Bopo", "Mong", "Phag", "Yiii", "Nshu", "Tang"})
"""Scripts that are, or were, written downwards."""
# Vertical_Orientation of Unicode 15: U and Tu, then Tr.
_UPRIGHT = (
    "a7 a9 ae b1 bc-be d7 f7 2ea-2eb 1100-11ff 1401-167f 18b0-18ff 2016 2020-2021 2030-2031 203b-203c "
    "2042 2047-2049 2051 2065 20dd-20e0 20e2-20e4 2100-2101 2103-2109 210f 2113-2114 2116-2117 211e-2123 "
    "2125 2127 2129 212e 2135-213f 2145-214a 214c-214d 214f-2189 218c-218f 221e 2234-2235 2300-2307 "
    "230c-231f 2324-2328 232b 237d-239a 23be-23cd 23cf 23d1-23db 23e2-2422 2424-24ff 25a0-2619 2620-2767 "
    "2776-2793 2b12-2b2f 2b50-2b59 2b97 2bb8-2bd1 2bd3-2beb 2bf0-2bff 2e50-2e51 2e80-3007 3012-3013 "
    "3020-302f 3031-309f 30a1-30fb 30fd-a4cf a960-a97f ac00-d7ff e000-faff fe10-fe1f fe30-fe48 fe50-fe57 "
    "fe5f-fe62 fe67-fe6f ff01-ff07 ff0a-ff0c ff0e-ff19 ff1f-ff3a ff3c ff3e ff40-ff5a ffe0-ffe2 ffe4-ffe7 "
    "fff0-fff8 fffc-fffd 10980-1099f 11580-115ff 11a00-11abf 13000-1345f 14400-1467f 16fe0-18d7f "
    "1aff0-1b2ff 1cf00-1cfcf 1d000-1d1ff 1d2e0-1d37f 1d800-1daaf 1f000-1f7ff 1f900-1faff 20000-2fffd "
    "30000-3fffd f0000-ffffd 100000-10fffd "
)
_TRANSFORMED = (
    "2329-232a 3008-3011 3014-301f 3030 30a0 30fc fe59-fe5e ff08-ff09 ff1a-ff1b ff3b ff3d ff3f ff5b-ff60 "
    "ffe3 "
)
"""Brackets, dashes and the like: they stand if the font has an own form for them, else they lie."""


def runs_downwards(text: str) -> bool:
    """Tell whether a text may be written downwards: it holds a letter of a script that is."""
    return not text.isascii() and any(script_of(character) in _SCRIPTS for character in text)


def draw_writing(text: str, vertical: float, stacked: float, rng: np.random.Generator) -> Writing:
    """Draw how a text is written: a share `vertical` of those that may be runs down, `stacked` of them so.

    Nothing is drawn where the answer is known: the words of other settings stay what they are.
    """
    if not vertical or not runs_downwards(text):
        return ACROSS
    down, upright = (rng.random(2) < (vertical, stacked)).tolist()
    if not down:
        return ACROSS
    return STACKED if upright else DOWN


def upright_characters(text: str, faces: Sequence[Face], writing: Writing) -> list[bool]:
    """Return whether each character stands upright; marks and what has no ink go with what stands before."""
    found: list[bool] = []
    for character, face in zip(text, faces, strict=True):
        follows = bool(found) and (not needs_ink(character) or unicodedata.category(character)[0] == "M")
        if follows and character != " ":
            found.append(found[-1])
        else:
            found.append(_stands(character, face, writing))
    return found


def _stands(character: str, face: Face, writing: Writing) -> bool:
    orientation = vertical_orientation(character)
    if orientation == "transformed":
        return face.has_vertical_form(character)
    if orientation == "upright":
        return True
    is_stacked = writing == STACKED and unicodedata.category(character)[0] in "LN"
    return is_stacked and script_of(character) in SIMPLE


@functools.lru_cache(maxsize=8192)
def vertical_orientation(character: str) -> str:
    """Return "upright", "transformed" or "sideways"."""
    if _lies_in(character, _UPRIGHT):
        return "upright"
    return "transformed" if _lies_in(character, _TRANSFORMED) else "sideways"


def _lies_in(character: str, ranges: str) -> bool:
    firsts, lasts = _limits(ranges)
    at = bisect.bisect_right(firsts, ord(character)) - 1
    return at >= 0 and ord(character) <= lasts[at]


@functools.cache
def _limits(ranges: str) -> tuple[list[int], list[int]]:
    parts = [part.partition("-") for part in ranges.split()]
    return [int(first, 16) for first, _, _ in parts], [int(last or first, 16) for first, _, last in parts]
