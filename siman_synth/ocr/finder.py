"""Text in photos: found by PP-OCR's detector, cut, turned, read, and taken apart into words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from siman_synth.ocr.comparison import as_typed, as_written, comparable
from siman_synth.ocr.cut import between, cut, lies_down, turned_over
from siman_synth.ocr.detector import Detection, PpDetector, Quad
from siman_synth.ocr.ppocr import Letter, PpOcr
from siman_synth.ocr.recognizer import Image, Reading, can_judge
from siman_synth.ocr.words import WordPart, core_of, reading_of, words_of

_UPRIGHT_TRIES_SCORE = 0.8
"""Text that stood upright and is read worse than this is read the other way round, too."""


@dataclass(frozen=True, slots=True)
class FoundText:
    """A line, or a word of one, in a photo."""

    image: Image
    """uint8 (H, W, 3), level."""
    quad: Quad
    score: float
    """How sure the detector is."""
    reading: Reading
    letters: tuple[Letter, ...] = ()
    """What was read, with places as shares of the image's width."""


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line as a whole, and its words from left to right."""

    whole: FoundText
    words: tuple[FoundText, ...]


class TextFinder:
    """Finds the lines of a photo and their words; it may be used by several threads at once."""

    def __init__(self, detector: PpDetector, reader: PpOcr) -> None:
        self._detector = detector
        self._reader = reader

    @classmethod
    def load(cls) -> Self:
        """Load both networks.

        Raises:
            MissingPackageError: a package is missing.
        """
        return cls(PpDetector.load(), PpOcr.load())

    def find(self, photo: Image) -> list[FoundLine]:
        """Return the lines of a photo, uint8 (H, W, 3), from top to bottom."""
        return read_lines(photo, self._detector.find(photo), self._reader)

    def can_write(self, text: str) -> bool:
        """Whether the reader has the letters of a text, accents aside."""
        return can_judge(self._reader, text) or can_judge(self._reader, as_typed(text))

    def matching(self, photo: Image, text: str) -> tuple[list[FoundText], list[str]]:
        """Return the places that say `text`, from top to bottom, and all lines that were read.

        Places that say it as it is written are taken; where there is none, those that differ in case; where
        there is none, those that differ in accents, too. Punctuation does not count. A line that says it as a
        whole is one place. Punctuation around a place that `text` has not is no part of it.
        """
        lines = self.find(photo)
        ways = (_saying(lines, text, compared) for compared in (as_written, comparable, as_typed))
        places = [_cut_to(photo, one, text.strip()) for one in next(filter(None, ways), ())]
        places.sort(key=lambda one: (sum(y for _, y in one.quad), sum(x for x, _ in one.quad)))
        return places, [line.whole.reading.text for line in lines]


def _saying(lines: Sequence[FoundLine], text: str, compared: Callable[[str], str]) -> list[FoundText]:
    """Return the lines and words that say a text, by what of texts is compared."""
    wanted = compared(text)

    def says(found: FoundText) -> bool:
        return compared(found.reading.text) == wanted

    return [
        part for line in lines for part in ((line.whole,) if says(line.whole) else line.words) if says(part)
    ]


def _cut_to(photo: Image, found: FoundText, text: str) -> FoundText:
    """Return a place without what stands beside `text` in it."""
    left, right = core_of(found.image, found.letters, text)
    if left <= 0 and right >= 1:
        return found
    quad = between(found.quad, left, right)
    kept = [one for one in found.letters if left < one.place < right]
    letters = tuple(replace(one, place=(one.place - left) / (right - left)) for one in kept)
    return replace(found, image=cut(photo, quad), quad=quad, reading=reading_of(letters), letters=letters)


def read_lines(photo: Image, found: Sequence[Detection], reader: PpOcr) -> list[FoundLine]:
    """Cut and read what was found in a photo; text that stands upright is read from above or from below."""
    quads = [lies_down(one.quad) for one in found]
    images = [cut(photo, quad) for quad in quads]
    lines = []
    for one, quad, image, letters in zip(found, quads, images, reader.spell(images), strict=True):
        line = FoundText(image, quad, one.score, reading_of(letters), tuple(letters))
        if quad != one.quad and line.reading.score < _UPRIGHT_TRIES_SCORE:
            other = turned_over(quad)
            turned = cut(photo, other)
            (other_letters,) = reader.spell([turned])
            if reading_of(other_letters).score > line.reading.score:
                line = FoundText(turned, other, one.score, reading_of(other_letters), tuple(other_letters))
        parts = words_of(line.image, line.letters)
        words = []
        for part in parts:
            place = between(line.quad, part.left, part.right)
            crop = line.image if len(parts) == 1 else cut(photo, place)
            words.append(replace(line, image=crop, quad=place, reading=part.reading, letters=_within(part)))
        lines.append(FoundLine(line, tuple(words)))
    return lines


def _within(part: WordPart) -> tuple[Letter, ...]:
    """Return a word's letters with places as shares of its own length."""
    length = part.right - part.left
    return tuple(replace(one, place=(one.place - part.left) / length) for one in part.letters)
