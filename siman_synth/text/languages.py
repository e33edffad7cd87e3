"""Languages by BCP 47 code: which write case in a way of their own, and what letters give away."""

import functools
import re
import unicodedata
from collections.abc import Iterable

AUTO = "auto"
DOTTED = frozenset({"tr", "az"})
"""Their i keeps its dot, and ı has none."""
DUTCH = "nl"
WESTERN_ARMENIAN = "hyw"

_CASELESS_IN_PRINT = ("GEORGIAN", "CHEROKEE")
"""Scripts that have capitals in Unicode and hardly in print: mixing would make words nobody writes."""
_TURKISH = frozenset("çğıöşüâîû")
_AZERI = frozenset("çğıöşüə")


@functools.lru_cache(maxsize=4096)
def without_case(character: str) -> bool:
    """Tell whether a letter's other case is not printed."""
    return unicodedata.name(character, "").startswith(_CASELESS_IN_PRINT)


def language_of(characters: Iterable[str]) -> str:
    """Return the language whose case rules the letters of a whole word list ask for; "" for any other.

    A list is Turkish or Azeri if it holds "ı" and "ğ" and, of letters beyond ASCII, no others than that
    language has. Greek, German and Armenian rules follow from single letters and need no language.
    """
    small = {"i" if character == "İ" else character.lower() for character in characters}
    letters = {character for character in small if character.isalpha() and not character.isascii()}
    if not {"ı", "ğ"} <= letters:
        return ""
    if letters <= _TURKISH:
        return "tr"
    return "az" if letters <= _AZERI else ""


def is_language(code: str) -> bool:
    """Tell whether a text has the form of a BCP 47 code, or is "auto"."""
    return re.fullmatch(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*", code) is not None


def base_language(code: str) -> str:
    """Return "zh" of "zh-Hans"."""
    return code.replace("_", "-").split("-")[0].lower()
