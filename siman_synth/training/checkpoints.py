"""Full-state checkpoints: everything that a run needs to go on as if it had never stopped."""

import io
import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from siman_synth.config import first_difference
from siman_synth.errors import OutputError, TrainingError
from siman_synth.files import sync_folder, whole_file

_NAME = re.compile(r"state-(\d{8,})\.pt")
_STALE = re.compile(r"state-\d{8,}\.pt\.partial-\d+")


class Stateful(Protocol):
    """A part of a run: a network, an optimiser, a schedule."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that must survive."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Any:
        """Restore what `state_dict` returned."""
        ...


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints in a folder, one a file, named by the number of finished steps."""

    folder: Path
    kept: int = 2
    """How many stay after a save."""

    def files(self) -> list[Path]:
        """Return the checkpoints that are there, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted((path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)), key=_step)

    def last_step(self) -> int:
        """Return the finished steps of the newest checkpoint, 0 without any."""
        found = self.files()
        return _step(found[-1]) if found else 0

    def save(self, step: int, parts: Mapping[str, Stateful], identity: Mapping[str, Any]) -> Path:
        """Write a checkpoint, and only when it is on the disk remove what is not kept.

        Args:
            step: finished steps.
            parts: the parts of the run by name.
            identity: plain values that decide the run's numbers: settings, inputs.
        """
        path = self.folder / f"state-{step:08d}.pt"
        states = {name: part.state_dict() for name, part in parts.items()}
        # Into memory first: torch answers a full disk with an error that does not say so.
        buffer = io.BytesIO()
        torch.save({"step": step, "identity": dict(identity), "parts": states}, buffer)
        with whole_file(path) as partial, partial.open("wb") as file:
            file.write(buffer.getbuffer())
        # What claims to be later was not readable, or this run would have begun there.
        older = [other for other in self.files() if _step(other) <= step]
        for other in {*self.files()} - {*older[-self.kept :]} | {*self._stale()}:
            other.unlink(missing_ok=True)
        sync_folder(self.folder)
        return path

    def restore(
        self, parts: Mapping[str, Stateful], identity: Mapping[str, Any], say: Callable[[str], None]
    ) -> int:
        """Put the newest checkpoint that can be read into `parts` and return its finished steps.

        Without any checkpoint nothing changes, and 0 is returned. `say` is told of those passed over.

        Raises:
            OutputError: the checkpoint belongs to a run with other settings or other inputs.
            TrainingError: there are checkpoints, and none can be read.
        """
        found = self.files()
        for path in reversed(found):
            try:
                saved = read_checkpoint(path, set(parts))
            except DamagedCheckpoint as error:
                say(f"Checkpoint {path} is damaged ({error}); looking for an older one.")
                continue
            require_same(self.folder.parent, saved["identity"], identity)
            for name, part in parts.items():
                part.load_state_dict(saved["parts"][name])
            return int(saved["step"])
        if found:
            raise TrainingError(
                f"None of the {len(found)} checkpoints in {self.folder} can be read. Remove them to begin "
                "anew, or choose another output folder."
            )
        return 0

    def _stale(self) -> list[Path]:
        # Left by a process that was killed; whoever saves here holds the run's lock.
        return [path for path in self.folder.iterdir() if _STALE.fullmatch(path.name)]


class DamagedCheckpoint(Exception):
    """A checkpoint that cannot be read; says in a few words why."""


def require_same(folder: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse to go on with a run that other settings or inputs began.

    Raises:
        OutputError: naming the first difference.
    """
    difference = first_difference(found, wanted)
    if difference is not None:
        raise OutputError(
            f"The run in {folder} has other settings or inputs: {difference}. "
            "Resume it with the same ones, or choose another output folder."
        )


def read_checkpoint(path: Path, parts: set[str]) -> dict[str, Any]:
    """Read and check a checkpoint file: its `step`, `identity` and `parts`, on the CPU.

    Raises:
        DamagedCheckpoint: it is not what `save` wrote, to the last bit, or holds not all of `parts`.
    """
    try:
        # torch itself does not compare the checksums that it writes.
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
        if bad is not None:
            raise DamagedCheckpoint(f"{bad} does not fit its checksum")
        with path.open("rb") as file:  # torch opens no names that are not UTF-8
            saved = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, NotImplementedError, LookupError) as error:
        raise DamagedCheckpoint(_first_line(error)) from error
    except (zipfile.BadZipFile, pickle.UnpicklingError) as error:
        raise DamagedCheckpoint(_first_line(error)) from error
    if not isinstance(saved, dict) or not {"step", "identity", "parts"} <= saved.keys():
        raise DamagedCheckpoint("it holds something else")
    if parts - set(saved["parts"]):
        raise DamagedCheckpoint(f"it holds no {min(parts - set(saved['parts']))}")
    return saved


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:200] if lines else type(error).__name__


def _step(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return int(match[1])
