"""Greek capitals, as CLDR writes them: a dialytika where an accent was, no other mark."""

import functools
import unicodedata

_ACCENTS = frozenset("\u0300\u0301\u0342")
_DROPPED = _ACCENTS | frozenset("\u0304\u0306\u0313\u0314\u0343")
_DIALYTIKA, _SUBSCRIPT = "\u0308", "\u0345"
_VOWELS = frozenset("αεηιουωΑΕΗΙΟΥΩ")
_SECONDS = frozenset("ιυΙΥ")


def greek_capitals(word: str) -> str:
    """Return `word` with its Greek letters prepared for capitals; other letters stay.

    "Μάιος" gives "Μαϊος": without its accent the vowel would be read as one with the next. "ή", the
    word, keeps it. The subscript iota stands on the line.
    """
    if word.isascii() or not any(map(_is_greek, word)):
        return word
    return "".join(map(_prepared, _parts(word)))


def _parts(word: str) -> list[str]:
    """Split where no letter is, and keep what stands between."""
    parts: list[str] = []
    for character in unicodedata.normalize("NFD", word):
        inside = character.isalpha() or unicodedata.combining(character) > 0
        if parts and inside == (parts[-1][-1].isalpha() or unicodedata.combining(parts[-1][-1]) > 0):
            parts[-1] += character
        else:
            parts.append(character)
    return parts


def _prepared(part: str) -> str:
    """Return a word, in NFD, in NFC without its accents."""
    if unicodedata.normalize("NFC", part) in ("ή", "Ή"):
        return unicodedata.normalize("NFC", part)
    made: list[str] = []
    after_accent = False
    for base, marks in _clusters(part):
        if not _is_greek(base):
            made.append(base + marks)
            after_accent = False
            continue
        kept = "".join(mark for mark in marks if mark not in _DROPPED and mark != _SUBSCRIPT)
        if after_accent and base in _SECONDS and _DIALYTIKA not in kept:
            kept += _DIALYTIKA
        accented = base in _VOWELS and any(mark in _ACCENTS for mark in marks)
        after_accent = accented and _DIALYTIKA not in kept
        made.append(base + kept + ("ι" if _SUBSCRIPT in marks else ""))
    return unicodedata.normalize("NFC", "".join(made))


def _clusters(part: str) -> list[tuple[str, str]]:
    clusters: list[tuple[str, str]] = []
    for character in part:
        if clusters and unicodedata.combining(character):
            base, marks = clusters[-1]
            clusters[-1] = base, marks + character
        else:
            clusters.append((character, ""))
    return clusters


@functools.lru_cache(maxsize=2048)
def _is_greek(character: str) -> bool:
    return unicodedata.name(character, "").startswith("GREEK ")
