"""Letter case, as signs use it."""

import functools
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from siman_synth.errors import ConfigError
from siman_synth.limits import Weight, check_settings
from siman_synth.text.greek import greek_capitals
from siman_synth.text.languages import DOTTED, DUTCH, WESTERN_ARMENIAN, without_case

_Change = Callable[[str, str], str | None]

_FINAL_SIGMA = re.compile(r"(?<=[^\W\d_])σ(?!\w)")
_DOTTED_UPPER, _DOTTED_LOWER = {"i": "İ", "ı": "I"}, {"İ": "i", "I": "ı"}
_SEVERAL = {"ß": "SS", "և": "ԵՎ"}
"""Letters whose capital is two, as CLDR has it for German and Eastern Armenian."""
_TITLE = {"և": "Եվ"}
_WESTERN = {"և": ("ԵՒ", "Եւ")}


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
            raise ConfigError("as_is, lower, upper and capitalized must not all be 0.")


def apply_case(word: str, config: CaseConfig, rng: np.random.Generator, language: str = "") -> str:
    """Return `word`, in NFC, in a case drawn from `config`, as `language` ("tr", "" if unknown) writes it.

    A word stays as it is where its language is not known and a letter would become another one on the
    way back ("ı", "µ"), and where nobody prints the other case (Georgian).
    """
    return set_case(word, config, rng.random(), language)


def set_case(word: str, config: CaseConfig, share: float, language: str = "") -> str:
    """Return `word` in the case that stands at this share, from 0 to 1, of the weights."""
    weights = (config.as_is, config.lower, config.upper, config.capitalized)
    point = share * sum(weights)
    if point < weights[0]:
        return word
    if point < weights[0] + weights[1]:
        return _changed(word, language, lower, lower)
    if point < weights[0] + weights[1] + weights[2]:
        return _changed(greek_capitals(word), language, upper, upper, word)
    # Not str.title(), which makes "Don'T" of "don't".
    text = _changed(word, language, title, lower)
    return _DUTCH_IJ.sub("IJ", text) if language == DUTCH else text


_DUTCH_IJ = re.compile(r"(?<!\S)Ij")


def _changed(word: str, language: str, first: _Change, others: _Change, otherwise: str | None = None) -> str:
    """Change the first character after each space, and the others.

    The word itself, or `otherwise`, if one cannot be.
    """
    kept = word if otherwise is None else otherwise
    changed: list[str] = []
    change = first
    for character in word:
        if (other := change(character, language)) is None:
            return kept
        changed.append(other)
        change = first if character == " " else others
    text = "".join(changed)
    if "σ" in text:
        text = _FINAL_SIGMA.sub("ς", text)
    # A small letter may compose with a mark that its capital does not compose with.
    return text if text.isascii() or unicodedata.is_normalized("NFC", text) else kept


@functools.lru_cache(maxsize=4096)
def upper(character: str, language: str = "") -> str | None:
    """Return the capital of a letter, itself for other characters, None if there is no exact one."""
    if language in DOTTED and character in _DOTTED_UPPER:
        return _DOTTED_UPPER[character]
    if language == WESTERN_ARMENIAN and character in _WESTERN:
        return _WESTERN[character][0]
    if character in _SEVERAL:
        return _SEVERAL[character]
    if character == "ς":
        return "Σ"
    changed = character.upper()
    # "ǆ" has a third form, for the start of a word.
    return _exact(character, changed, str.lower) if changed == character.title() else None


@functools.lru_cache(maxsize=4096)
def title(character: str, language: str = "") -> str | None:
    """Return a letter as it begins a word, as `upper` does for whole ones."""
    if language == WESTERN_ARMENIAN and character in _WESTERN:
        return _WESTERN[character][1]
    if character in _TITLE:
        return _TITLE[character]
    # No word begins with these.
    return None if character in _SEVERAL or character == "ς" else upper(character, language)


@functools.lru_cache(maxsize=4096)
def lower(character: str, language: str = "") -> str | None:
    """Return the small letter of a capital, as `upper` does for small letters."""
    if language in DOTTED and character in _DOTTED_LOWER:
        return _DOTTED_LOWER[character]
    return _exact(character, character.lower(), str.upper)


def cased_characters(character: str, language: str) -> frozenset[str]:
    """Return every character that another case may make of this one."""
    capitals = {upper(greek, language) or "" for greek in greek_capitals(character)}
    others = {change(character, language) or "" for change in (title, lower)}
    final = {"ς"} if character in "Σσ" else set()
    return frozenset("".join(capitals | others)) | final


def _exact(character: str, changed: str, back: Callable[[str], str]) -> str | None:
    if changed == character:
        return character
    exact = len(changed) == 1 and back(changed) == character
    if not exact or not unicodedata.is_normalized("NFC", changed):
        return None
    return None if without_case(character) else changed
