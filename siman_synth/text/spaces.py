"""White space as a label should hold it: single U+0020, and nothing that cannot be seen.

A reader of the image cannot tell a no-break space from another, nor one space from two, and the
character sets of trainers hold U+0020 at most. Hints where a line may break have no ink at all.
Joiners stay: they change the letters beside them.
"""

import re

_SPACES = " \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_HINTS = "\u00ad\u200b\u2060\ufeff"
"""Soft hyphen, zero width space, word joiner, zero width no-break space."""
_RUN = re.compile(f"[{_SPACES}]+")
_HINT = re.compile(f"[{_HINTS}]")
_ODD = re.compile(f"[{_SPACES[1:]}{_HINTS}]|  ")


def plain_spaces(text: str) -> str:
    """Return `text` with every run of spaces as one U+0020, and without break hints; line ends stay."""
    if _ODD.search(text) is None:
        return text
    return _RUN.sub(" ", _HINT.sub("", text))
