"""The folder of a training run: whose it is, who may write to it, and what it belongs to."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.errors import OutputError
from siman_synth.files import RUN_MARKER, full_disk, is_full_disk, locked, refuse_busy, write_text
from siman_synth.marked_folder import entries, read_marker, refuse_links, refuse_strangers
from siman_synth.training.checkpoints import Checkpoints, require_same

_LOCK = "lock"
_HALF_MARKER = re.compile(re.escape(RUN_MARKER) + r"\.partial-\d+")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A folder that a training run writes to, and nobody else.

    It is a run's when it holds the marker `siman-run.json`, which names the kind of the run, what
    decides its numbers (its identity), and its history. Files that a run does not write are never
    touched.
    """

    path: Path
    kind: str
    """What is trained: "pretraining"."""
    names: frozenset[str]
    """What the run writes into the folder, beside what every run does."""

    @property
    def checkpoints(self) -> Path:
        """Where full-state checkpoints lie."""
        return self.path / "checkpoints"

    def require_usable(self, resume: bool) -> None:
        """Refuse a folder that this run may not take; looks, and changes nothing.

        Raises:
            OutputError: it is a link or no folder, holds files of others, another kind of run, or
                a run with checkpoints that is not to be resumed, or that another process works on.
        """
        self._require_usable(resume, is_held=False)

    def _require_usable(self, resume: bool, is_held: bool) -> None:
        found = entries(self.path, "run")
        if found is None:
            return
        refuse_links(found, sorted(self.names | {RUN_MARKER, _LOCK, self.checkpoints.name}), "run")
        if RUN_MARKER not in found:
            self._require_unused(found)
            return
        self._read_marker()
        saved = Checkpoints(self.checkpoints).files()
        if saved and not resume:
            if not is_held:
                refuse_busy(self.path / _LOCK, str(self.path))
            raise OutputError(
                f"{self.path} holds a run of {saved[-1].stem}. Resume it, or choose another output folder."
            )

    @contextmanager
    def held(self, resume: bool) -> Iterator[None]:
        """Make the folder if need be and keep other processes off it.

        Raises:
            OutputError: as `require_usable`, or another process works on it.
        """
        self.require_usable(resume)
        self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path / _LOCK, str(self.path)):
            self._require_usable(resume, is_held=True)  # again: another process may have come first
            yield

    def begin(
        self, identity: Mapping[str, Any], history: Mapping[str, Any], resume: bool
    ) -> Mapping[str, Any]:
        """Give the folder to a run, or compare it with the run that has it; the caller holds it.

        A run without any checkpoint has nothing to lose: another may begin in its place.

        Args:
            identity: plain values that decide the run's numbers.
            history: plain values to be remembered: versions, and in "init" the weights it starts from.
            resume: whether the caller means the run that is there.

        Returns:
            The history of the run that has the folder now.

        Raises:
            OutputError: the run that has it has another identity, or began from weights and has no
                checkpoint yet, so that it cannot be resumed without them.
        """
        if Checkpoints(self.checkpoints).files():
            marker = self._read_marker()
            require_same(self.path, marker["identity"], identity)
            found: Mapping[str, Any] = marker["history"]
            return found
        if resume and (self.path / RUN_MARKER).exists():
            init = self._read_marker()["history"].get("init")
            if init:
                raise OutputError(
                    f"The run in {self.path} began from weights ({init.get('file')}) and has no checkpoint "
                    "yet. Start it again from them instead of resuming it."
                )
        written = {"kind": self.kind, "identity": dict(identity), "history": dict(history)}
        write_text(self.path / RUN_MARKER, json.dumps(written, indent=1) + "\n")
        self.make(self.checkpoints.name)
        return history

    def make(self, name: str) -> None:
        """Make a folder in this one, if it is not there.

        Raises:
            OutputError: a file has its name.
        """
        try:
            (self.path / name).mkdir(exist_ok=True)
        except FileExistsError as error:
            raise OutputError(f"{self.path / name} is a file, and the run needs a folder there.") from error

    def _require_unused(self, found: Mapping[str, Path]) -> None:
        strangers = [
            name
            for name, path in found.items()
            # What a process leaves that is killed between making the folder and marking it.
            if not _HALF_MARKER.fullmatch(name) and not (name == _LOCK and _is_empty_file(path))
        ]
        refuse_strangers(self.path, strangers, "run")

    def _read_marker(self) -> dict[str, dict[str, Any]]:
        return read_marker(self.path, self.kind, ("identity", "history"), "run")


@contextmanager
def disk_errors(folder: RunFolder) -> Iterator[None]:
    """Turn a full disk, wherever in the run, into what it means and how to go on.

    Raises:
        FullDiskError: instead of OSError.
    """
    try:
        yield
    except OSError as error:
        if not is_full_disk(error):
            raise
        saved = Checkpoints(folder.checkpoints).files()
        kept = f"{saved[-1].name} is kept" if saved else "There is no checkpoint yet"
        raise full_disk(f"{kept} in {folder.path}", "run") from error


def _is_empty_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and path.stat().st_size == 0
