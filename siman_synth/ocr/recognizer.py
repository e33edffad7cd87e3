"""What OCR must offer to judge word images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from siman_synth.ocr.comparison import judged_as

Image = npt.NDArray[np.uint8]
"""uint8 (H, W, 3) RGB."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one image, and how certain the recognizer is of it, from 0 to 1."""

    text: str
    score: float


class Ocr(Protocol):
    """A recognizer. What it reads in an image should not depend on the images beside it."""

    @property
    def name(self) -> str:
        """What reports call it, with version or size."""
        ...

    @property
    def alphabet(self) -> frozenset[str]:
        """Every character that it can write. Words with others say nothing about an image."""
        ...

    # An OCR may also have `separates`, those of its alphabet that it does not take for one another.

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Return one reading an image, in order; images may be of any sizes."""
        ...


def judged_by(ocr: Ocr, label: str, text: str) -> tuple[str, str] | None:
    """Return what is compared of a label and of a text that an OCR read; None if it has no such letters.

    Every verdict on a reading comes from here. What the OCR takes for one another, it says itself; else it
    tells all of its alphabet apart.
    """
    return judged_as(label, text, getattr(ocr, "separates", ocr.alphabet))


def agrees(ocr: Ocr, label: str, text: str) -> bool | None:
    """Whether a text that an OCR read is a label; None if it has no such letters."""
    judged = judged_by(ocr, label, text)
    return None if judged is None else judged[0] == judged[1]


def can_judge(ocr: Ocr, label: str) -> bool:
    """Whether an OCR has the letters of a label, so that what it reads says something."""
    return judged_by(ocr, label, "") is not None
