"""What lies where while a run lasts and after it, and who may touch it.

`OUT.run/` holds the run's identity, its finished shards, and a lock that dies with the
process that holds it, however that process ends.
"""

import errno
import importlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.config import first_difference
from siman_synth.errors import OutputError
from siman_synth.storage.lmdb_format import DATA_FILE, LOCK_FILE

_FULL_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
                f"Cannot write to {self.out}: a folder with a name is needed. Choose another --out."
            )

    @property
    def run(self) -> Path:
        """The folder that exists while a run lasts."""
        return self.out.with_name(self.out.name + ".run")

    @property
    def shards(self) -> Path:
        """Finished shards and their markers."""
        return self.run / "shards"

    @property
    def merged(self) -> Path:
        """The data set before it gets its name."""
        return self.run / "merged"

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
        return self.out.with_name(self.out.name + ".config.toml")

    @property
    def summary(self) -> Path:
        """The counts and the identity of the finished data set."""
        return self.out.with_name(self.out.name + ".summary.json")

    @property
    def rejects(self) -> Path:
        """A sheet of some pictures that the quality gate refused, if it refused any."""
        return self.out.with_name(self.out.name + ".rejected.png")

    @property
    def is_merged(self) -> bool:
        """Whether the data set has its name already; all that may be left is to tidy up."""
        return (self.out / DATA_FILE).exists()


def require_free(paths: RunPaths, resume: bool, overwrite: bool) -> None:
    """Refuse an output that this run may not take; looks, and changes nothing.

    Raises:
        OutputError: it holds a run or a data set, or anything else, that was not mentioned.
    """
    if resume and overwrite:
        raise OutputError("--resume keeps what is there and --overwrite removes it. Pass one of them.")
    if paths.run.exists() and not (resume or overwrite):
        raise OutputError(
            f"{paths.run} holds an unfinished run. Pass --resume to finish it, or --overwrite to begin anew."
        )
    if not os.path.lexists(paths.out):
        return
    if paths.out.is_symlink() or not paths.out.is_dir():
        raise OutputError(f"{paths.out} is not a folder. Choose another --out.")
    found = {entry.name for entry in paths.out.iterdir()}
    if strangers := sorted(found - {DATA_FILE, LOCK_FILE}):
        shown = ", ".join(strangers[:3]) + (", …" if len(strangers) > 3 else "")
        raise OutputError(
            f"{paths.out} holds other files ({shown}), which are not removed. Choose another --out."
        )
    if found and not (resume or overwrite):
        raise OutputError(f"{paths.out} exists already. Choose another --out, or pass --overwrite.")


@contextmanager
def held(paths: RunPaths) -> Iterator[None]:
    """Keep other processes off the run.

    Raises:
        OutputError: another process works on it, or the folder cannot be made.
    """
    try:
        paths.run.mkdir(parents=True, exist_ok=True)
        file = paths.lock.open("ab")
    except OSError as error:
        raise OutputError(
            f"Cannot write beside {paths.out}: {error.strerror}. Choose another --out."
        ) from error
    with file:
        _lock(file.fileno(), paths)
        yield


def remove(paths: RunPaths) -> None:
    """Remove a data set and its run but for the lock, which the caller holds."""
    shutil.rmtree(paths.out, ignore_errors=True)
    for entry in paths.run.iterdir():
        if entry != paths.lock:
            _delete(entry)
    for file in (paths.summary, paths.config, paths.rejects):
        file.unlink(missing_ok=True)


def begin(paths: RunPaths, identity: dict[str, Any]) -> None:
    """Make the run's folder ready for `identity`, keeping the shards of a run of the same identity.

    Raises:
        OutputError: the folder holds a run of another identity.
    """
    # First what a killed run left half done: a full disk needs the room.
    _delete(paths.merged)
    if paths.shards.is_dir():
        for stale in paths.shards.glob("*.partial*"):
            _delete(stale)
    found = read_json(paths.identity)
    if found is not None:
        require_same(paths.run, found, identity)
    else:
        # Shards that nobody can vouch for.
        _delete(paths.shards)
        write_whole(paths.identity, json.dumps(identity, indent=1))
    paths.shards.mkdir(exist_ok=True)


def require_same(where: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse to go on with what was made with other settings.

    Raises:
        OutputError: naming the first setting that differs.
    """
    difference = first_difference(found, wanted)
    if difference is not None:
        raise OutputError(
            f"{where} belongs to a run with other settings: {difference}. "
            "Resume with the same ones, choose another --out, or pass --overwrite."
        )


@contextmanager
def disk_errors(paths: RunPaths) -> Iterator[None]:
    """Turn a disk's refusal, wherever in the run, into what it means and how to go on.

    Raises:
        OutputError: instead of OSError, and instead of the LMDB writer's own.
    """
    try:
        yield
    except (OSError, OutputError) as error:
        kept = f"Finished shards are kept in {paths.run}"
        if getattr(error, "errno", None) in _FULL_DISK_ERRORS or "disk is full" in str(error):
            raise OutputError(
                f"The disk is full. {kept}; free some space and run the same command with --resume."
            ) from error
        if isinstance(error, OSError):
            raise OutputError(
                f"The run cannot go on: {error}. {kept}; mend this and run the same command with --resume."
            ) from error
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a text file that is there whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the object in a JSON file, or None if it is missing or damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _lock(descriptor: int, paths: RunPaths) -> None:
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:  # Windows: two runs at once are then the user's to avoid
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"Another process is working on {paths.run}. Wait until it ends, or choose another --out."
        ) from error
    except OSError:  # a file system without locks
        return


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
