"""The lines of a text file by number: where each begins is kept, the lines are not."""

import os
from array import array
from pathlib import Path
from typing import Any

import numpy as np

from siman_synth.errors import DatasetError

_CHUNK_BYTES = 1 << 22
_LONGEST_BYTES = 1 << 20


class Lines:
    """Lines that are not blank, by index, without their line feeds; 16 bytes of memory each.

    A reader may be pickled or forked: the file is opened where it is needed.

    Raises:
        DatasetError: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._descriptor: int | None = None
        try:
            self._starts, self._ends = _bounds(self.path)
        except OSError as error:
            raise _unreadable(path, error) from error

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> str:
        start, end = int(self._starts[index]), int(self._ends[index])
        where = f"{self.path}, byte {start}"
        if end - start > _LONGEST_BYTES:
            raise DatasetError(f"{where}: a line of {end - start} bytes; at most {_LONGEST_BYTES} are read.")
        try:
            data = os.pread(self._opened(), end - start, start)
        except OSError as error:
            raise _unreadable(self.path, error) from error
        try:
            return data.decode("utf-8-sig" if start == 0 else "utf-8").rstrip("\r")
        except UnicodeDecodeError as error:
            raise DatasetError(f"{where}: the line is not UTF-8. Write listings as UTF-8.") from error

    def _opened(self) -> int:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        return self._descriptor

    def close(self) -> None:
        """Let the file go; a later access opens it again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __del__(self) -> None:
        if getattr(self, "_descriptor", None) is not None:
            self.close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_descriptor": None}


def _bounds(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return where the lines that hold more than white space begin and end."""
    # Not lists, whose numbers take 40 bytes each: there may be ten million lines.
    starts, ends = array("q"), array("q")
    begun, seen, blank = 0, 0, True
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            at = 0
            while (found := chunk.find(b"\n", at)) >= 0:
                if not blank or chunk[at:found].strip():
                    starts.append(begun)
                    ends.append(seen + found)
                begun, at, blank = seen + found + 1, found + 1, True
            blank = blank and not chunk[at:].strip()
            seen += len(chunk)
    if not blank:
        starts.append(begun)
        ends.append(seen)
    return np.asarray(starts, np.int64), np.asarray(ends, np.int64)


def _unreadable(path: Path, error: OSError) -> DatasetError:
    return DatasetError(f"Cannot read {path}: {error.strerror}.")
