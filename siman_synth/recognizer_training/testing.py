"""Testing a recognizer on labeled words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from siman_synth import stopping
from siman_synth.errors import DatasetError
from siman_synth.ocr.recognizer import Reading
from siman_synth.recognition.recognizer import Recognizer
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.scores import Scores

_BATCH = 128


@dataclass(frozen=True, slots=True)
class ReadWord:
    """One word of a test: its number among the usable ones, what should and what was read."""

    number: int
    label: str
    reading: Reading


def read_words(recognizer: Recognizer, words: LabeledWords, title: str | None = None) -> list[ReadWord]:
    """Read every word that can be decoded, in order; with a title, under a progress bar.

    Raises:
        DatasetError: no image can be decoded.
    """
    read: list[ReadWord] = []
    with tqdm(total=len(words), desc=title, unit="word", disable=None if title else True) as bar:
        for start in range(0, len(words), _BATCH):
            stopping.check()
            numbers, images = _decoded(words, range(start, min(start + _BATCH, len(words))))
            for number, reading in zip(numbers, recognizer.read(images, _BATCH), strict=True):
                read.append(ReadWord(number, words.label(number), reading))
            bar.update(_BATCH)
    if not read:
        raise DatasetError(f"None of the {len(words)} labeled images of {words.path} can be decoded.")
    return read


def scores_of(read: Sequence[ReadWord], ignore_case: bool = False) -> Scores:
    """Compare labels, as the recognizer's charset writes them, with what was read."""
    pairs = [compared(word, ignore_case) for word in read]
    return Scores.of([label for label, _ in pairs], [found for _, found in pairs])


def compared(word: ReadWord, ignore_case: bool = False) -> tuple[str, str]:
    """Return what is compared of a word: its label, and what was read."""
    pair = (word.label, word.reading.text)
    return (pair[0].casefold(), pair[1].casefold()) if ignore_case else pair


def _decoded(words: LabeledWords, numbers: range) -> tuple[list[int], list[np.ndarray]]:
    images = {number: words.image(number) for number in numbers}
    found = {number: image for number, image in images.items() if image is not None}
    return list(found), list(found.values())
