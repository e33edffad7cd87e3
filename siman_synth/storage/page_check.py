"""Whether LMDB can follow a file from page to page without leaving it, found out before it does.

LMDB maps a file and trusts it. A damaged page number, offset or flag makes it read beyond the map,
which ends the process (SIGBUS, SIGSEGV), or call abort. So every page between the root and the keys
is looked at here first, with plain reads, which cannot kill: half a second for 200,000
samples. Names as in LMDB's own `mdb.c`; numbers are stored in the byte order of the machine.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from siman_synth.errors import DatasetError

_HEADER_BYTES = 16  # of a page: number (8), padding (2), flags, lower, upper (2 each)
_NODE_BYTES = 8  # of a node: low and high half of a size, flags, size of the key (2 each)
_META = struct.Struct(
    "=IIQQ48s48sQQ"
)  # magic, version, address, map size, free list, main, last page, number
_DATABASE = struct.Struct("=IHHQQQQQ")  # pad, flags, depth, branches, leaves, overflows, entries, root
_MAGIC, _VERSION = 0xBEEFC0DE, 1
_BRANCH, _LEAF, _PAGE_KINDS = 0x01, 0x02, 0x6F
_BIG, _NESTED = 0x01, 0x02
_NO_ROOT = 2**64 - 1
_PAGE_SIZES = tuple(2**power for power in range(8, 16))
_DEEPEST = 32
_BATCH_BYTES = 1 << 22
_NESTED_NAMED = 3

Pages = npt.NDArray[Any]


class _DamagedError(Exception):
    """What is wrong, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What the check found in a sound file: keys, and the first few nested databases."""

    keys: int
    nested: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Meta:
    page_bytes: int
    last_page: int
    number: int
    flags: int
    depth: int
    keys: int
    root: int


def check_pages(file: BinaryIO, path: Path) -> CheckedFile:
    """Look at every page that LMDB passes through on the way to a key.

    Args:
        file: the data file, opened in binary mode without a buffer.
        path: what messages call it.

    Raises:
        DatasetError: the file is empty, no LMDB, of another machine, cut short or damaged.
    """
    size = file.seek(0, 2)
    meta = _newest_meta(file, path, size)
    used = (meta.last_page + 1) * meta.page_bytes
    if size < used:
        raise DatasetError(
            f"{path} is truncated: it has {size} bytes of {used}. Copy it again from its source."
        )
    if meta.flags:
        raise DatasetError(
            f"{path} is an LMDB of another kind: its keys may repeat, or are numbers (flags "
            f"0x{meta.flags:02x}). Give a data set with num-samples, image-000000001, …"
        )
    try:
        nested = _walk(file, meta)
    except _DamagedError as error:
        raise DatasetError(f"{path} is damaged: {error}. Copy it again from its source.") from error
    return CheckedFile(meta.keys, nested)


def _newest_meta(file: BinaryIO, path: Path, size: int) -> _Meta:
    if size == 0:
        raise DatasetError(f"{path} is empty: it has 0 bytes. Generate or copy it again.")
    head = _read_at(file, 0, _HEADER_BYTES + _META.size)
    number = _MAGIC.to_bytes(4, "little")
    for place, what in ((16, "of the other byte order"), (12, "of 32 bits")):
        found = head[place : place + 4]
        if found == number[::-1] or (place == 12 and found == number):
            raise DatasetError(
                f"{path} was written on a machine {what}, and LMDB reads its own alone. "
                "Copy the samples there with mdb_dump, and load them here with mdb_load."
            )
    try:
        first = _meta(head)
        second = _meta(_read_at(file, first.page_bytes, _HEADER_BYTES + _META.size))
    except (_DamagedError, struct.error) as error:
        raise DatasetError(
            f"{path} is no LMDB, or its head is damaged. Generate or copy it again."
        ) from error
    if first.page_bytes != second.page_bytes:
        raise DatasetError(f"{path} is no LMDB, or its head is damaged. Generate or copy it again.")
    return second if first.number < second.number else first


def _meta(page: bytes) -> _Meta:
    magic, version, _, _, free, main, last_page, number = _META.unpack_from(page, _HEADER_BYTES)
    page_bytes = _DATABASE.unpack(free)[0]
    _, flags, depth, _, _, _, keys, root = _DATABASE.unpack(main)
    is_meta = struct.unpack_from("=H", page, 10)[0] & 0x08
    if (magic, version) != (_MAGIC, _VERSION) or not is_meta or page_bytes not in _PAGE_SIZES:
        raise _DamagedError
    if last_page >= 2**48:  # more than any machine maps
        raise _DamagedError
    return _Meta(page_bytes, last_page, number, flags, depth, keys, root)


def _walk(file: BinaryIO, meta: _Meta) -> tuple[bytes, ...]:
    """Follow the tree, some pages of a level at a time; return the names of nested databases."""
    if meta.root == _NO_ROOT:
        if meta.keys or meta.depth:
            raise _DamagedError(f"it has no root for {meta.keys} keys")
        return ()
    if not 1 <= meta.depth <= _DEEPEST:
        raise _DamagedError(f"its tree has a depth of {meta.depth}")
    seen = keys = 0
    nested: list[bytes] = []

    def visit(level: npt.NDArray[np.uint64], levels_below: int) -> None:
        nonlocal seen, keys
        seen += len(level)
        if seen > meta.last_page:  # pages that are listed again and again
            raise _DamagedError(f"its tree has more than its {meta.last_page + 1} pages")
        for numbers, pages in _read_pages(file, level, meta):
            nodes = _Nodes(numbers, pages, meta, not levels_below)
            if levels_below:
                # At once: all leaves of a large set would be millions of numbers.
                visit(nodes.children(), levels_below - 1)
            else:
                keys += len(nodes.rows)
                nested.extend(nodes.check_values()[: _NESTED_NAMED - len(nested)])

    visit(np.array([meta.root], np.uint64), meta.depth - 1)
    if keys != meta.keys:
        raise _DamagedError(f"it has {keys} keys of {meta.keys}")
    return tuple(nested)


class _Nodes:
    """The nodes of some pages of one level, all at once. Every row of `pages` is a page as uint16."""

    def __init__(self, numbers: Pages, pages: Pages, meta: _Meta, is_leaf: bool) -> None:
        self._numbers, self._pages, self._meta = numbers, pages, meta
        kind, least = (_LEAF, 1) if is_leaf else (_BRANCH, 2)
        own = pages.view(np.uint64)[:, 0]
        flags, lower, upper = (pages[:, column].astype(np.int64) for column in (5, 6, 7))
        counts = (lower - _HEADER_BYTES) // 2
        sound = (own == numbers) & (flags & _PAGE_KINDS == kind) & (counts >= least)
        sound &= (lower % 2 == 0) & (lower <= upper) & (upper <= meta.page_bytes)
        self._require(sound, np.arange(len(pages)), "has a damaged head")
        columns = np.arange(int(counts.max()))
        self.rows, column = np.nonzero(columns < counts[:, None])
        self._starts = pages[self.rows, column + _HEADER_BYTES // 2].astype(np.int64)
        inside = (self._starts % 2 == 0) & (self._starts >= upper[self.rows])
        inside &= self._starts + _NODE_BYTES <= meta.page_bytes
        self._require(inside, self.rows, "points outside itself")
        low, high, self._flags, self._key_bytes = (self._field(index) for index in range(4))
        self._half_sizes = low | high << 16

    def children(self) -> npt.NDArray[np.uint64]:
        """Return the pages below, in the order of their keys."""
        ends = self._starts + _NODE_BYTES + self._key_bytes
        self._require(ends <= self._meta.page_bytes, self.rows, "has a key that leaves it")
        numbers = self._half_sizes | self._flags << 32
        known = (numbers >= 2) & (numbers <= self._meta.last_page)
        self._require(known, self.rows, "leads to a page that does not exist")
        return numbers.astype(np.uint64)

    def check_values(self) -> list[bytes]:
        """Check that every value lies inside the file; return the names of nested databases."""
        is_big = self._flags == _BIG
        self._require(self._flags <= _NESTED, self.rows, "has a value of an unknown kind")
        values = self._starts + _NODE_BYTES + self._key_bytes
        ends = values + np.where(is_big, 8, self._half_sizes)
        self._require(ends <= self._meta.page_bytes, self.rows, "has a value that leaves it")
        rows, starts = self.rows[is_big], values[is_big]
        stored = self._pages.view(np.uint8)[rows[:, None], starts[:, None] + np.arange(8)]
        first = np.ascontiguousarray(stored).view(np.uint64).ravel()
        pages = (self._half_sizes[is_big] + _HEADER_BYTES - 1) // self._meta.page_bytes + 1
        end = np.uint64(self._meta.last_page + 1)
        # Compared before they are added: a damaged number may be near the largest there is.
        inside = (first >= 2) & (first < end)
        inside &= first + np.where(inside, pages, 0).astype(np.uint64) <= end
        self._require(inside, rows, "has a value that leaves the file")
        return [self._key(index) for index in np.flatnonzero(self._flags == _NESTED)[:_NESTED_NAMED]]

    def _field(self, index: int) -> npt.NDArray[np.int64]:
        found: npt.NDArray[np.int64] = self._pages[self.rows, self._starts // 2 + index].astype(np.int64)
        return found

    def _key(self, index: int) -> bytes:
        start = int(self._starts[index]) + _NODE_BYTES
        row: bytes = self._pages[self.rows[index]].tobytes()
        return row[start : start + int(self._key_bytes[index])]

    def _require(self, sound: Pages, rows: Pages, problem: str) -> None:
        if not sound.all():
            page = self._numbers[rows[int(np.argmin(sound))]]
            raise _DamagedError(f"its page {page} {problem}")


def _read_pages(file: BinaryIO, numbers: Pages, meta: _Meta) -> Iterator[tuple[Pages, Pages]]:
    batch = max(1, _BATCH_BYTES // meta.page_bytes)
    for start in range(0, len(numbers), batch):
        chosen = numbers[start : start + batch]
        if int(chosen.max()) > meta.last_page:
            raise _DamagedError(f"its page {chosen.max()} does not exist")
        raw = b"".join(
            _read_at(file, number * meta.page_bytes, meta.page_bytes) for number in chosen.tolist()
        )
        if len(raw) != len(chosen) * meta.page_bytes:
            raise _DamagedError("it was cut while it was read")
        yield chosen, np.frombuffer(raw, np.uint16).reshape(len(chosen), -1)


def _read_at(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)
