"""When does a reading agree with a label?

Compared are letters, digits and combining marks of every script, after Unicode's compatibility
normalisation (NFKC) and case folding; spaces, punctuation and symbols do not count. For ASCII
this is what the field calls case-insensitive alphanumeric accuracy.
"""

import unicodedata

from rapidfuzz.distance import Levenshtein


def comparable(text: str) -> str:
    """Return what of `text` is compared; empty when there is nothing to compare."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(character for character in folded if unicodedata.category(character)[0] in "LNM")
    return unicodedata.normalize("NFKC", kept)


def edit_distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: insertions, deletions and replacements of a character."""
    return Levenshtein.distance(one, other)


def edit_similarity(one: str, other: str) -> float:
    """Return 1 minus the edit distance over the longer length: 1 for equal texts, 0 for nothing alike."""
    return Levenshtein.normalized_similarity(one, other)
