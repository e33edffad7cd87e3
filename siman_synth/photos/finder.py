"""From one photo to crops: what text was found in it, judged."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Literal, Protocol

import cv2
import numpy as np

from siman_synth.imaging.decode import MAX_ASPECT
from siman_synth.limits import Between, Share, check_settings
from siman_synth.ocr.cut import cut, lies_down, size_of
from siman_synth.ocr.detector import Detection, PpDetector, Quad
from siman_synth.ocr.finder import FoundText, read_lines
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.ocr.recognizer import Image, Reading
from siman_synth.photos.pages import Page
from siman_synth.storage.lmdb_format import label_problem
from siman_synth.tally import Tally

_LEAST_CONTRAST = 20.0
"""Between the lightness of the palest and of the darkest twentieth of a crop, of 255."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CropSettings:
    """What becomes a crop."""

    unit: Literal["word", "line"] = "word"
    min_score: Share = 0.6
    """Least certainty of the detector."""
    min_height_px: Annotated[int, Between(4, 1000)] = 8
    read: bool = False
    """Keep what was read, as a machine label."""
    accept: Share | None = None
    """Keep only crops that are read with this certainty, and make labels of their readings."""

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def needs_reading(self) -> bool:
        """Whether lines are read: words are told apart by the spaces in a reading."""
        return self.unit == "word" or self.read or self.accept is not None


@dataclass(frozen=True, slots=True)
class Piece:
    """A crop of a photo."""

    image: Image
    quad: Quad
    score: float | None
    """How sure the detector is, if there was one."""
    reading: Reading | None
    text: str | None = None
    """What somebody says that it says."""


class Cutter(Protocol):
    """Whatever knows where the words of a photo are; used by several threads at once."""

    def pieces(self, photo: Image, dropped: Tally, page: Page) -> list[Piece]:
        """Return the usable crops of a photo, uint8 (H, W, 3); count the others in `dropped` by reason."""
        ...


class CropFinder:
    """Finds and cuts the words or lines of photos; it may be used by several threads at once."""

    def __init__(self, detector: PpDetector, reader: PpOcr | None, settings: CropSettings) -> None:
        self._detector = detector
        self._reader = reader
        self._settings = settings

    @classmethod
    def load(cls, settings: CropSettings) -> "CropFinder":
        """Load the networks.

        Raises:
            MissingPackageError: a package is missing.
        """
        detector = PpDetector.load()
        return cls(detector, PpOcr.load() if settings.needs_reading else None, settings)

    def pieces(self, photo: Image, dropped: Tally, page: Page) -> list[Piece]:
        """Return the usable crops of a photo; the others are counted in `dropped` by reason."""
        lines = []
        for found in self._detector.find(photo):
            reason = place_problem(found.quad, found.score, self._settings)
            if reason is None:
                lines.append(found)
            else:
                dropped.add(reason, page.name)
        kept = []
        for piece in self._cut(photo, lines):
            reason = piece_problem(piece, self._settings)
            if reason is None:
                kept.append(piece)
            else:
                dropped.add(reason, page.name)
        return kept

    def _cut(self, photo: Image, found: list[Detection]) -> Iterator[Piece]:
        if self._reader is None:
            for one in found:
                quad = lies_down(one.quad)
                yield Piece(cut(photo, quad), quad, one.score, None)
            return
        for line in read_lines(photo, found, self._reader):
            if self._settings.unit == "line":
                parts: tuple[FoundText, ...] = (line.whole,)
            else:
                parts = line.words or (replace(line.whole, reading=Reading("", 0.0)),)
            for part in parts:
                yield Piece(part.image, part.quad, part.score, part.reading)


def place_problem(quad: Quad, score: float | None, settings: CropSettings) -> str | None:
    """Return why a place in a photo is not worth cutting, or None."""
    if score is not None and score < settings.min_score:
        return f"doubtful (below {settings.min_score:g})"
    if min(size_of(quad)) < settings.min_height_px:
        return f"too small (below {settings.min_height_px} px)"
    return None


def piece_problem(piece: Piece, settings: CropSettings) -> str | None:
    """Return why a crop is of no use, or None."""
    height, width = piece.image.shape[:2]
    if min(height, width) < settings.min_height_px:
        return f"too small (below {settings.min_height_px} px)"
    if max(height, width) > MAX_ASPECT * min(height, width):
        return "too long and thin"
    low, high = np.percentile(cv2.cvtColor(piece.image, cv2.COLOR_RGB2GRAY), (5, 95))
    if high - low < _LEAST_CONTRAST:
        return "no contrast"
    if piece.text is not None and label_problem(piece.text) is not None:
        return "text that is no label"
    if piece.reading is None:
        return None
    if not piece.reading.text:
        return "nothing read in it"
    if settings.accept is not None:
        if piece.reading.score < settings.accept:
            return f"read with less certainty than {settings.accept:g}"
        if label_problem(piece.reading.text) is not None:
            return "reading that is no label"
    return None
