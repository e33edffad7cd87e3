"""What a word might say, and in which fonts, where nobody said it: letter by letter, by all fonts' alphabets.

It reads far worse than OCR does; but letters that it takes for each other look alike, so the font is found
nevertheless.
"""

import itertools
from collections.abc import Set
from typing import NamedTuple

import cv2
import numpy as np

from siman_synth.editing.alphabet import LETTERS, SMALL, Alphabet
from siman_synth.editing.ink import (
    Floats,
    Pixels,
    border_share,
    candidate_masks,
    inner_parts,
    mask_box,
    separate,
)
from siman_synth.editing.target import size_cost
from siman_synth.editing.thumbnails import Thumbnailer
from siman_synth.render.fonts import FontLibrary

_PROBES = 12
_INKS, _FONTS = 3, 6
_MOST_PIECES = 40
_MOST_ATOMS, _MOST_ASPECT = 4, 1.6
_BORDER_COST, _DROPPED_COST = 0.1, 0.5
_LEAST_SIZE = 0.06
"""Of the crop's height: what is smaller is no letter."""
_TOGETHER = 0.5
"""Of the narrower one's width: pieces that overlap so far stand above each other, as i and its dot."""
_NARROW = 0.6
"""Of its height: what is narrower is one letter."""
_HIGH = 0.45
"""Of the highest piece: what is higher is no full stop."""
_GAP = 0.5
"""Of a piece's mean ink in a column: where there is less, letters that touch may be cut."""
_CUTS, _APART = 3, 0.15
_CUT_COST, _JOIN_COST = 0.08, 0.05
_PLACE_COST = 0.8
_PLACES_TRIED = 3


class Spelled(NamedTuple):
    """What a crop might say."""

    text: str
    score: float
    """How much its pieces are like the letters of the likeliest font: 1 for the same."""
    ranking: list[str]
    """Fonts, the likeliest first."""
    mask: Pixels
    """(H, W), 1 where the ink is."""


class _Piece(NamedTuple):
    """A part of the ink that may be a letter."""

    left: int
    top: int
    ink: Floats

    @property
    def bottom(self) -> int:
        return self.top + len(self.ink)


class Speller:
    """Reads words by the letters of a library's fonts, which are drawn when it is first asked."""

    def __init__(self, fonts: FontLibrary, thumbnailer: Thumbnailer) -> None:
        self._fonts = fonts
        self._thumbnailer = thumbnailer
        self._read = False
        self._alphabet: Alphabet | None = None

    def spelled(self, crop: Pixels, allowed: Set[str]) -> Spelled | None:
        """Read a crop, uint8 (H, W, 3), by the allowed fonts; None where nothing looks like letters."""
        if not self._read:
            self._alphabet, self._read = Alphabet.of(self._fonts, self._thumbnailer), True
        if self._alphabet is None:
            return None
        numbers = np.array([i for i, name in enumerate(self._alphabet.names) if name in allowed], int)
        if not len(numbers):
            return None
        every = len(numbers) == len(self._alphabet.names)
        alphabet = self._alphabet if every else self._alphabet.some(numbers)  # which copies them
        inks = _inks(crop, alphabet)
        found = [one for merit, mask in inks if (one := _spelled(crop, mask, alphabet, inks[0][0] - merit))]
        return max(found, key=lambda one: one.score, default=None)


def _inks(crop: Pixels, alphabet: Alphabet) -> list[tuple[float, Pixels]]:
    """Return the masks whose pieces are most like letters of a few fonts, with their merit; best first."""
    height, width = crop.shape[:2]
    few = alphabet.some(np.unique(np.linspace(0, len(alphabet.names) - 1, _PROBES).astype(int)))
    found: list[tuple[float, Pixels]] = []
    for colours_cost, colours in candidate_masks(crop):
        for dropped, mask in inner_parts(colours):
            box, groups = mask_box(mask), _Groups.of(mask)
            if box is None or not 1 <= len(groups.spans) <= _MOST_PIECES:
                continue
            alpha = mask.astype(np.float32)
            pieces = [groups.piece(alpha, number, number, *span) for number, span in enumerate(groups.spans)]
            sizes = np.array([piece.ink.size for piece in pieces]) ** 0.5
            alike = few.likeness([piece.ink for piece in pieces])[:, : len(LETTERS)].max(1)
            likeness = float((alike @ sizes).max() / sizes.sum())
            cost = colours_cost + _DROPPED_COST * dropped + _BORDER_COST * border_share(mask)
            found.append((likeness - cost - size_cost(box, height, width) / 2, mask))
    return sorted(found, key=lambda one: -one[0])[:_INKS]


def _spelled(crop: Pixels, mask: Pixels, alphabet: Alphabet, cost: float) -> Spelled | None:
    groups = _Groups.of(mask)
    if not groups.spans:
        return None
    division = _Division.of(groups, separate(crop, mask).alpha, alphabet)
    order = np.argsort(-division.totals, kind="stable").tolist()
    text = max(_reading(font, division, alphabet) for font in order[:_FONTS])[1]
    return Spelled(
        text, float(division.totals[order[0]]) - cost, [alphabet.names[font] for font in order], mask
    )


class _Groups(NamedTuple):
    """Connected parts of the ink, each with what stands above it, from left to right."""

    numbers: Pixels
    """(H, W): 1 for pixels of the first, 0 for none."""
    spans: list[tuple[int, int]]
    """From which column to which they reach."""

    @classmethod
    def of(cls, mask: Pixels) -> "_Groups":
        """Take a mask apart."""
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        least = _LEAST_SIZE * len(mask)
        spans: list[tuple[int, int]] = []
        lookup = np.zeros(count, np.uint8)
        for number in np.argsort(stats[1:, cv2.CC_STAT_LEFT], kind="stable") + 1:
            left, _, width, height, _ = stats[number].tolist()
            if max(width, height) < least or len(spans) == _MOST_PIECES:
                continue
            right = left + width
            if spans and min(right, spans[-1][1]) - left > _TOGETHER * min(
                width, spans[-1][1] - spans[-1][0]
            ):
                spans[-1] = spans[-1][0], max(right, spans[-1][1])
            else:
                spans.append((left, right))
            lookup[number] = len(spans)
        numbers = cv2.dilate(lookup[labels], np.ones((3, 3), np.uint8))
        return cls(numbers, spans)

    def piece(self, alpha: Floats, first: int, last: int, left: int, right: int) -> _Piece:
        """Cut out some columns of some groups, without blank rows."""
        numbers = self.numbers[:, left:right]
        ink = alpha[:, left:right] * ((numbers > first) & (numbers <= last + 1))
        rows = np.flatnonzero((ink > 0.5).any(1))
        low, high = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, len(ink))
        return _Piece(left, low, ink[low:high])


class _Division(NamedTuple):
    """Ink divided into letters, for each font as fits best: where letters touch, or are broken, too."""

    parts: list[_Piece]
    likeness: Floats
    """(F, L, N): of N parts that may be letters."""
    ways: list[tuple[list[int], np.ndarray]]
    """For each end of an atom: the parts that end there, and for each font (F,) which of them fits best."""
    starts: list[int]
    """(N,): the first atom of each part."""
    totals: Floats
    """(F,): how much the best division is like letters: 1 for the same."""

    @classmethod
    def of(cls, groups: _Groups, alpha: Floats, alphabet: Alphabet) -> "_Division":
        """Try every run of atoms, the parts between cuts, as a letter."""
        atoms = [
            (number, *ends)
            for number, (left, right) in enumerate(groups.spans)
            for ends in itertools.pairwise(
                [left, *_cuts(groups.piece(alpha, number, number, left, right)), right]
            )
        ]
        line_px = max(len(groups.piece(alpha, n, n, *span).ink) for n, span in enumerate(groups.spans))
        parts: list[_Piece] = []
        starts: list[int] = []
        costs: list[float] = []
        ways: list[list[int]] = []
        for end, (last, left, right) in enumerate(atoms):
            ending: list[int] = []
            for start in range(end, max(-1, end - _MOST_ATOMS), -1):
                first = atoms[start][0]
                left, right = min(left, atoms[start][1]), max(right, atoms[start][2])
                if start < end and right - left > _MOST_ASPECT * line_px:
                    break
                cut = start > 0 and atoms[start - 1][0] == first
                costs.append(line_px * (_CUT_COST * cut + _JOIN_COST * (last - first)))
                ending.append(len(parts))
                starts.append(start)
                parts.append(groups.piece(alpha, first, last, left, right))
            ways.append(ending)
        likeness = alphabet.likeness([part.ink for part in parts])
        high = np.array([len(part.ink) > _HIGH * line_px for part in parts])
        likeness[:, len(LETTERS) :, high] = -1
        per_part = likeness.max(1)
        widths = np.array([right - left for _, left, right in atoms], np.float32)
        best = [np.zeros(len(alphabet.names), np.float32)]
        chosen = []
        for end, ending in enumerate(ways):
            reached = np.stack(
                [
                    best[starts[n]]
                    + per_part[:, n] * widths[starts[n] : end + 1].sum()
                    - np.float32(costs[n])
                    for n in ending
                ]
            )
            chosen.append((ending, reached.argmax(0)))
            best.append(reached.max(0))
        return cls(parts, likeness, chosen, starts, best[-1] / widths.sum())

    def letters(self, font: int) -> list[int]:
        """Return the parts that a font takes for letters, from left to right."""
        found: list[int] = []
        end = len(self.ways)
        while end:
            ending, chosen = self.ways[end - 1]
            found.append(ending[chosen[font]])
            end = self.starts[found[-1]]
        return found[::-1]


def _reading(font: int, division: _Division, alphabet: Alphabet) -> tuple[float, str]:
    """Return how well letters of one font, on one line, explain the ink, and what they say."""
    letters = division.letters(font)
    likeness = division.likeness[font][:, letters].T
    tops = np.array([[division.parts[n].top] for n in letters], float)
    bottoms = np.array([[division.parts[n].bottom] for n in letters], float)
    lows, highs = alphabet.bottoms[font], alphabet.tops[font]
    best: tuple[float, str] = (-np.inf, "")
    for row in range(len(letters)):
        for letter in np.argsort(-likeness[row], kind="stable")[:_PLACES_TRIED].tolist():
            # If this part is that letter, so large are capitals, and there is the baseline.
            capital = float(bottoms[row, 0] - tops[row, 0]) / max(float(highs[letter] - lows[letter]), 0.05)
            base = float(bottoms[row, 0] + lows[letter] * capital)
            off = np.abs(base - highs * capital - tops) + np.abs(base - lows * capital - bottoms)
            values = likeness - _PLACE_COST * off / capital
            total = float(values.max(1).mean())
            if total > best[0]:
                best = total, "".join((LETTERS + SMALL)[i] for i in values.argmax(1))
    return best


def _cuts(piece: _Piece) -> list[int]:
    """Return columns at which letters that touch may be cut: the thinnest, apart from each other."""
    height, width = piece.ink.shape
    if width < _NARROW * height:
        return []
    profile = cv2.blur(piece.ink.sum(0, keepdims=True), (3, 1)).ravel()
    thin = profile < _GAP * profile.mean()
    found: list[int] = []
    for column in np.argsort(profile, kind="stable").tolist():
        if not thin[column] or len(found) == _CUTS * max(1, width // height):
            break
        if min(column, width - column, *(abs(column - other) for other in found)) >= _APART * height:
            found.append(column)
    return [piece.left + column for column in sorted(found)]
