"""Folders that say by a marker whose they are, so that what others put there is never touched."""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from siman_synth.errors import OutputError
from siman_synth.files import RUN_MARKER

OTHER = "Choose another output folder."
_SHOWN = 3


def entries(path: Path, what: str) -> dict[str, Path] | None:
    """Return what lies in a folder by name, None if there is nothing at `path`.

    Args:
        path: the folder.
        what: what would write into it, for messages: "run".

    Raises:
        OutputError: it is a link, or no folder.
    """
    if not os.path.lexists(path):
        return None
    if path.is_symlink():
        raise OutputError(f"{path} is a link; a {what} writes into no linked folder. {OTHER}")
    if not path.is_dir():
        raise OutputError(f"{path} is not a folder. {OTHER}")
    return {entry.name: entry for entry in path.iterdir()}


def refuse_links(found: Mapping[str, Path], names: Iterable[str], what: str) -> None:
    """Refuse a folder in which one of `names` is a link.

    Raises:
        OutputError: one is.
    """
    for name in names:
        if name in found and found[name].is_symlink():
            raise OutputError(f"{found[name]} is a link; a {what} writes through none. {OTHER}")


def refuse_strangers(path: Path, strangers: Collection[str], what: str) -> None:
    """Refuse a folder that holds files of others.

    Raises:
        OutputError: it does.
    """
    if strangers:
        named = sorted(strangers)
        shown = ", ".join(named[:_SHOWN]) + (", …" if len(named) > _SHOWN else "")
        raise OutputError(f"{path} holds other files ({shown}), which a {what} must not touch. {OTHER}")


def read_marker(path: Path, kind: str, parts: Collection[str], whose: str) -> dict[str, dict[str, Any]]:
    """Return the named parts of a folder's marker, which are mappings.

    Args:
        path: the folder.
        kind: what must have written it.
        parts: what the marker must hold beside its kind.
        whose: what nobody knows if it is damaged, for messages: "run".

    Raises:
        OutputError: it is damaged, or of another kind.
    """
    marker = path / RUN_MARKER
    try:
        values = json.loads(marker.read_bytes())
        found_kind, found = values["kind"], {part: values[part] for part in parts}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OutputError(f"{marker} is damaged, so nobody knows whose {whose} this is. {OTHER}") from error
    if found_kind != kind or not all(isinstance(part, dict) for part in found.values()):
        raise OutputError(f"{path} holds a run of another kind ({found_kind}). {OTHER}")
    return found
