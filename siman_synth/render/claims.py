"""Whether a glyph shows what the character map claims.

Fonts made for TeX, for symbols, for one letter case or for fun claim to draw "A" and draw something
else, and the label would be wrong in silence. None of the witnesses below knows an alphabet: the
glyph's name, other characters with the same outline, the heights of letters. Fonts whose glyphs have
no names and outlines of their own, such as barcodes, take a recognizer (`runs/font_reading.py`).
"""

import functools
import string
import unicodedata
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt
from fontTools import agl

from siman_synth.render.outlines import GlyphShape, fill

_LOOK_ALIKE = (
    "AΑА", "BΒВ", "CСϹ", "EΕЕ", "HΗН", "IΙІӀ", "JЈ", "KΚК", "MΜМ", "NΝ", "OΟОՕ", "PΡР", "QԚ", "SЅ", "TΤТ",
    "WԜ", "XΧХ", "YΥҮ", "ZΖ", "aа", "cсϲ", "eе", "fƒ", "hһ", "iі", "jј", "oοо", "pр", "qԛ", "sѕ", "wԝ", "xх",
    "yу", "ÐĐƉ", "ƏӘ", "əәǝ", "Δ∆", "Σ∑", "Π∏", "-‐‑\u00ad–−", "ˉ¯\u0304", "·∙•⋅‧", "/∕⁄", "*∗", "|¦∣",
    "'’ʼ", "`‘ʻ", "\"”“", "~˜∼\u0303", "^ˆ\u0302", "°˚", "′ʹ",
)  # fmt: skip
"""Characters that fonts may draw alike: with them, a name or an outline of the other proves nothing."""
_GROUP = {character: number for number, group in enumerate(_LOOK_ALIKE) for character in group}
_BELOW = frozenset({"HOOK", "MIDDLE HOOK", "DESCENDER", "TAIL"})
_ONE_OUTLINE = ("Il1", "O0", "o0")
"""Letters and digits that plain fonts draw alike."""
_LIKE_A_LETTER = "ıȷĸ"
"""They are drawn like I, J and K in fonts of capitals."""
_BARRED = {"€": "C", "¢": "c"}
"""Signs that are a letter with a bar across it, which some fonts leave out."""
_BAR_INK = 32
"""A thin bar leaves no more of a thumbnail's 255."""
_BAR_WIDTH = 12
"""In columns of a thumbnail, at most: a bar that stands out above, where the letter is round."""
_BAR_OUTSIDE = 1.08
"""Or it makes the sign higher than the letter by this factor."""
_SAME_IN_BOTH_CASES = frozenset("CIJKOPSUVWXYZ")
"""Latin letters that may differ in size alone between capital and small letter."""
_ALPHANUMERICS = string.ascii_letters + string.digits
_UNICASE_REACH = 0.15
"""Of the bundled fonts, those with real small letters reach 0.32 or more, the others 0.02 at most."""
_SMALL_RISE = 0.1
"""Of the bundled fonts, small letters such as b rise by 0.16 or more above a, capitals by 0.05 at most."""
_SAME_SHAPE = 0.02
"""Rounding to the font's units changes less of a thumbnail and of the width; another letter far more."""


class Glyphs(Protocol):
    """What is asked of a font."""

    def glyph_id(self, character: str) -> int: ...

    def glyph_name(self, glyph_id: int) -> str: ...

    def shape(self, glyph_id: int) -> GlyphShape: ...

    def size(self, glyph_id: int) -> tuple[int, int]: ...


class Claims:
    """The witnesses for one font."""

    def __init__(self, glyphs: Glyphs) -> None:
        self._glyphs = glyphs
        self._lying: dict[str, bool] = {}

    def doubt(self, character: str, glyph_id: int, shape: GlyphShape) -> str | None:
        """Return why the glyph with this outline does not show `character`, None if nothing says so."""
        other = (
            self._named(character, glyph_id)
            or self._shared(character, glyph_id, shape)
            or self._unbarred(character, shape)
        )
        if other is not None:
            return f"its glyph is that of '{other}'"
        if character.islower():
            return self._small_doubt(character, shape)
        return self._capital_doubt(character) if character.isupper() else None

    def _named(self, character: str, glyph_id: int) -> str | None:
        """Return what the glyph is called, if that is another character."""
        name = self._glyphs.glyph_name(glyph_id)
        if not name or "." in name or unicodedata.category(character) == "Co":
            return None  # "A.alt" is a variant of anything, and nobody knows a private character
        said = agl.toUnicode(name)
        if len(said) != 1 or unicodedata.category(said) == "Co" or look_alike(character, said):
            return None
        # Fonts of capitals call a small letter by its capital; outlines tell these.
        return None if character.islower() and said == character.upper() else said

    def _shared(self, character: str, glyph_id: int, shape: GlyphShape) -> str | None:
        """Return a letter or digit that must look different and has the same outline."""
        size = self._glyphs.size(glyph_id)
        for peer in self._peers(character, size):
            other = self._glyphs.glyph_id(peer)
            if other == 0 or look_alike(character, peer):
                continue
            if other == glyph_id or (
                self._glyphs.size(other) == size and shape.same_as(self._glyphs.shape(other))
            ):
                return peer
        return None

    def _peers(self, character: str, size: tuple[int, int]) -> tuple[str, ...]:
        if character not in _ALPHANUMERICS:
            return (*relatives(character), *self._twins(character, size))
        digit = character.isdigit()
        return tuple(
            peer
            for peer in self._by_size.get(size, ())
            if peer.lower() != character.lower()
            # A digit stays where a letter is drawn like it, as on displays of seven segments.
            and not (digit and peer.isalpha())
            and not any(character in group and peer in group for group in _ONE_OUTLINE)
        )

    def _twins(self, character: str, size: tuple[int, int]) -> tuple[str, ...]:
        """Return letters and digits that may have this outline though they must not: "B" for ß.

        Letters of other alphabets are drawn like Latin ones, and signs like | may be.
        """
        latin = character.isalpha() and unicodedata.name(character, "").startswith("LATIN ")
        if character in _LIKE_A_LETTER or not (latin or unicodedata.category(character) == "Sc"):
            return ()
        return tuple(self._by_size.get(size, ()))

    def _unbarred(self, character: str, shape: GlyphShape) -> str | None:
        """Return the letter of a sign whose bar is not there."""
        letter = _BARRED.get(character)
        if letter is None or not len(shape.points):
            return None
        inked = _thumbnail(shape)[0] > _BAR_INK
        # Columns cross the bars of €, rows the one of ¢; the letter alone is crossed twice or once.
        lines, crossed = (inked.T[10:22], 2) if character == "€" else (inked[15:17], 1)
        starts = np.diff(lines.astype(np.int8), axis=1, prepend=0) > 0
        if int(starts.sum(axis=1).max()) > crossed:
            return None
        return None if character == "¢" and self._stands_out(shape, inked, letter) else letter

    def _stands_out(self, shape: GlyphShape, inked: npt.NDArray[np.bool_], letter: str) -> bool:
        if min(inked[:2].any(axis=0).sum(), inked[-2:].any(axis=0).sum()) <= _BAR_WIDTH:
            return True
        glyph_id = self._glyphs.glyph_id(letter)
        if not glyph_id:
            return False
        heights = [float(np.ptp(one.points[:, 1])) for one in (shape, self._glyphs.shape(glyph_id))]
        return heights[0] > _BAR_OUTSIDE * heights[1]

    @functools.cached_property
    def _by_size(self) -> Mapping[tuple[int, int], list[str]]:
        found: dict[tuple[int, int], list[str]] = {}
        for character in _ALPHANUMERICS:
            if glyph_id := self._glyphs.glyph_id(character):
                found.setdefault(self._glyphs.size(glyph_id), []).append(character)
        return found

    def _small_doubt(self, character: str, shape: GlyphShape) -> str | None:
        if self.unicase:
            return "small letters are drawn as capitals"
        capital = character.upper()
        if capital == character or len(capital) != 1 or self._capital_lies(capital):
            return None
        glyph_id = self._glyphs.glyph_id(capital)
        same = glyph_id != 0 and shape.same_as(self._glyphs.shape(glyph_id))
        return f"it is drawn as '{capital}'" if same else None

    def _capital_doubt(self, character: str) -> str | None:
        return "it is drawn as a small letter" if self._capital_lies(character) else None

    def _capital_lies(self, capital: str) -> bool:
        """Tell whether it is the capital that is wrong where both cases have one outline."""
        if self.capitals_are_small:
            return True
        base = unicodedata.normalize("NFD", capital)[:1]
        if not base.isascii() or base in _SAME_IN_BOTH_CASES or not self._has_small_letters:
            return False
        if base not in self._lying:
            glyph_ids = [self._glyphs.glyph_id(letter) for letter in (base, base.lower())]
            self._lying[base] = all(glyph_ids) and same_up_to_scale(*map(self._glyphs.shape, glyph_ids))
        return self._lying[base]

    @functools.cached_property
    def _has_small_letters(self) -> bool:
        return self._draws_all("abcdeghklnpry") and not self.unicase

    @functools.cached_property
    def unicase(self) -> bool:
        """Whether small letters are drawn as capitals, be it smaller or slightly different ones.

        Then no small letter rises above the others or reaches below them.
        """
        if not self._draws_all("abcdeghklnpry"):
            return False
        bottom, top = self._mean_edges("acenr")
        risen, lowered = self._mean_edges("bdhkl")[1], self._mean_edges("gpy")[0]
        return (risen - top) + (bottom - lowered) < _UNICASE_REACH * (top - bottom)

    @functools.cached_property
    def capitals_are_small(self) -> bool:
        """Whether capitals are drawn as small letters: then B, D, H, K and L rise above A, C, E, N and R."""
        if not self._draws_all("ABCDEHKLNR"):
            return False
        bottom, top = self._mean_edges("ACENR")
        return self._mean_edges("BDHKL")[1] - top > _SMALL_RISE * (top - bottom)

    def _draws_all(self, letters: str) -> bool:
        return all(self._glyphs.glyph_id(letter) for letter in letters)

    def _mean_edges(self, letters: str) -> tuple[float, float]:
        drawn = [self._glyphs.shape(self._glyphs.glyph_id(letter)).points[:, 1] for letter in letters]
        edges = [(heights.min(), heights.max()) for heights in drawn if len(heights)]
        if not edges:
            return 0.0, 0.0
        bottom, top = np.mean(edges, axis=0).tolist()
        return bottom, top


def look_alike(left: str, right: str) -> bool:
    """Tell whether fonts may draw two characters with one outline."""
    if left == right or (left in _GROUP and _GROUP[left] == _GROUP.get(right)):
        return True
    return _plain(left) == _plain(right)


def _plain(character: str) -> str:
    return unicodedata.normalize("NFKD", character).strip().replace("\u0327", "\u0326")


@functools.lru_cache(maxsize=4096)
def relatives(character: str) -> tuple[str, ...]:
    """Return characters beside which this one must look different.

    Of a digit, the others of its row of ten; of "É", "E" and every "E WITH" something.
    """
    value = unicodedata.decimal(character, None)
    if value is not None:
        return tuple(chr(ord(character) - value + other) for other in range(10) if other != value)
    base, _, mark = unicodedata.name(character, "").partition(" WITH ")
    if not mark or not character.isalpha():
        return ()
    return tuple(other for other in _family(base) if other != character and not _same_mark(mark, other))


def _same_mark(mark: str, other: str) -> bool:
    """Tell whether fonts draw this mark like that of another letter: a descender like a hook."""
    return mark in _BELOW and unicodedata.name(other).partition(" WITH ")[2] in _BELOW


@functools.lru_cache(maxsize=1024)
def _family(base: str) -> tuple[str, ...]:
    named = _names().get(base, [])
    try:
        return (unicodedata.lookup(base), *named)
    except KeyError:
        return tuple(named)


@functools.cache
def _names() -> Mapping[str, list[str]]:
    """Return the letters of alphabets by what their names say before "WITH"."""
    found: dict[str, list[str]] = {}
    for code in (*range(0xC0, 0x590), *range(0x600, 0x800), *range(0x1E00, 0x2000), *range(0x2C60, 0x2C80)):
        base, _, mark = unicodedata.name(chr(code), "").partition(" WITH ")
        if mark and chr(code).isalpha():
            found.setdefault(base, []).append(chr(code))
    return found


def same_up_to_scale(left: GlyphShape, right: GlyphShape) -> bool:
    """Tell whether one outline is the other, larger or smaller; what has no outline is like nothing."""
    if not len(left.points) or not len(right.points):
        return False
    (a, width_a), (b, width_b) = _thumbnail(left), _thumbnail(right)
    return abs(width_a - width_b) < _SAME_SHAPE and float(np.abs(a - b).mean()) < 255 * _SAME_SHAPE


def _thumbnail(shape: GlyphShape) -> tuple[npt.NDArray[np.float64], float]:
    """Return the ink (32, 32) of an outline stretched to that size, and its width in heights."""
    points = shape.points.astype(np.float64)
    points = points - points.min(0)
    width, height = np.maximum(points.max(0), 1e-6).tolist()
    ink = fill(points / [width, height] * 32, shape.contour_ends, 32, 32)
    return ink.astype(np.float64), width / height
