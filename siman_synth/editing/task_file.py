"""Edits by the file: one a line, as CSV with a header or as JSON objects."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from siman_synth.editing.errors import EditError
from siman_synth.editing.placing import Width
from siman_synth.files import read_text

_NAMES = ("photo", "text", "out", "quad", "box", "old", "index", "width")
_NEEDED = _NAMES[:3]
_WIDTHS = ("natural", "keep")
_MOST_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class EditTask:
    """One word to change."""

    photo: Path
    text: str
    out: Path
    quad: tuple[float, ...] | None = None
    """Eight numbers."""
    box: tuple[float, ...] | None = None
    """Four numbers."""
    old: str | None = None
    index: int | None = None
    """Counts from 1."""
    width: Width = "natural"
    row: int | None = None
    """Its line in the file that it comes from."""


def read_tasks(path: Path) -> list[EditTask]:
    """Read a file of edits; paths in it are relative to its folder.

    Raises:
        EditError: it cannot be read, or one of its lines is no edit; says which and why.
    """
    try:
        text = read_text(path, _MOST_BYTES)
    except OSError as error:
        raise EditError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise EditError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
    if not text.strip():
        raise EditError(f"{path} holds no edit. Give a header and a line an edit, or JSON objects.")
    rows = _json_rows(path, text) if text.lstrip().startswith("{") else _csv_rows(path, text)
    return [_task(path, number, row) for number, row in rows]


def _json_rows(path: Path, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    rows: list[tuple[int, Mapping[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise EditError(f"{path}, line {number}: not JSON ({error}).") from error
        if not isinstance(row, dict):
            raise EditError(f"{path}, line {number}: an object is needed, found {line[:40]}.")
        rows.append((number, row))
    return rows


def _csv_rows(path: Path, text: str) -> list[tuple[int, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        rows: list[tuple[int, Mapping[str, Any]]] = [
            (reader.line_num, {k: v for k, v in row.items() if v not in (None, "")}) for row in reader
        ]
    except csv.Error as error:
        raise EditError(f"{path}, line {reader.line_num}: not CSV ({error}).") from error
    if any(name is None for _, row in rows for name in row):
        raise EditError(f"{path} has lines with more values than its header has names. Quote commas.")
    if not rows:
        raise EditError(f"{path} holds a header alone, no edit.")
    return rows


def _task(path: Path, number: int, row: Mapping[str, Any]) -> EditTask:
    where = f"{path}, line {number}"
    if unknown := sorted(set(row) - set(_NAMES)):
        raise EditError(f"{where}: unknown name '{unknown[0]}'. Known are {', '.join(_NAMES)}.")
    if missing := [name for name in _NEEDED if not isinstance(row.get(name), str) or not row[name]]:
        raise EditError(f"{where}: '{missing[0]}' is missing or no text.")
    width = row.get("width", "natural")
    if width not in _WIDTHS:
        raise EditError(f"{where}: width must be natural or keep, found {width!r}.")
    old = row.get("old")
    if old is not None and not isinstance(old, str):
        raise EditError(f"{where}: old must be a text, found {old!r}.")
    return EditTask(
        photo=path.parent / row["photo"],
        text=row["text"],
        out=path.parent / row["out"],
        quad=_numbers(where, "quad", row.get("quad"), 8),
        box=_numbers(where, "box", row.get("box"), 4),
        old=old,
        index=_index(where, row.get("index")),
        width=cast(Width, width),
        row=number,
    )


def _numbers(where: str, name: str, value: Any, count: int) -> tuple[float, ...] | None:
    if value is None:
        return None
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    if isinstance(parts, list) and parts and all(isinstance(part, list) for part in parts):
        parts = [number for part in parts for number in part]
    try:
        numbers = tuple(float(part) for part in parts)
    except (TypeError, ValueError):
        numbers = ()
    if len(numbers) != count:
        raise EditError(f"{where}: {name} needs {count} numbers, found {value!r}.")
    return numbers


def _index(where: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1 or isinstance(value, bool):
        raise EditError(f"{where}: index counts from 1, found {value!r}.")
    return number
