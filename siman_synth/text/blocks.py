"""Judging a block of text lines with numpy, looking at single lines only where it must."""

import unicodedata

import numpy as np
import numpy.typing as npt

from siman_synth.tally import EXAMPLES_KEPT, Tally
from siman_synth.text.spaces import plain_spaces
from siman_synth.text.visible import length, needs_ink

_NEWLINE, _SPACE, _DELETE, _NO_BREAK_SPACE = 0x0A, 0x20, 0x7F, 0xA0
_SHOWN = 30
_MOST_MARKED = 16
"""Lines of so many times the limit are not looked at: no letter has that many marks."""

_Codes = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]
_Positions = npt.NDArray[np.int64]
_Flags = npt.NDArray[np.bool_]


def usable_lines(text: str, first_line: int, max_length: int, skipped: Tally) -> _Flags:
    """Tell which lines of `text`, in NFC, each ended by a newline, hold a word when stripped.

    The others are counted in `skipped`, the examples numbered from `first_line`: lines that
    are blank, hold a control character, or have more than `max_length` characters as a reader counts
    them.
    """
    codes = code_points(text)
    ends = np.flatnonzero(codes == _NEWLINE)
    lengths = np.diff(ends, prepend=-1) - 1
    usable = np.ones(len(ends), np.bool_)
    for number in _odd_lines(codes, ends).tolist():
        line = _line(text, ends, number)
        lengths[number] = len(line)
        if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in line):
            skipped.add("control character or tab in a line", _example(first_line + number, line))
            usable[number] = False
    blank = usable & ((lengths == 0) | _unseen(text, codes, ends))
    if blank.any():
        skipped.add("blank line", count=int(blank.sum()))
    long = usable & ~blank & (lengths > max_length)
    if codes.dtype != np.uint8:  # letters and their marks count as one
        for number in np.flatnonzero(long & (lengths <= _MOST_MARKED * max_length)).tolist():
            long[number] = length(_line(text, ends, number)) > max_length
    reason = _too_long(max_length)
    for number in np.flatnonzero(long).tolist()[:EXAMPLES_KEPT]:
        skipped.add(reason, _example(first_line + number, _line(text, ends, number)))
    if (unnamed := int(long.sum()) - EXAMPLES_KEPT) > 0:
        skipped.add(reason, count=unnamed)
    usable &= ~(blank | long)
    return usable


def skip_too_long(number: int, beginning: str, max_length: int, skipped: Tally) -> None:
    """Count a line, of which only the beginning was read, as one that is too long."""
    skipped.add(_too_long(max_length), _example(number, beginning.removeprefix("\ufeff").strip()))


def count_other_spaces(text: str, first_line: int, respaced: Tally) -> None:
    """Count the lines of `text`, each ended by a newline, whose label holds other spaces than they do."""
    plain = plain_spaces(text)
    if plain is text:
        return
    pairs = zip(text.split("\n"), plain.split("\n"), strict=True)
    for number, (line, label) in enumerate(pairs, first_line):
        if line.strip() != label.strip():
            respaced.add("line with other white space than single U+0020", _example(number, line.strip()))


def code_points(text: str) -> _Codes:
    """Return the characters of a text as numbers, a byte each where that is enough."""
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    return np.frombuffer(text.encode("utf-32-le"), np.uint32)


def _line(text: str, ends: _Positions, number: int) -> str:
    start = int(ends[number - 1]) + 1 if number else 0
    return text[start : int(ends[number])].strip()


def _unseen(text: str, codes: _Codes, ends: _Positions) -> _Flags:
    """Tell which lines hold nothing but joiners and the like: their first character is one."""
    unseen = np.zeros(len(ends), np.bool_)
    if codes.dtype != np.uint8 and len(ends):
        firsts = codes[np.concatenate([[0], ends[:-1] + 1])]
        hidden = [code for code in np.unique(firsts).tolist() if not needs_ink(chr(code))]
        for number in np.flatnonzero(np.isin(firsts, hidden)).tolist():
            unseen[number] = not any(map(needs_ink, _line(text, ends, number)))
    return unseen


def _odd_lines(codes: _Codes, ends: _Positions) -> _Positions:
    """Return the numbers of the lines that may hold control characters or need stripping."""
    odd = ((codes < _SPACE) & (codes != _NEWLINE)) | (codes == _DELETE)
    if codes.dtype != np.uint8:
        # C1 controls, line separators and every other white space; a few too many do no harm.
        odd |= (codes > _DELETE) & (codes <= _NO_BREAK_SPACE)
        odd |= (codes == 0x1680) | ((codes >= 0x2000) & (codes <= 0x205F)) | (codes == 0x3000)
    firsts, lasts = np.concatenate([[0], ends[:-1] + 1]), np.maximum(ends - 1, 0)
    spaced = (codes[firsts] == _SPACE) | (codes[lasts] == _SPACE)
    spaced[np.searchsorted(ends, np.flatnonzero(odd))] = True
    return np.flatnonzero(spaced)


def _too_long(max_length: int) -> str:
    return f"longer than {max_length} characters"


def _example(number: int, line: str) -> str:
    text = line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
    return f"line {number}: {text!r}"
