"""Letter case, as signs use it."""

import unicodedata
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseConfig:
    """How often a word keeps its case or gets another; weights, not probabilities."""

    as_is: float = 0.15
    """The word as the corpus has it."""
    lower: float = 0.15
    """all lower case"""
    upper: float = 0.5
    """ALL UPPER CASE"""
    capitalized: float = 0.2
    """Every Word With A Capital First"""

    def __post_init__(self) -> None:
        for field in fields(self):
            weight = getattr(self, field.name)
            if not (0 <= weight < float("inf")):
                raise ValueError(f"{field.name} must be a weight of 0 or more, found {weight}.")
        if self.as_is + self.lower + self.upper + self.capitalized <= 0:
            raise ValueError("as_is, lower, upper and capitalized must not all be 0.")


def apply_case(word: str, config: CaseConfig, rng: np.random.Generator, max_length: int | None = None) -> str:
    """Return `word` in a case drawn from `config`, in NFC.

    Upper case may be longer than lower ("ß" becomes "SS"). A word that would pass
    `max_length` characters stays as it is.
    """
    weights = (config.as_is, config.lower, config.upper, config.capitalized)
    point = rng.random() * sum(weights)
    if point < weights[0]:
        return word
    if point < weights[0] + weights[1]:
        changed = word.lower()
    elif point < weights[0] + weights[1] + weights[2]:
        changed = word.upper()
    else:
        # Not str.title(), which makes "Don'T" of "don't".
        changed = " ".join(part[:1].title() + part[1:].lower() for part in word.split(" "))
    changed = unicodedata.normalize("NFC", changed)
    return word if max_length is not None and len(changed) > max_length else changed
