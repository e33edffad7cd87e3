"""The quality gate: is the word that was rendered still there in what was painted?

Two judges. The ink check compares the picture with the content mask: does the ink
stand out from the ground around it, everywhere and with one polarity? The other judge is OCR.
Neither ever changes a label: what fails is rejected, and its index resampled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal, Self

import cv2
import numpy as np

from siman_synth.limits import Between, Share, check_settings
from siman_synth.ocr.comparison import edit_distance
from siman_synth.ocr.recognizer import Ocr, can_judge, judged_by
from siman_synth.recognition.own_ocr import open_ocr
from siman_synth.render.word import ContentImage

_INK, _GROUND = 160, 16
"""Mask values from which a pixel counts as ink, and up to which as ground."""
_NEAR = np.ones((7, 7), np.uint8)
"""Ground counts within 3 px of the letters and their shadows: what they must be told from."""
_FEWEST_PIXELS = 4

_BLANK = 2
"""Least difference, in grey levels, between two pixels of a picture that shows anything at all."""

BLANK = "blank picture"
FAINT = "ink too faint"
SMEARED = "ink runs into its ground"
FADING = "a character fades"
TINY = "letters too small"
MISREAD = "not read as its label"


@dataclass(frozen=True, kw_only=True, slots=True)
class GateConfig:
    """What is rejected and resampled. The default rejects one word in a hundred: what nobody could read."""

    ink: bool = True
    """Whether the ink of the rendered word must stand out in the picture."""
    min_contrast: Annotated[float, Between(0, 255)] = 14.0
    """Least distance, in grey levels, of the ink's mean colour from that of the ground around it."""
    min_separation: Share = 0.75
    """Least share of ink nearer to the ink's colour, and of ground to the ground's (mean of both)."""
    min_character: Annotated[float, Between(-10, 10)] = 0.35
    """Least contrast of each character, as a share of the word's; negative means reversed polarity."""
    min_letter: Share = 0.15
    """Least size of the largest letter or digit, its height or width, as a share of the image's height."""
    ocr: str = "none"
    """OCR that must read the label: `ppocr`, `none`, or a recognizer of your own (its file or its
    training run's folder). Letter case and punctuation do not count."""
    unjudged: Literal["refuse", "pass"] = "refuse"
    """What happens where the OCR cannot judge most labels, having no such characters: the run is refused,
    or those labels pass unread."""
    edits: Annotated[int, Between(0, 1000)] = 0
    """How many wrong, missing or extra characters may be read."""
    hard_share: Share = 0.0
    """Share of samples that need not be readable: real crops are not all readable either."""

    moved: ClassVar[Mapping[str, str]] = MappingProxyType({"readable": "ocr"})
    """Settings of version 0.1 and their new names."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A painted word before it is accepted."""

    image: np.ndarray
    """uint8 (H, W, 3) RGB, as a reader of the data set would decode it."""
    content: ContentImage
    label: str
    may_be_hard: bool
    """Whether it is among those that need not be readable."""


class QualityGate:
    """Judges painted words; opened once a worker."""

    def __init__(self, config: GateConfig, ocr: Ocr | None) -> None:
        self._config = config
        self.ocr = ocr
        """The OCR that is asked, if any."""

    @classmethod
    def open(cls, config: GateConfig) -> Self:
        """Load what the settings need.

        Raises:
            ConfigError: there is no such OCR.
            MissingPackageError: the OCR is not installed; says what to install.
            WeightsError: it is a recognizer that cannot be read.
        """
        return cls(config, open_ocr(config.ocr))

    @property
    def passes_all(self) -> bool:
        """Whether everything passes."""
        return self.ocr is None and not self._config.ink

    def can_judge(self, label: str) -> bool:
        """Tell whether the OCR, if any, has the characters of a label."""
        return self.ocr is not None and can_judge(self.ocr, label)

    def judge(self, candidates: Sequence[Candidate]) -> list[str | None]:
        """Return for each candidate why it is rejected, or None."""
        reasons = [self._ink_problem(candidate) if self._config.ink else None for candidate in candidates]
        if self.ocr is not None:
            asked = [
                i for i, reason in enumerate(reasons) if reason is None and self._can_be_read(candidates[i])
            ]
            readings = self.ocr.read([candidates[i].image for i in asked])
            for i, reading in zip(asked, readings, strict=True):
                judged = judged_by(self.ocr, candidates[i].label, reading.text)
                if judged is not None and edit_distance(*judged) > self._config.edits:
                    reasons[i] = MISREAD
        return reasons

    def _can_be_read(self, candidate: Candidate) -> bool:
        """Whether the OCR's opinion counts: it cannot judge what it has no characters for."""
        return not candidate.may_be_hard and self.can_judge(candidate.label)

    def _ink_problem(self, candidate: Candidate) -> str | None:
        if largest_letter(candidate.content, candidate.label) < self._config.min_letter:
            return TINY
        found = measure_ink(candidate.image, candidate.content)
        if found is None:
            return None
        if found.contrast < self._config.min_contrast:
            return FAINT
        if found.separation < self._config.min_separation:
            return SMEARED
        return FADING if found.weakest_character < self._config.min_character else None


def is_blank(image: np.ndarray) -> bool:
    """Whether a picture as the network painted it, uint8 (H, W, 3), shows nothing.

    Weights that broke paint such pictures, and no label is true of them: they are rejected whatever
    the settings say.
    """
    # One channel is enough for nearly every picture.
    return all(np.ptp(image[..., channel]) < _BLANK for channel in range(image.shape[-1]))


@dataclass(frozen=True, slots=True)
class Ink:
    """How the ink of a word stands out."""

    contrast: float
    """Distance of the mean colours of ink and near ground, in grey levels."""
    separation: float
    """Mean of two shares: ink nearer to the ink's colour, ground nearer to the ground's."""
    weakest_character: float
    """Least contrast of a character along the word's, as a share of it."""


def largest_letter(content: ContentImage, label: str) -> float:
    """Return height or width of the largest letter or digit in image heights; 1 for a label without any."""
    sides = [
        max(box.y1 - box.y0, box.x1 - box.x0)
        for character, box in zip(label, content.boxes, strict=False)
        if character.isalnum()
    ]
    return max(sides) / content.mask.shape[0] if sides else 1.0


def measure_ink(image: np.ndarray, content: ContentImage) -> Ink | None:
    """Measure a picture, uint8 (H, W, 3), where the word has ink; None if there is too little.

    Shadows, rims, other lines, specks and what lies beyond an edge are neither ink nor ground. Ink that
    faded is ink all the same, and stained ground is ground.
    """
    word = content.word if content.unfaded is None else content.unfaded
    ink = (word >= _INK).view(np.uint8)
    drawn = (word > _GROUND).view(np.uint8)
    clean = _GROUND if content.stains is None else np.maximum(content.stains, _GROUND)
    ground = cv2.dilate(drawn, _NEAR) & (content.mask <= clean).view(np.uint8) & (1 - drawn)
    inks, grounds = cv2.countNonZero(ink), cv2.countNonZero(ground)
    if min(inks, grounds) < _FEWEST_PIXELS:
        return None
    ink_colour = np.array(cv2.mean(image, ink)[:3])
    ground_colour = np.array(cv2.mean(image, ground)[:3])
    across = ink_colour - ground_colour
    # 0 at the ground's colour, 1 at the ink's.
    along = across / max(float(across @ across), 1e-6)
    place = cv2.transform(image.astype(np.float32), np.append(along, -along @ ground_colour)[None])
    beyond = (place > 0.5).view(np.uint8)
    right = cv2.countNonZero(beyond & ink) / inks
    wrong = cv2.countNonZero(beyond & ground) / grounds
    return Ink(
        contrast=float(np.linalg.norm(across)) / 3**0.5,
        separation=(right + 1 - wrong) / 2,
        weakest_character=_weakest(place, ink, ground, content),
    )


def _weakest(place: np.ndarray, ink: np.ndarray, ground: np.ndarray, content: ContentImage) -> float:
    # Sums over columns, then differences between the edges of each box.
    ink, ground = ink.astype(np.float32), ground.astype(np.float32)
    columns = [cv2.reduce(x, 0, cv2.REDUCE_SUM)[0] for x in (place * ink, ink, place * ground, ground)]
    sums = np.concatenate([np.zeros((4, 1)), np.cumsum(columns, axis=1)], axis=1)
    width = ink.shape[1]
    left = [min(max(int(box.x0), 0), width) for box in content.boxes]
    right = [min(max(int(np.ceil(box.x1)), 0), width) for box in content.boxes]
    inked, inks, grounded, grounds = sums[:, right] - sums[:, left]
    counted = np.minimum(inks, grounds) >= _FEWEST_PIXELS
    if not counted.any():
        return 1.0
    return float((inked[counted] / inks[counted] - grounded[counted] / grounds[counted]).min())
