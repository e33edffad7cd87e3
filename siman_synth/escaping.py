"""Any string made fit to be shown or stored: names of files need be neither UTF-8 nor harmless.

Python reads a byte of a file name that is not UTF-8 as a lone surrogate, which no UTF-8 file and no
terminal takes. A name may also hold what a terminal obeys (an escape sequence, a line feed) or what
turns the order of the text around it. What is shown is escaped here; what opens a file never is.
"""

import os
import re

# Controls, invisible format characters, marks that change the direction of text, line separators,
# lone surrogates and tags. Joiners stay: Persian and Indic words are written with them.
_UNSEEN = (
    "\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f"
)
_HIDDEN = re.compile(f"[{_UNSEEN}\u034f\u3164\uffa0]")  # and a joiner and letters that have no ink
_UNPRINTABLE = re.compile(f"[{_UNSEEN}]")
_UNPRINTABLE_IN_LINES = re.compile(f"(?![\n\t])[{_UNSEEN}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}


def hidden_in(text: str) -> str | None:
    """Return the first character that no reader sees and that changes no letter beside it; None if all do."""
    found = _HIDDEN.search(text)
    return None if found is None else found[0]


def printable(text: str | os.PathLike[str], most: int | None = None) -> str:
    r"""Return `text` on one line, with everything escaped that a reader or a terminal could not see.

    A byte that is not UTF-8 becomes `\xe9`, a terminal's escape `\x1b`, a line feed `\n`, a mark
    that turns the direction of text `\u202e`.

    Args:
        text: a string or a path.
        most: cut to this many characters and `…`; None for all of it.
    """
    shown = os.fspath(text)
    if most is not None and len(shown) > most:
        shown = shown[:most] + "…"
    return _UNPRINTABLE.sub(_escape, shown)


def printable_lines(text: str) -> str:
    """Return `text` like `printable`, with its line feeds and tabs left as they are."""
    return _UNPRINTABLE_IN_LINES.sub(_escape, text)


def storable(text: str) -> str:
    r"""Return `text` with each byte that is not UTF-8 as `\xe9`; all else is left as it is."""
    return _SURROGATE.sub(_escape, text)


def storable_document(document: str) -> str:
    r"""Return a JSON or TOML document whose strings hold `\xe9` for each byte that is not UTF-8.

    Both write a backslash as two.
    """
    return _SURROGATE.sub(lambda found: "\\" + _escape(found), document)


def shortened_repr(value: object, most: int = 80) -> str:
    """Return `repr(value)`, cut to `most` characters: for a message about a value of any size or depth."""
    try:
        shown = repr(value)
    except RecursionError:
        return f"a {type(value).__name__} nested too deeply to show"
    except ValueError:  # an integer of more than 4,300 digits
        return "a number too long to show"
    return shown if len(shown) <= most else shown[:most] + "…"


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    if character in _NAMED:
        return _NAMED[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
