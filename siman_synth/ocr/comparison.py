"""When does a reading agree with a label?

Compared are letters, digits and combining marks of every script, after Unicode's compatibility
normalisation (NFKC) and case folding; spaces, punctuation and symbols do not count. For ASCII
this is what the field calls case-insensitive alphanumeric accuracy.
"""

import contextlib
import functools
import unicodedata

from rapidfuzz.distance import Levenshtein

_LIKE_LATIN = dict(
    zip(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧογνρκАВЕКМНОРСТУХаеорсухІіЈјЅѕ",
        "ABEZHIKMNOPTYXoyvpkABEKMHOPCTYXaeopcyxIiJjSs",
        strict=True,
    )
)
"""Greek and Cyrillic letters that nobody tells from Latin ones in print."""
_ALPHABETS = ("LATIN ", "GREEK ", "CYRILLIC ")
_CAPITALS_LIKE_SMALL = frozenset("COSUVWXZ")
_ACCENTS = frozenset(map(chr, range(0x300, 0x370)))
_TYPED_AS = str.maketrans({"ı": "i", "ȷ": "j", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE"})


def comparable(text: str) -> str:
    """Return what of `text` is compared; empty when there is nothing to compare."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(character for character in folded if unicodedata.category(character)[0] in "LNM")
    return unicodedata.normalize("NFKC", kept)


def is_unsure(character: str) -> bool:
    """Tell whether a character is easily taken for another: an accented letter, one of a like alphabet."""
    return not character.isascii() and unicodedata.name(character, "").startswith(_ALPHABETS)


def folded(text: str) -> str:
    """Return `text` without accents, and with Latin letters for those that look like them."""
    made = ""
    for character in unicodedata.normalize("NFKC", text):
        made += _plain_letter(character) if is_unsure(character) else character
    return made


@functools.lru_cache(maxsize=4096)
def _plain_letter(character: str) -> str:
    """Return "l" of "ł" and "A" of the Greek "Ά"."""
    base = unicodedata.normalize("NFD", character)[0]
    with contextlib.suppress(KeyError):
        base = unicodedata.lookup(unicodedata.name(base).partition(" WITH ")[0])
    return _LIKE_LATIN.get(base, base)


def as_written(text: str) -> str:
    """Return what of `text` is compared where accents and case count.

    Letters whose capital differs in size alone are small: nobody tells it in a word by itself.
    """
    normal = unicodedata.normalize("NFKC", text)
    return "".join(
        character.lower() if folded(character) in _CAPITALS_LIKE_SMALL else character
        for character in normal
        if unicodedata.category(character)[0] in "LNM"
    )


def as_typed(text: str) -> str:
    """Return what of `text` is compared where neither accents nor case count; "ı" is "i", and "œ" is "oe"."""
    parts = unicodedata.normalize("NFD", folded(unicodedata.normalize("NFKC", text).translate(_TYPED_AS)))
    return comparable("".join(one for one in parts if one not in _ACCENTS).translate(_TYPED_AS))


def spelled_as(given: str, reading: str) -> str:
    """Return the likeliest spelling of a word that somebody typed and OCR read, with other accents or case.

    Case is that of the reading, accents are those that either has: OCR may miss them, and so may who types.
    Letters that were typed as several are taken as they were read.
    """
    if as_written(given) == as_written(reading):
        return given
    typed, read = (_letters(text) for text in (given, reading))
    if len(typed) != len(read):
        return reading
    return "".join(_likelier(*pair) for pair in zip(typed, read, strict=True))


def _likelier(typed: str, read: str) -> str:
    if len(as_typed(typed)) != 1 or as_typed(typed) != as_typed(read) or as_typed(typed) == comparable(typed):
        return read
    cased = typed.upper() if read.isupper() else typed.lower()
    return cased if len(cased) == len(typed) and as_typed(read) == comparable(read) else read


def _letters(text: str) -> list[str]:
    """Return the characters of a text, each with the marks on it."""
    found: list[str] = []
    for character in unicodedata.normalize("NFC", text):
        if found and unicodedata.combining(character):
            found[-1] += character
        else:
            found.append(character)
    return found


def judged_as(label: str, reading: str, separates: frozenset[str]) -> tuple[str, str] | None:
    """Return what of a label and of its reading is compared; None if the OCR cannot judge it.

    A label with accents or letters of like alphabets that the OCR does not separate is compared without
    them; `separates` are the characters that it does.
    """
    wanted, found = comparable(label), comparable(reading)
    known = _comparable_alphabet(separates)
    if not known.issuperset(wanted) and any(map(is_unsure, label)):
        wanted, found = comparable(folded(label)), comparable(folded(reading))
    return (wanted, found) if wanted and known.issuperset(wanted) else None


@functools.lru_cache(maxsize=8)
def _comparable_alphabet(characters: frozenset[str]) -> frozenset[str]:
    return frozenset().union(*map(comparable, characters))


def edit_distance(one: str, other: str) -> int:
    """Return the Levenshtein distance: insertions, deletions and replacements of a character."""
    return Levenshtein.distance(one, other)


def edit_similarity(one: str, other: str) -> float:
    """Return 1 minus the edit distance over the longer length: 1 for equal texts, 0 for nothing alike."""
    return Levenshtein.normalized_similarity(one, other)
