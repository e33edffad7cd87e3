"""Whether a run may take its output: looked at before any work, and again once the run is held."""

import os
from pathlib import Path

from siman_synth.errors import DatasetError, OutputError
from siman_synth.files import SUMMARY_SUFFIX, can_write, folder_above, refuse_busy
from siman_synth.own_names import is_begun, nobodys, shown
from siman_synth.runs.inputs import Inputs
from siman_synth.runs.ours import RUN, delete_data_set
from siman_synth.runs.published import in_the_way, not_ours, read_record
from siman_synth.runs.result import Record
from siman_synth.runs.run_folder import RunPaths, read_identity
from siman_synth.storage.lmdb_format import DATA_FILE, LOCK_FILE

_LONGEST_NAME, _LONGEST_PATH = 255, 4096
_OWN_PATH_BYTES = 128
"""What the longest path in a run's folder adds to that of OUT."""


def require_free(paths: RunPaths, resume: bool, overwrite: bool, is_held: bool = False) -> Record | None:
    """Refuse an output that this run may not take; looks, and changes nothing.

    Args:
        paths: the output.
        resume: whether an unfinished or finished run of the same identity may be there.
        overwrite: whether what is ours may be replaced.
        is_held: whether the caller holds the run.

    Returns:
        What the finished data set says about itself that is there already; None if there is none.

    Raises:
        OutputError: it cannot be written, or holds a run, a data set or anything else that was not
            mentioned, or that is not provably ours.
    """
    if resume and overwrite:
        raise OutputError("Resuming keeps what is there and overwriting removes it. Ask for one of them.")
    above = _require_possible(paths)
    allowed = resume or overwrite
    _require_own_run(paths, allowed, is_held)
    record = _require_own_data(paths, allowed)
    there = [path for path in paths.side_files().values() if os.path.lexists(path)]
    foreign = not_ours(paths, record)
    if foreign:
        raise in_the_way(foreign[0], paths)
    if there and not allowed:
        raise OutputError(
            f"{there[0]} exists already, of a data set that was at {paths.out}. Choose another "
            "output folder, or overwrite this one."
        )
    if (record is None or overwrite) and not can_write(above):
        raise _cannot_write(paths, "it cannot be written to")
    return record


def require_apart(paths: RunPaths, inputs: Inputs) -> None:
    """Refuse to read what the run would replace.

    Raises:
        OutputError: an input lies where the run writes.
    """
    written = [path.resolve() for path in (paths.out, paths.run, *paths.side_files().values())]
    for path in (*inputs.styles.pool.paths, *(file.path for file in inputs.watched)):
        found = path.resolve()
        if any(found == place or place in found.parents for place in written):
            raise OutputError(
                f"{path} is read by this run, which would replace it. Choose another output folder."
            )


def remove_earlier(paths: RunPaths) -> None:
    """Remove a data set and its run but for the lock; the caller holds it and has found them to be ours."""
    for path in paths.side_files().values():
        path.unlink(missing_ok=True)
    delete_data_set(paths.out)
    RUN.delete(paths.run, keep="lock")


def _require_possible(paths: RunPaths) -> Path:
    """Refuse names that no file system takes; return the folder above that exists."""
    try:
        bytes_of = {part: len(os.fsencode(part)) for part in paths.out.parts}
        impossible = "\0" in str(paths.out)
        os.path.lexists(paths.out)
    except ValueError:
        impossible = True
    if impossible:
        raise _cannot_write(paths, "the name holds a character that names cannot hold")
    above = folder_above(paths.out)
    longest = _limit(above, "PC_NAME_MAX", _LONGEST_NAME)
    bytes_of[paths.out.name] += len(SUMMARY_SUFFIX)
    whole = len(os.fsencode(paths.out)) + _OWN_PATH_BYTES
    if max(bytes_of.values()) > longest or whole > _limit(above, "PC_PATH_MAX", _LONGEST_PATH):
        raise _cannot_write(paths, "the name is too long")
    if not above.is_dir():
        raise _cannot_write(paths, "Not a directory")
    return above


def _require_own_run(paths: RunPaths, allowed: bool, is_held: bool) -> None:
    run = paths.run
    if not os.path.lexists(run):
        return
    _require_folder(run)
    RUN.refuse_strangers(run)
    is_new = not is_begun(run)
    if not allowed and not (is_held and is_new):
        if not is_held:
            refuse_busy(paths.lock, str(run))
        raise OutputError(f"{run} holds an unfinished run. Resume it, or overwrite it to start over.")
    if not is_new and read_identity(paths.identity) is None:
        raise nobodys(run)


def _require_own_data(paths: RunPaths, allowed: bool) -> Record | None:
    out = paths.out
    if not os.path.lexists(out):
        return None
    _require_folder(out)
    found = {entry.name: entry for entry in out.iterdir()}
    foreign = [
        name
        for name, path in found.items()
        if name not in (DATA_FILE, LOCK_FILE) or path.is_symlink() or not path.is_file()
    ]
    if foreign:
        raise OutputError(
            f"{out} holds other files ({shown(foreign)}), which are not removed. Choose another "
            "output folder."
        )
    if not found:
        return None
    if not allowed:
        raise OutputError(f"{out} exists already. Choose another output folder, or overwrite this one.")
    try:
        record = read_record(paths)
    except DatasetError as error:
        raise OutputError(
            f"{out} cannot be told to be ours: {error} Remove it yourself, or choose another output folder."
        ) from error
    if record is None:
        raise OutputError(
            f"{out} holds a data set that was not made here, so it is not replaced. Remove it yourself, or "
            "choose another output folder."
        )
    return record


def _require_folder(path: Path) -> None:
    if path.is_symlink():
        raise OutputError(
            f"{path} is not a folder but a link, and what is behind it is not touched. Choose "
            "another output folder."
        )
    if not path.is_dir():
        raise OutputError(f"{path} is not a folder. Choose another output folder.")


def _limit(folder: Path, name: str, otherwise: int) -> int:
    try:
        return os.pathconf(folder, name)
    except (AttributeError, OSError, ValueError):  # Windows, or a file system that does not tell
        return otherwise


def _cannot_write(paths: RunPaths, reason: str) -> OutputError:
    return OutputError(f"Cannot write beside {paths.out}: {reason}. Choose another output folder.")
