"""Words set one after the other: with a space, or without where the script has none."""

from collections.abc import Sequence

from fontTools import unicodedata as script_data

_WITHOUT_SPACES = frozenset({"Hani", "Hira", "Kana", "Bopo", "Thai", "Laoo", "Khmr", "Mymr", "Yiii", "Lana"})
"""Scripts whose words follow each other directly."""


def joined(words: Sequence[str]) -> str:
    """Return one line of `words`."""
    line = ""
    for word in words:
        direct = not line or (_unspaced(line[-1]) and _unspaced(word[0]))
        line += word if direct else f" {word}"
    return line


def _unspaced(character: str) -> bool:
    return not character.isascii() and script_data.script(character) in _WITHOUT_SPACES
