"""Where a line falls into words: at the spaces that were read, in the widest gap of ink near them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from siman_synth.ocr.comparison import comparable
from siman_synth.ocr.ppocr import Letter
from siman_synth.ocr.recognizer import Image, Reading

_INK_SHARE = 0.35
"""A column whose lightness varies less than this share of the line's median column has no ink."""
_MOST_BESIDE = 2.0
"""Of the way from letter to letter: if the last one is further from the image's end, more was found."""


@dataclass(frozen=True, slots=True)
class WordPart:
    """A word of a line: what was read, and from where to where it stands, as shares of the line's length."""

    reading: Reading
    left: float
    right: float
    letters: tuple[Letter, ...] = ()
    """Its letters, with their places as shares of the line's length."""


def reading_of(letters: Sequence[Letter]) -> Reading:
    """Return the text of letters and their mean score."""
    if not letters:
        return Reading("", 0.0)
    text = "".join(letter.character for letter in letters)
    return Reading(text, float(np.mean([letter.score for letter in letters])))


def words_of(line: Image, letters: Sequence[Letter]) -> list[WordPart]:
    """Return the words of a line that was spelled, from left to right."""
    groups: list[list[Letter]] = [[]]
    for letter in letters:
        if letter.character.isspace():
            groups.append([])
        else:
            groups[-1].append(letter)
    groups = [group for group in groups if group]
    if not groups:
        return []
    profile = _ink_profile(line)
    edges = [0.0]
    for before, after in pairwise(groups):
        edges.append(_gap(profile, before[-1].place, after[0].place))
    edges.append(1.0)
    return [
        WordPart(reading_of(group), left, right, tuple(group))
        for group, (left, right) in zip(groups, pairwise(edges), strict=True)
        if right > left
    ]


def core_of(image: Image, letters: Sequence[Letter], text: str) -> tuple[float, float]:
    """Return from where to where, as shares of an image's length, what `text` names of its letters stands.

    Punctuation that was read at an end and is not at that end of `text` is left out, and so is what no letter
    was read of, such as a sign beside the word.
    """
    kept = [at for at, letter in enumerate(letters) if comparable(letter.character)]
    if not kept:
        return 0.0, 1.0
    first = kept[0] if comparable(text[:1]) else 0
    last = kept[-1] if comparable(text[-1:]) else len(letters) - 1
    places = [letter.place for letter in letters]
    profile = _ink_profile(image)
    before = places[first - 1] if first else None
    after = places[last + 1] if last + 1 < len(letters) else None
    if last > first:
        pitch = (places[last] - places[first]) / (last - first)
        if before is None and places[first] > _MOST_BESIDE * pitch:
            before = 0.0
        if after is None and 1 - places[last] > _MOST_BESIDE * pitch:
            after = 1.0
    left = 0.0 if before is None else _gap(profile, before, places[first])
    right = 1.0 if after is None else _gap(profile, places[last], after)
    return left, right


def _ink_profile(line: Image) -> np.ndarray:
    """Return how much the lightness of each column varies, edges of the line left out."""
    lightness = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY).astype(np.float32)
    margin = lightness.shape[0] // 8
    inner = lightness[margin : lightness.shape[0] - margin or None]
    return np.asarray(inner.max(axis=0) - inner.min(axis=0))


def _gap(profile: np.ndarray, left: float, right: float) -> float:
    """Return the middle of the longest run without ink between two places, or of its palest column."""
    first = int(left * len(profile))
    part = profile[first : max(first + 1, int(np.ceil(right * len(profile))))]
    if not len(part):
        return (left + right) / 2
    bare = part <= max(_INK_SHARE * float(np.median(profile)), float(part.min()))
    best, begun = (0, 0), None
    for at, is_bare in enumerate([*bare.tolist(), False]):
        if is_bare and begun is None:
            begun = at
        elif not is_bare and begun is not None:
            best = max(best, (at - begun, -begun))
            begun = None
    length, start = best[0], -best[1]
    return (first + start + length / 2) / len(profile)
