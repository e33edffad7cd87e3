"""What lies where while a run lasts and after it, and who may work on it.

`OUT.run/` holds the run's identity, its finished shards, and a lock that dies with the
process that holds it, however that process ends.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.config import first_difference
from siman_synth.errors import OutputError
from siman_synth.escaping import storable_document
from siman_synth.files import (
    CONFIG_SUFFIX,
    REJECTED_SUFFIX,
    RUN_SUFFIX,
    SUMMARY_SUFFIX,
    full_disk_told,
    locked,
    write_text,
)
from siman_synth.runs.ours import RUN

_IDENTITY_KEYS = {"algorithm", "siman_synth", "seed", "n", "config"}


@dataclass(frozen=True, slots=True)
class RunPaths:
    """Where a run keeps what.

    Raises:
        OutputError: nothing can lie beside `out`, because it is the root of a file system.
    """

    out: Path

    def __post_init__(self) -> None:
        if self.out.name in ("", ".."):
            # "." and ".." have neighbours, too, once they are spelled out.
            object.__setattr__(self, "out", self.out.resolve())
        if not self.out.name:
            raise OutputError(
                f"Cannot write to {self.out}: a folder with a name is needed. Choose another output folder."
            )

    @property
    def run(self) -> Path:
        """The folder that exists while a run lasts."""
        return self.out.with_name(self.out.name + RUN_SUFFIX)

    @property
    def shards(self) -> Path:
        """Finished shards and their markers."""
        return self.run / "shards"

    @property
    def merged(self) -> Path:
        """The data set before it gets its name."""
        return self.run / "merged"

    @property
    def beside(self) -> Path:
        """What will lie beside the data set, before it does."""
        return self.run / "beside"

    @property
    def identity(self) -> Path:
        """What decides the bytes of the run."""
        return self.run / "identity.json"

    @property
    def lock(self) -> Path:
        """Held by the process that works on the run."""
        return self.run / "lock"

    @property
    def config(self) -> Path:
        """The resolved settings of the finished data set."""
        return self.out.with_name(self.out.name + CONFIG_SUFFIX)

    @property
    def summary(self) -> Path:
        """The counts and the identity of the finished data set."""
        return self.out.with_name(self.out.name + SUMMARY_SUFFIX)

    @property
    def rejects(self) -> Path:
        """A sheet of some pictures that the quality gate rejected, if it rejected any."""
        return self.out.with_name(self.out.name + REJECTED_SUFFIX)

    def side_files(self) -> dict[str, Path]:
        """Return what lies beside the data set by its name in `beside`, the summary last."""
        return {"config.toml": self.config, "rejected.png": self.rejects, "summary.json": self.summary}


@contextmanager
def held(paths: RunPaths) -> Iterator[None]:
    """Keep other processes off the run.

    Raises:
        OutputError: another process works on it, or the folder cannot be made.
    """
    try:
        paths.run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(paths, error.strerror) from error
    with locked(paths.lock, str(paths.run)):
        try:
            yield
        finally:
            # A run that was refused leaves no empty folder, which would say that there is a run.
            if os.path.lexists(paths.lock) and not _entries(paths.run) - {"lock"}:
                with suppress(OSError):
                    paths.lock.unlink()
                    paths.run.rmdir()


def begin(paths: RunPaths, identity: Mapping[str, Any]) -> None:
    """Make the run's folder ready for `identity`, keeping the shards of a run of the same identity.

    Raises:
        OutputError: the folder holds a run of another identity.
    """
    # First what a killed run left half done: a full disk needs the room.
    RUN.delete(paths.run, "merged")
    RUN.delete(paths.run, "beside")
    if paths.shards.is_dir():
        for stale in paths.shards.glob("*.partial*"):
            RUN.delete(paths.run, f"shards/{stale.name}")
    found = read_identity(paths.identity)
    if found is not None:
        require_same(paths.run, found, identity)
    else:
        write_text(paths.identity, json.dumps(identity, indent=1))
    paths.shards.mkdir(exist_ok=True)


def require_same(where: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse to go on with what was made with other settings or inputs.

    Raises:
        OutputError: naming the first difference.
    """
    difference = first_difference(found, wanted)
    if difference is not None:
        raise OutputError(
            f"{where} belongs to a run with other settings: {difference}. "
            "Resume with the same ones, choose another output folder, or overwrite this one."
        )


@contextmanager
def disk_errors(paths: RunPaths) -> Iterator[None]:
    """Turn a disk's refusal, wherever in the run, into what it means and how to go on.

    Raises:
        OutputError: instead of OSError, and instead of the LMDB writer's own.
    """
    kept = f"Finished shards are kept in {paths.run}"
    try:
        with full_disk_told(kept, "run"):
            yield
    except OSError as error:
        raise OutputError(f"The run cannot go on: {error}. {kept}; mend this and resume the run.") from error


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, or None if it is missing, damaged or a link."""
    try:
        values = None if path.is_symlink() else json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def is_identity(values: object) -> bool:
    """Return whether plain values are the identity of a run."""
    return isinstance(values, dict) and values.keys() >= _IDENTITY_KEYS


def read_identity(path: Path) -> dict[str, Any] | None:
    """Return the identity in a file, None if there is none that can be read."""
    values = read_json(path)
    return values if is_identity(values) else None


def to_json(values: Mapping[str, Any]) -> str:
    """Return plain values as a JSON document that any reader takes."""
    return storable_document(json.dumps(values, indent=1, ensure_ascii=False)) + "\n"


def _cannot_write(paths: RunPaths, reason: str | None) -> OutputError:
    return OutputError(f"Cannot write beside {paths.out}: {reason}. Choose another output folder.")


def _entries(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()
