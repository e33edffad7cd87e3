"""White space as a label should hold it: single U+0020, and nothing that cannot be seen.

A reader of the image cannot tell a no-break space from another, nor one space from two, and the
character sets of trainers hold U+0020 at most. Hints where a line may break have no ink at all.
Joiners stay: they change the letters beside them.
"""

import re
import unicodedata

from siman_synth.errors import FontError
from siman_synth.escaping import shortened_repr

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


def label_of(text: str) -> str:
    """Return the label of a text that somebody wants written: NFC, plain spaces, none at its ends.

    Raises:
        FontError: it is no text, or holds a tab, a line end or another control, which no image shows.
    """
    if not isinstance(text, str):
        raise FontError(f"A text is needed, found {shortened_repr(text)}.")
    label = unicodedata.normalize("NFC", plain_spaces(text).strip())
    for character in label:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            raise FontError(
                f"{shortened_repr(text)} holds a control character (U+{ord(character):04X}), which no image "
                "shows. Give one line of text."
            )
    return label
