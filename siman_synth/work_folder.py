"""The folder beside an output where work that can be resumed lies until it is done."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.errors import OutputError
from siman_synth.files import full_disk_told, locked, make_folder, publish_folder, refuse_busy
from siman_synth.marked_folder import OTHER
from siman_synth.own_names import HALF, IDENTITY, LOCK, RESULT, OwnNames, is_begun, nobodys
from siman_synth.sealed import read_sealed, write_sealed

RESULT_NAMES = re.escape(RESULT) + HALF
"""What `names` of a work folder must hold among its files."""


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """It holds an identity, a lock that dies with the process, and what its maker names.

    Nothing else is ever removed, and a folder that holds something else is refused.
    """

    out: Path
    """What the work is for: a folder that must not exist, or be empty."""
    path: Path
    what: str
    """What writes into it, for messages: "run"."""
    names: OwnNames
    inputs: str
    """What the work depends on, for messages: "photos or options"."""

    def require_free(self, resume: bool) -> None:
        """Refuse an output or a folder that this work may not take; looks, and changes nothing.

        Raises:
            OutputError: `out` exists, or `path` is a link, holds what is not ours, is not to be resumed, or
                another process works in it.
        """
        self._require_free(resume, is_held=False)

    def _require_free(self, resume: bool, is_held: bool) -> None:
        is_done = resume and self.result() is not None
        if not is_done and os.path.lexists(self.out) and not _is_empty_folder(self.out):
            nothing = resume and not os.path.lexists(self.path)
            ended = ", and nothing that could be resumed lies beside it" if nothing else ""
            raise OutputError(
                f"{self.out} exists already{ended}. Choose another output folder, or remove it."
            )
        if not os.path.lexists(self.path):
            return
        if self.path.is_symlink() or not self.path.is_dir():
            kind = "a link" if self.path.is_symlink() else "not a folder"
            raise OutputError(f"{self.path} is {kind}, and what is there is not touched. {OTHER}")
        self.names.refuse_strangers(self.path)
        there = is_begun(self.path)
        if there and not resume:
            if not is_held:
                refuse_busy(self.path / LOCK, str(self.out))
            raise OutputError(
                f"{self.path} holds {_a(self.what)} that was stopped. Resume it, or remove that folder to "
                "begin anew."
            )
        if there and not is_done and read_sealed(self.path / IDENTITY) is None:
            raise nobodys(self.path)

    @contextmanager
    def held(self, resume: bool, identity: Mapping[str, Any]) -> Iterator[None]:
        """Make or take the folder and keep other processes off it, as long as the block lasts.

        Args:
            resume: whether work of the same identity may be there.
            identity: plain values that decide what comes of the work.

        Raises:
            OutputError: as `require_free`, another process works on it, it was begun with other values,
                or the disk is full.
        """
        self.require_free(resume)
        make_folder(self.path)
        with (
            full_disk_told(f"What was done is kept in {self.path}", self.what),
            locked(self.path / LOCK, str(self.out)),
        ):
            self._require_free(resume, is_held=True)  # again: another process may have come first
            found = read_sealed(self.path / IDENTITY)
            if found is None:
                write_sealed(self.path / IDENTITY, identity)
            elif found != json.loads(json.dumps(identity)):
                raise OutputError(
                    f"{self.path} belongs to {_a(self.what)} with other {self.inputs}. Use the same ones to "
                    "resume it, or remove that folder to begin anew."
                )
            yield

    def publish(self, made: Path, result: Mapping[str, Any]) -> None:
        """Give the finished folder `made`, in this one, the name of the output, and remove this one.

        Killed between, `result` still tells what came of the work.
        """
        write_sealed(self.path / RESULT, {"folder": made.stat().st_ino, "result": dict(result)})
        publish_folder(made, self.out)
        self.remove()

    def result(self) -> dict[str, Any] | None:
        """Return what `publish` was told, where it was killed before it was done; None otherwise."""
        found = read_sealed(self.path / RESULT)
        try:
            # A folder keeps its number when it is renamed: it is the one that was made here.
            is_out = found is not None and os.lstat(self.out).st_ino == found["folder"]
        except OSError:
            return None
        return found["result"] if found is not None and is_out else None

    def remove(self) -> None:
        """Remove the folder but for what is not ours."""
        self.names.remove(self.path)


def _is_empty_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
