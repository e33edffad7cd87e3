"""Edits by the file: one a line, as CSV with a header or as JSON objects."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from siman_synth.editing.alignment import Align
from siman_synth.editing.errors import EditError
from siman_synth.editing.placing import Width
from siman_synth.escaping import shortened_repr
from siman_synth.rows import Row, read_rows

_NAMES = ("photo", "text", "out", "quad", "box", "old", "index", "width", "align")


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
    align: Align = "auto"
    row: int | None = None
    """Its line in the file that it comes from."""


def read_tasks(path: Path) -> list[EditTask]:
    """Read a file of edits; paths in it are relative to its folder.

    Raises:
        EditError: it cannot be read, or one of its lines is no edit; says which and why.
    """
    return [_task(row) for row in read_rows(path, _NAMES, "edit", EditError)]


def _task(row: Row) -> EditTask:
    photo, text, out = (row.needed(name) for name in ("photo", "text", "out"))
    return EditTask(
        photo=row.path.parent / photo,
        text=text,
        out=row.path.parent / out,
        quad=row.numbers("quad", 8),
        box=row.numbers("box", 4),
        old=row.text("old"),
        index=_index(row),
        width=cast(Width, _choice(row, "width", get_args(Width))),
        align=cast(Align, _choice(row, "align", get_args(Align))),
        row=row.number,
    )


def _choice(row: Row, name: str, choices: tuple[str, ...]) -> object:
    """Return one of several words; the first where none is given."""
    value = row.values.get(name, choices[0])
    if value not in choices:
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        raise row.problem(f"{name} must be {listed}, found {shortened_repr(value)}.")
    return value


def _index(row: Row) -> int | None:
    value = row.values.get("index")
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1 or isinstance(value, bool):
        raise row.problem(f"index counts from 1, found {shortened_repr(value)}.")
    return number
