"""Cleaning a block of text lines with numpy, looking at single lines only where it must."""

import unicodedata

import numpy as np
import numpy.typing as npt

from siman_synth.tally import Tally

_NEWLINE, _SPACE, _DELETE = 0x0A, 0x20, 0x7F
_SHOWN = 30

_Bytes = npt.NDArray[np.uint8]
_Positions = npt.NDArray[np.int64]


def normalised(text: str) -> str:
    """Return `text` in NFC with every line end as a newline, and one at the end.

    A newline composes with nothing, so the NFC of a block is the NFC of its lines.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.endswith("\n"):
        text += "\n"
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def clean_lines(
    text: str, first_line: int, max_length: int, skipped: Tally
) -> tuple[bytes, npt.NDArray[np.uint32]]:
    """Return the usable lines of `text` as UTF-8, a newline after each, and their sizes in bytes.

    `text` comes from `normalised`; sizes count the newline. Unusable lines are counted
    in `skipped`, the examples numbered from `first_line`.
    """
    data = text.encode()
    array = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(array == _NEWLINE)
    emptied: set[int] = set()
    odd = _odd_lines(array, ends, text.isascii())
    if len(odd):
        data = _repaired(data, ends, odd, first_line, skipped, emptied)
        array = np.frombuffer(data, np.uint8)
        ends = np.flatnonzero(array == _NEWLINE)
    characters = _characters_per_line(array, ends, text.isascii())
    blank = characters == 0
    if (blanks := int(blank.sum()) - len(emptied)) > 0:
        skipped.add("blank line", count=blanks)
    long = characters > max_length
    starts = np.concatenate([[0], ends[:-1] + 1])
    _count_long(data, starts, ends, np.flatnonzero(long), first_line, max_length, skipped)
    sizes = ends - starts + 1
    keep = ~(blank | long)
    if not keep.all():
        data = array[np.repeat(keep, sizes)].tobytes()
    return data, sizes[keep].astype(np.uint32)


def _odd_lines(array: _Bytes, ends: _Positions, ascii_only: bool) -> _Positions:
    """Return the numbers of the lines that may hold control characters or need stripping."""
    odd_byte = ((array < _SPACE) & (array != _NEWLINE)) | (array == _DELETE)
    at_edge = np.zeros(len(array), bool)
    at_edge[0] = at_edge[ends[:-1] + 1] = at_edge[ends[1:] - 1] = True
    at_edge[max(int(ends[0]) - 1, 0)] = True
    odd_byte |= at_edge & (array == _SPACE)
    if not ascii_only:
        # The lead bytes, in UTF-8, of C1 controls, line separators and every other white space.
        lead, follow = array[:-1], array[1:]
        odd_byte[:-1] |= (lead == 0xC2) & (follow <= 0xA0)
        odd_byte[:-1] |= (lead == 0xE1) & (follow == 0x9A)
        odd_byte[:-1] |= (lead == 0xE2) & ((follow == 0x80) | (follow == 0x81))
        odd_byte[:-1] |= (lead == 0xE3) & (follow == 0x80)
    return np.unique(np.searchsorted(ends, np.flatnonzero(odd_byte)))


def _repaired(
    data: bytes, ends: _Positions, odd: _Positions, first_line: int, skipped: Tally, emptied: set[int]
) -> bytes:
    """Return `data` with the odd lines stripped, or emptied where they hold control characters."""
    pieces: list[bytes] = []
    copied = 0
    for number in odd.tolist():
        start = int(ends[number - 1]) + 1 if number else 0
        end = int(ends[number])
        line = data[start:end].decode().strip()
        if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in line):
            skipped.add("control character or tab in a line", _example(first_line + number, line))
            emptied.add(number)
            line = ""
        pieces += (data[copied:start], line.encode())
        copied = end
    pieces.append(data[copied:])
    return b"".join(pieces)


def _characters_per_line(array: _Bytes, ends: _Positions, ascii_only: bool) -> _Positions:
    if ascii_only:
        return np.diff(ends, prepend=-1) - 1
    # Bytes 10xxxxxx continue a character: counting the others counts characters.
    starts_character = np.cumsum((array & 0xC0) != 0x80)
    return np.diff(starts_character[ends], prepend=0) - 1


def _count_long(
    data: bytes,
    starts: _Positions,
    ends: _Positions,
    long: _Positions,
    first_line: int,
    max_length: int,
    skipped: Tally,
) -> None:
    if not len(long):
        return
    reason = f"longer than {max_length} characters"
    shown = long[:5].tolist()
    for number in shown:
        line = data[int(starts[number]) : int(ends[number])].decode()
        skipped.add(reason, _example(first_line + number, line))
    skipped.add(reason, count=len(long) - len(shown))


def _example(number: int, line: str) -> str:
    text = line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
    return f"line {number}: {text!r}"
