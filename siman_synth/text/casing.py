"""Letter case, as signs use it."""

import functools
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from siman_synth.limits import Weight, check_settings

_Change = Callable[[str], str | None]

_CASELESS_IN_PRINT = ("GEORGIAN", "CHEROKEE")
"""Scripts that have capitals in Unicode and hardly in print: mixing would make words nobody writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseConfig:
    """How often a word keeps its case or gets another; weights, not probabilities."""

    as_is: Weight = 0.15
    """The word as the corpus has it."""
    lower: Weight = 0.15
    """all lower case"""
    upper: Weight = 0.5
    """ALL UPPER CASE"""
    capitalized: Weight = 0.2
    """Every Word With A Capital First"""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.as_is + self.lower + self.upper + self.capitalized <= 0:
            raise ValueError("as_is, lower, upper and capitalized must not all be 0.")


def apply_case(word: str, config: CaseConfig, rng: np.random.Generator) -> str:
    """Return `word`, in NFC, in a case drawn from `config`.

    A word without an exact counterpart in that case stays as it is: where a letter would become two
    ("ß"), be another one on the way back ("ς", "ı", "µ"), or one that nobody prints (Georgian).
    """
    weights = (config.as_is, config.lower, config.upper, config.capitalized)
    point = rng.random() * sum(weights)
    if point < weights[0]:
        return word
    if point < weights[0] + weights[1]:
        return _changed(word, lower, lower)
    if point < weights[0] + weights[1] + weights[2]:
        return _changed(word, upper, upper)
    # Not str.title(), which makes "Don'T" of "don't".
    return _changed(word, upper, lower)


def _changed(word: str, first: _Change, others: _Change) -> str:
    """Change the first character after each space, and the others; the word itself if one cannot be."""
    changed: list[str] = []
    change = first
    for character in word:
        if (other := change(character)) is None:
            return word
        changed.append(other)
        change = first if character == " " else others
    text = "".join(changed)
    # A small letter may compose with a mark that its capital does not compose with.
    return text if unicodedata.is_normalized("NFC", text) else word


@functools.lru_cache(maxsize=4096)
def upper(character: str) -> str | None:
    """Return the capital of a letter, itself for other characters, None if there is no exact one."""
    changed = character.upper()
    # "ǆ" has a third form, for the start of a word.
    return _exact(character, changed, str.lower) if changed == character.title() else None


@functools.lru_cache(maxsize=4096)
def lower(character: str) -> str | None:
    """Return the small letter of a capital, as `upper` does for small letters."""
    return _exact(character, character.lower(), str.upper)


def _exact(character: str, changed: str, back: Callable[[str], str]) -> str | None:
    if changed == character:
        return character
    exact = len(changed) == 1 and back(changed) == character
    if not exact or not unicodedata.is_normalized("NFC", changed):
        return None
    return None if unicodedata.name(character, "").startswith(_CASELESS_IN_PRINT) else changed
