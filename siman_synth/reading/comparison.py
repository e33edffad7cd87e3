"""When does a reading agree with a label?

Compared are letters, digits and combining marks of every script, after Unicode's compatibility
normalisation (NFKC) and case folding; spaces, punctuation and symbols do not count. For ASCII
this is what the field calls case-insensitive alphanumeric accuracy.
"""

import unicodedata


def comparable(text: str) -> str:
    """Return what of `text` is compared; empty when there is nothing to compare."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(character for character in folded if unicodedata.category(character)[0] in "LNM")
    return unicodedata.normalize("NFKC", kept)


def edit_distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: insertions, deletions and replacements of a character."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def edit_similarity(one: str, other: str) -> float:
    """Return 1 minus the edit distance over the longer length: 1 for equal texts, 0 for nothing alike."""
    longest = max(len(one), len(other))
    return 1.0 - edit_distance(one, other) / longest if longest else 1.0
