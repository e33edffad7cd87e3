"""Which OCR judges words: PP-OCR, or a recognizer that siman-synth trained.

Torch takes two seconds to load, so it is loaded for a recognizer of our own alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from siman_synth import stopping
from siman_synth.errors import ConfigError
from siman_synth.files import content_hash
from siman_synth.ocr.ppocr import PpOcr, model_file
from siman_synth.ocr.recognizer import Image, Ocr, Reading
from siman_synth.recognition.file_names import recognizer_file

if TYPE_CHECKING:
    from siman_synth.recognition.recognizer import Recognizer

PPOCR, NONE = "ppocr", "none"
_BATCH = 64


class OwnOcr:
    """A recognizer of our own as `Ocr`."""

    def __init__(self, recognizer: "Recognizer", name: str) -> None:
        self._recognizer, self._name = recognizer, name
        self._alphabet = frozenset(recognizer.charset.characters)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a recognizer from its file or from the folder of its training run.

        Raises:
            WeightsError: it cannot be read.
        """
        from siman_synth.recognition.weights import load_recognizer

        file = recognizer_file(path)
        return cls(load_recognizer(file).recognizer, f"recognizer {content_hash(file)[:16]}")

    @property
    def name(self) -> str:
        """The beginning of the hash of its file."""
        return self._name

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters of its charset, and the other case of those that it has in one case only.

        A recognizer of small letters reads capitals as small ones, and comparing is without case.
        """
        both = {other for one in self._alphabet for other in (one.upper(), one.lower()) if len(other) == 1}
        return self._alphabet | both

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Return one reading an image."""
        readings: list[Reading] = []
        for start in range(0, len(images), _BATCH):
            stopping.check()
            readings += self._recognizer.read(images[start : start + _BATCH], _BATCH)
        return readings


def check_ocr(ocr: str) -> None:
    """Refuse what names no OCR; looks, and loads nothing.

    Raises:
        ConfigError: it is neither "ppocr", "none", nor a file or folder that is there.
    """
    if ocr not in (PPOCR, NONE) and not recognizer_file(ocr).is_file():
        raise ConfigError(
            f"There is no OCR '{ocr}'. Use {PPOCR}, {NONE}, or a recognizer of your own: its file, or the "
            "folder of its training run."
        )


def open_ocr(ocr: str, threads: int = 1) -> Ocr | None:
    """Return the OCR of that name: "ppocr", "none", or a recognizer's file or folder.

    Raises:
        ConfigError: there is none of that name.
        MissingPackageError: PP-OCR is not installed; says what to install.
        WeightsError: the recognizer cannot be read.
    """
    check_ocr(ocr)
    if ocr == NONE:
        return None
    return PpOcr.load(threads) if ocr == PPOCR else OwnOcr.load(ocr)


def ocr_file(ocr: str) -> Path:
    """Return the file that holds the network of an OCR other than "none"."""
    return model_file() if ocr == PPOCR else recognizer_file(ocr)
