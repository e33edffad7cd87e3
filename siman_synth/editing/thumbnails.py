"""A word in every font, small: enough to tell which fonts are worth a close look.

Letters are drawn once a font and then put side by side, so that another word costs microseconds a font.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import cv2
import numpy as np

from siman_synth.editing.ink import Box, Floats, Pixels
from siman_synth.editing.lettering import box_matrix, fill_mapped, set_line
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.outlines import fill
from siman_synth.render.scripts import SIMPLE, script_of
from siman_synth.render.shaping import shape_line

_EM_PX = 32
_ROWS = 16
_MOST_COLUMNS = 128
_BLUR_PX = 0.4
_BLUR_TAPS = 3
_KEPT_WORDS = 16


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """A word in F fonts, the box around its ink stretched to one size."""

    names: tuple[str, ...]
    """(F,): the fonts' ids."""
    ink: Floats
    """(F, rows, columns), 0 to 1, blurred a little."""
    aspects: Floats
    """(F,): how wide each box is beside its height."""
    means: Floats
    """(F,): of the ink."""
    squares: Floats
    """(F,): means of the squared ink."""

    @classmethod
    def of(cls, names: Sequence[str], words: Sequence[Pixels]) -> Self:
        """Take a word as each font draws it, without blank edges, uint8 (H, W)."""
        aspects = np.array([word.shape[1] / word.shape[0] for word in words], np.float32)
        columns = int(np.clip(round(_ROWS * float(np.median(aspects))), _ROWS // 2, _MOST_COLUMNS))
        ink = _all_shrunk(words, columns).astype(np.float32) / np.float32(255)
        return cls(tuple(names), ink, aspects, ink.mean((1, 2)), (ink * ink).mean((1, 2)))

    def some(self, count: int) -> "Thumbnails":
        """Return those of `count` fonts, evenly spread over the list."""
        chosen = np.linspace(0, len(self.names) - 1, min(count, len(self.names))).astype(int)
        names = tuple(self.names[number] for number in chosen)
        return Thumbnails(
            names, self.ink[chosen], self.aspects[chosen], self.means[chosen], self.squares[chosen]
        )

    def likeness(self, alpha: Floats, box: Box) -> Floats:
        """Return (F,): the correlation of a crop's ink, (H, W) from 0 to 1, with the word over its box."""
        x0, y0, x1, y1 = (round(value) for value in box)
        seen = _shrunk(alpha[y0:y1, x0:x1], self.ink.shape[2])
        # Beside the box there is hardly any ink.
        share = (x1 - x0) * (y1 - y0) / alpha.size
        mean, mean_seen = share * self.means, share * float(seen.mean())
        spread = share * self.squares - mean * mean
        spread_seen = share * float((seen * seen).mean()) - mean_seen**2
        common = share * (self.ink.reshape(len(self.ink), -1) @ seen.ravel()) / seen.size - mean * mean_seen
        return np.asarray(common / np.sqrt(np.maximum(spread * spread_seen, 1e-12)))


class Letter(NamedTuple):
    """A glyph at `_EM_PX`: its ink, where that begins from the pen and the baseline, how far the pen goes."""

    ink: Pixels
    left_px: int
    bottom_px: int
    advance_em: float

    @property
    def bottom_em(self) -> float:
        """Where its ink begins above the baseline."""
        return self.bottom_px / _EM_PX

    @property
    def top_em(self) -> float:
        """Where its ink ends above the baseline."""
        return (self.bottom_px + len(self.ink)) / _EM_PX


class Thumbnailer:
    """Draws thumbnails with the fonts of a library; keeps the letters, and the last words, that it drew."""

    def __init__(self, fonts: FontLibrary) -> None:
        self._fonts = fonts
        self._letters: dict[str, dict[str, Letter]] = {}
        self._words: dict[tuple[str, tuple[str, ...]], Thumbnails] = {}

    def draw(self, text: str, names: Sequence[str]) -> Thumbnails | None:
        """Draw a word in fonts that cover it; fonts that cannot draw it are left out, None without any."""
        key = text, tuple(names)
        if key not in self._words:
            drawn = dict(self._drawn(text, names))
            if not drawn:
                return None
            while len(self._words) >= _KEPT_WORDS:
                del self._words[next(iter(self._words))]
            self._words[key] = Thumbnails.of(list(drawn), list(drawn.values()))
        return self._words[key]

    def _drawn(self, text: str, names: Sequence[str]) -> Iterator[tuple[str, Pixels]]:
        letters_suffice = all(map(_stands_alone, text))
        for name in names:
            if letters_suffice:
                yield name, self._composed(text, name)
                continue
            font = self._fonts.font(name)
            try:
                line = shape_line(text, self._fonts.face(font), font.family)
            except RenderError:
                continue
            if len(line.points):
                outline = set_line(line, 0.0, 0.0)
                left, bottom, right, top = outline.box
                width, height = (max(1, round(side * _EM_PX)) for side in (right - left, top - bottom))
                matrix = box_matrix(outline.box, (0, 0, width, height))
                yield name, fill_mapped(outline, matrix, height, width)

    def _composed(self, text: str, name: str) -> Pixels:
        """Put letters side by side, without kerning, and cut off what is blank around them."""
        letters = self._letters.setdefault(name, {})
        pen, placed = 0.0, []
        lefts, rights, bottoms, tops = [], [], [], []
        for character in text:
            letter = letters.get(character) or self.letter(name, character)
            ink, left, bottom, advance = letter
            height, width = ink.shape
            if height:
                x = round(pen * _EM_PX) + left
                placed.append((x, bottom + height, height, width, ink))
                lefts.append(x)
                rights.append(x + width)
                bottoms.append(bottom)
                tops.append(bottom + height)
            pen += advance
        left, top = min(lefts), max(tops)
        word = np.zeros((top - min(bottoms), max(rights) - left), np.uint8)
        for x, high, height, width, ink in placed:
            region = word[top - high : top - high + height, x - left : x - left + width]
            np.maximum(region, ink, out=region)
        return word

    def letter(self, name: str, character: str) -> Letter:
        """Return a letter of a font; drawn once."""
        letters = self._letters.setdefault(name, {})
        if character not in letters:
            letters[character] = self._drawn_letter(name, character)
        return letters[character]

    def _drawn_letter(self, name: str, character: str) -> Letter:
        face = self._fonts.face(self._fonts.font(name))
        glyph = face.glyph_id(character)
        shape = face.shape(glyph)
        own_space = face.space if character.isspace() else None
        advance = face.advance(glyph) if own_space is None else own_space
        ink, low = np.zeros((0, 0), np.uint8), np.zeros(2, np.int64)
        if len(shape.points):
            points = shape.points.astype(np.float64) * _EM_PX
            low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int)
            width, height = np.maximum(high - low, 1).tolist()
            ink = fill(points - low, shape.contour_ends, height, width)
        return Letter(ink, int(low[0]), int(low[1]), advance)


def _stands_alone(character: str) -> bool:
    """Tell whether a character looks the same whatever stands beside it."""
    return script_of(character) in SIMPLE and unicodedata.category(character)[0] not in "MC"


def _all_shrunk(words: Sequence[Pixels], columns: int) -> Pixels:
    """Return each word as `_shrunk` does, (F, rows, columns), blurred in one go.

    Above and below each stands a row more, as if mirrored, so that none reaches into the next.
    """
    framed = np.empty((len(words), _ROWS + 2, columns), np.uint8)
    for place, word in zip(framed, words, strict=True):
        cv2.resize(word, (columns, _ROWS), place[1:-1], interpolation=cv2.INTER_AREA)
    framed[:, 0], framed[:, -1] = framed[:, 2], framed[:, -3]
    soft = cv2.GaussianBlur(framed.reshape(-1, columns), (_BLUR_TAPS, _BLUR_TAPS), _BLUR_PX)
    return np.asarray(soft.reshape(framed.shape)[:, 1:-1])


def _shrunk(ink: Pixels | Floats, columns: int) -> np.ndarray:
    small = cv2.resize(ink, (columns, _ROWS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), _BLUR_PX))
