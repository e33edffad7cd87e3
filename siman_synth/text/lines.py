"""The lines of a file in blocks of whole lines, in bounded memory whatever the file holds."""

from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

import numpy as np

BOM = b"\xef\xbb\xbf"
LONGEST_LINE_BYTES = 8192
"""More than a word of 1,000 characters, the most that settings allow. To bring a line of a megabyte of
accents into NFC takes minutes, and a file without a newline would be held as a whole."""

_BLOCK_BYTES = 1 << 20


class Digest(Protocol):
    """What is told every byte."""

    def update(self, data: bytes, /) -> None:
        """Take the next bytes."""
        ...


def whole_lines(
    file: BinaryIO, digest: Digest, too_long: Callable[[int, bytes], None]
) -> Iterator[tuple[bytes, int, int]]:
    """Yield (bytes of whole lines, number of the first line, byte offset of the first line).

    Every line end is a newline, and there is one at the end; no byte changes its place. Lines of more
    than `LONGEST_LINE_BYTES` are left out; `too_long` is told their number and how they begin.
    """
    offset, line, rest, given_up = 0, 1, b"", False
    for block in _blocks(file, digest):
        if given_up:
            end = block.find(b"\n") + 1
            offset += end or len(block)
            if not end:
                continue
            line, given_up, block = line + 1, False, block[end:]
        cut = block.rfind(b"\n") + 1
        raw, rest = (rest + block[:cut], block[cut:]) if cut else (b"", rest + block)
        yield from _short_lines(raw, line, offset, too_long)
        line, offset = line + raw.count(b"\n"), offset + len(raw)
        if len(rest) > LONGEST_LINE_BYTES:
            too_long(line, rest[:LONGEST_LINE_BYTES])
            offset, rest, given_up = offset + len(rest), b"", True
    if rest:
        yield from _short_lines(rest + b"\n", line, offset, too_long)


def _blocks(file: BinaryIO, digest: Digest) -> Iterator[bytes]:
    """Yield the file in pieces, every line end a newline."""
    held = b""
    while block := file.read(_BLOCK_BYTES):
        digest.update(block)
        block = held + block
        # What follows decides whether it is a line end of its own.
        held = b"\r" if block.endswith(b"\r") else b""
        yield _with_newlines(block.removesuffix(held))
    if held:
        yield b"\n"


def _with_newlines(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b" \n").replace(b"\r", b"\n") if b"\r" in raw else raw


def _short_lines(
    raw: bytes, first_line: int, first_byte: int, too_long: Callable[[int, bytes], None]
) -> Iterator[tuple[bytes, int, int]]:
    """Yield a block of whole lines in pieces, without those that are too long."""
    ends = np.flatnonzero(np.frombuffer(raw, np.uint8) == ord("\n"))
    long = np.flatnonzero(np.diff(ends, prepend=-1) - 1 > LONGEST_LINE_BYTES)
    start, line = 0, first_line
    for number in long.tolist():
        begin, end = int(ends[number - 1]) + 1 if number else 0, int(ends[number]) + 1
        if begin > start:
            yield raw[start:begin], line, first_byte + start
        too_long(first_line + number, raw[begin : begin + LONGEST_LINE_BYTES])
        start, line = end, first_line + number + 1
    if start < len(raw):
        yield raw[start:], line, first_byte + start
