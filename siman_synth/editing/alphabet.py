"""The letters of every font, small, and how much pieces of ink are like them."""

import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from siman_synth.editing.ink import Floats
from siman_synth.editing.thumbnails import Thumbnailer
from siman_synth.render.fonts import FontLibrary

LETTERS = string.ascii_letters + string.digits + "&!?$"
SMALL = ".,'-"
"""What is low in any font, and like any speck."""
_SIDE_PX = 16
_BLUR_PX = 0.7
_ASPECT_COST = 0.15
_UNDRAWN = -1.0


@dataclass(frozen=True, slots=True)
class Alphabet:
    """L letters in F fonts, each stretched to one size."""

    names: tuple[str, ...]
    """(F,): the fonts' ids."""
    letters: Floats
    """(F, L, pixels), each with a mean of 0 and a length of 1."""
    aspects: Floats
    """(F, L): logarithm of width over height."""
    bottoms: Floats
    """(F, L): where a letter begins above the baseline, as a share of the height of capitals."""
    tops: Floats
    """(F, L)."""
    drawn: np.ndarray
    """(F, L): whether the font draws it."""

    @classmethod
    def of(cls, fonts: FontLibrary, thumbnailer: Thumbnailer) -> Self | None:
        """Draw the letters of all fonts that have some; None where none has."""
        names, rows = [], []
        for font in fonts.fonts:
            face = fonts.face(font)
            own = [thumbnailer.letter(font.id, one) if face.draws(one) else None for one in LETTERS + SMALL]
            if any(own):
                names.append(font.id)
                rows.append((own, face.tall))
        if not names:
            return None
        shape = len(names), len(LETTERS + SMALL)
        letters = np.zeros((*shape, _SIDE_PX**2), np.float32)
        aspects, bottoms, tops = (np.zeros(shape, np.float32) for _ in range(3))
        drawn = np.zeros(shape, bool)
        for row, (own, tall) in enumerate(rows):
            for column, letter in enumerate(own):
                if letter is not None and letter.ink.size:
                    height, width = letter.ink.shape
                    letters[row, column] = _described(letter.ink.astype(np.float32))
                    aspects[row, column] = np.log(width / height)
                    bottoms[row, column] = letter.bottom_em / tall
                    tops[row, column] = letter.top_em / tall
                    drawn[row, column] = True
        return cls(tuple(names), letters, aspects, bottoms, tops, drawn)

    def some(self, numbers: np.ndarray) -> "Alphabet":
        """Return a few of the fonts."""
        return Alphabet(
            tuple(self.names[number] for number in numbers),
            self.letters[numbers], self.aspects[numbers], self.bottoms[numbers], self.tops[numbers],
            self.drawn[numbers],
        )  # fmt: skip

    def likeness(self, pieces: Sequence[Floats]) -> Floats:
        """Return (F, L, N): how much N pieces of ink, each filling its picture, are like the letters."""
        seen = np.stack([_described(piece) for piece in pieces])
        aspects = np.array([np.log(piece.shape[1] / piece.shape[0]) for piece in pieces], np.float32)
        fonts, letters, pixels = self.letters.shape
        common = (self.letters.reshape(-1, pixels) @ seen.T).reshape(fonts, letters, -1)
        common -= _ASPECT_COST * np.abs(self.aspects[..., None] - aspects)
        common[~self.drawn] = _UNDRAWN
        return np.asarray(common)


def _described(ink: Floats) -> Floats:
    small = cv2.GaussianBlur(
        cv2.resize(ink, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA), (0, 0), _BLUR_PX
    )
    centred = small.ravel() - small.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6))
