"""Files that users write, one thing a line: CSV with a header, parted as the header is, or JSON objects."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.errors import SimanError
from siman_synth.escaping import shortened_repr
from siman_synth.files import read_text

_PARTS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, slots=True)
class Row:
    """What one line says."""

    path: Path
    number: int
    """Its line in the file, counted from 1."""
    values: Mapping[str, Any]
    """By name; of CSV, cells that are not empty."""
    error: type[SimanError]
    """What is raised when a value cannot be used."""

    def problem(self, what: str) -> SimanError:
        """Return an error that names the line."""
        return self.error(f"{self.path}, line {self.number}: {what}")

    def needed(self, name: str) -> str:
        """Return a text that must be there, and not be empty.

        Raises:
            SimanError: as `error` says.
        """
        value = self.values.get(name)
        if not isinstance(value, str) or not value:
            raise self.problem(f"'{name}' is missing or no text.")
        return value

    def text(self, name: str) -> str | None:
        """Return a text, None if there is none.

        Raises:
            SimanError: as `error` says.
        """
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise self.problem(f"{name} must be a text, found {shortened_repr(value)}.")
        return value

    def numbers(self, name: str, count: int) -> tuple[float, ...] | None:
        """Return so many numbers, from a text, a list, or a list of lists; None if there are none.

        Raises:
            SimanError: as `error` says.
        """
        value = self.values.get(name)
        if value is None:
            return None
        parts = value.replace(",", " ").split() if isinstance(value, str) else value
        if isinstance(parts, int | float):
            parts = [parts]
        if isinstance(parts, list) and parts and all(isinstance(part, list) for part in parts):
            parts = [number for part in parts for number in part]
        try:
            numbers = tuple(float(part) for part in parts)
        except (TypeError, ValueError, OverflowError):
            numbers = ()
        if len(numbers) != count or not all(map(math.isfinite, numbers)):
            many = f"{count} numbers" if count > 1 else "a number"
            raise self.problem(f"{name} needs {many}, found {shortened_repr(value)}.")
        return numbers


def read_rows(
    path: Path, names: Sequence[str], thing: str, error: type[SimanError], most_bytes: int = 64_000_000
) -> Iterator[Row]:
    """Yield the rows of a file.

    Args:
        path: the file, UTF-8.
        names: those that rows may hold.
        thing: what a row is, for messages ("edit").
        error: what is raised.
        most_bytes: larger files are refused.

    Raises:
        SimanError: as `error` says: it cannot be read, holds no row, or one with another name; says which.
    """
    try:
        text = read_text(path, most_bytes)
    except OSError as problem:
        raise error(f"Cannot read {path}: {problem.strerror}.") from problem
    except UnicodeDecodeError as problem:
        raise error(f"{path} is not UTF-8 text: {problem.reason} at byte {problem.start}.") from problem
    if not text.strip():
        raise error(f"{path} holds no {thing}. Give a header and a line for each {thing}, or JSON objects.")
    rows = _json_rows(path, text, error) if text.lstrip().startswith("{") else _csv_rows(path, text, error)
    empty = True
    for row in rows:
        if unknown := sorted(set(row.values) - set(names)):
            raise row.problem(f"unknown name {shortened_repr(unknown[0])}. Known are {', '.join(names)}.")
        yield row
        empty = False
    if empty:
        raise error(f"{path} holds a header alone, no {thing}.")


def _json_rows(path: Path, text: str, error: type[SimanError]) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as problem:
            raise error(f"{path}, line {number}: not JSON ({problem}).") from problem
        if not isinstance(values, dict):
            raise error(f"{path}, line {number}: an object is needed, found {line[:40]}.")
        yield Row(path, number, values, error)


def _delimiter(text: str) -> str:
    """Return what parts the names in the header: a comma, or what spreadsheets of other countries write."""
    header = text.lstrip().split("\n", 1)[0]
    return max(_PARTS, key=header.count)  # of none the comma, which comes first


def _csv_rows(path: Path, text: str, error: type[SimanError]) -> Iterator[Row]:
    # Strict: a quote that is never closed would else swallow all lines behind it.
    delimiter = _delimiter(text)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    try:
        header = list(reader.fieldnames or ())
        if twice := [name for name in header if header.count(name) > 1]:
            raise error(f"{path} has two columns '{twice[0]}' in its header. Name each once.")
        for row in reader:
            if None in row:
                raise error(
                    f"{path} has lines with more values than its header has names. Quote {_PARTS[delimiter]}."
                )
            values = {name: value for name, value in row.items() if value not in (None, "")}
            yield Row(path, reader.line_num, values, error)
    except csv.Error as problem:
        # The line on which the row begins: a quote that is not closed shows at the end of the file.
        raise error(f"{path}, line {reader.line_num + 1}: not CSV ({problem}).") from problem
