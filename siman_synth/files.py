"""Files that are there whole or not at all, also after a power cut.

"Whole" takes three steps: the bytes reach the disk, the rename gives them their name, and the
folder that holds the name reaches the disk, too. Every file that says "done" is written here, and
whatever it speaks of went through `publish_folder` before.
"""

import contextlib
import errno
import hashlib
import importlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from siman_synth import stopping
from siman_synth.errors import FullDiskError, OutputError

RUN_MARKER = "siman-run.json"
"""Lies in the folder of every training run. What reads folders of images passes over such a folder."""

RUN_SUFFIX, CONFIG_SUFFIX = ".run", ".config.toml"
SUMMARY_SUFFIX, REJECTED_SUFFIX = ".summary.json", ".rejected.png"
"""What lies beside a generated data set has its name and one of these endings."""

_FULL_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_EMPTYINGS = 10
_CHUNK_BYTES = 1 << 20


def is_full_disk(error: BaseException) -> bool:
    """Return whether an error means that a disk, a quota or a file size is used up."""
    if isinstance(error, OSError):
        return error.errno in _FULL_DISK_ERRORS
    return isinstance(error, FullDiskError)


@contextmanager
def full_disk_told(kept: str, what: str) -> Iterator[None]:
    """Turn a full disk, wherever in work that can be resumed, into what it means and how to go on.

    Args:
        kept: what is kept, and where, as a sentence without its full stop.
        what: the work, for the message: "export".

    Raises:
        OutputError: instead of OSError, and instead of the LMDB writer's own.
    """
    try:
        yield
    except (OSError, OutputError) as error:
        if is_full_disk(error):
            raise full_disk(kept, what) from error
        raise


def full_disk(kept: str, what: str) -> FullDiskError:
    """Return what a full disk means for work that can be resumed, and how to go on; see `full_disk_told`."""
    return FullDiskError(f"The disk is full. {kept}; free some space and resume the {what}.")


def folder_above(path: Path) -> Path:
    """Return the nearest folder above a path that exists: where what is missing would be made."""
    above = path.absolute().parent
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    return above


def can_write(folder: Path) -> bool:
    """Return whether entries can be added to a folder, as far as the system says so."""
    return os.access(folder, os.W_OK | os.X_OK)


def sync_file(path: Path) -> None:
    """Have a file's bytes on the disk before this returns."""
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk before this returns."""
    # Windows cannot open folders, and some network file systems cannot sync them.
    with contextlib.suppress(OSError):
        _sync(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to write to; it becomes `path`, synced, if the block succeeds.

    If the block fails, is interrupted or the disk is full, what was there before stays as it
    was, and nothing is left beside it.
    """
    partial = path.with_name(f"{path.name}.partial-{os.getpid()}")
    with stopping.stops_at_checks():
        try:
            yield partial
            sync_file(partial)
            partial.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def read_text(path: Path, most_bytes: int = 1 << 26, errors: str = "strict") -> str:
    """Return a text file in UTF-8 that a user named, without its byte order mark.

    Raises:
        OSError: it cannot be read, is no regular file (a pipe, a device that never ends), or is larger
            than `most_bytes`; `strerror` says which.
        UnicodeDecodeError: it is not UTF-8.
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if found.st_size > most_bytes:
        raise OSError(
            errno.EFBIG, f"it has {found.st_size} bytes, and {most_bytes} are read at most", str(path)
        )
    return path.read_text(encoding="utf-8-sig", errors=errors)


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file that is there whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_texts(texts: Mapping[Path, str]) -> None:
    """Write UTF-8 files that belong together: if one cannot be written, all stay as they were."""
    with contextlib.ExitStack() as stack:
        for path, text in texts.items():
            partial = stack.enter_context(whole_file(path))
            partial.write_text(text, encoding="utf-8", errors="backslashreplace")
            sync_file(partial)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all."""
    with whole_file(path) as partial:
        partial.write_bytes(data)


@contextmanager
def utf8_name(path: Path) -> Iterator[Path]:
    """Yield a name of the file or folder `path` that is UTF-8, for libraries that take no other.

    Where its own is not, that is a link in a temporary folder, gone afterwards.
    """
    try:
        str(path.absolute()).encode("utf-8")
    except UnicodeEncodeError:
        with stopping.stops_at_checks(), tempfile.TemporaryDirectory(prefix="siman-synth-") as folder:
            link = Path(folder, "link")
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path


def publish_folder(partial: Path, final: Path) -> None:
    """Give a folder of finished files its name; `final` must not exist, or be an empty folder.

    The files are synced before the rename, and the rename itself after it.
    """
    for file in partial.iterdir():
        if file.is_file():
            sync_file(file)
    sync_folder(partial)
    if final.is_dir():
        final.rmdir()
    partial.replace(final)
    sync_folder(final.parent)


def require_new_file(path: Path) -> None:
    """Check that a file may be written where there is nothing yet, not even a link.

    Raises:
        OutputError: something is there, or its folder is not.
    """
    if os.path.lexists(path):
        raise OutputError(f"{path} exists. Name a file that does not.")
    if not path.parent.is_dir():
        raise OutputError(f"Cannot write {path}: there is no folder {path.parent}. Make it first.")


def beside(path: Path, suffix: str) -> Path:
    """Return the path of what lies beside `path` and is called as it, with an ending more.

    Raises:
        OutputError: it has no name, as the root of the disk.
    """
    named = path if path.name not in ("", "..") else Path(os.path.abspath(path))
    if not named.name:
        raise OutputError(
            f"Cannot write to {path}: a folder with a name is needed. Choose another output folder."
        )
    return named.with_name(named.name + suffix)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents, and have the names of the new ones on the disk.

    Raises:
        OSError: it cannot be made, or is a file.
    """
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for one in reversed(new):
        sync_folder(one.parent)


def delete(path: Path) -> None:
    """Remove a file, a link (never what it leads to), or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def delete_in_use(folder: Path, doomed: Path) -> None:
    """Remove a folder in which others may still be writing, if it can be removed.

    It becomes `doomed`, beside it, first. What they open by its old name from then on is not there, so
    that nothing comes in while it is emptied. What a network file system keeps stays below that name.
    """
    with contextlib.suppress(OSError):
        folder.replace(doomed)
        for _ in range(_EMPTYINGS):
            # A call that had found the folder before it was renamed may still end within it.
            shutil.rmtree(doomed, ignore_errors=True)
            if not doomed.exists():
                break


def content_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def locked(path: Path, what: str) -> Iterator[None]:
    """Hold the lock file `path`, which dies with the process, however that ends.

    Args:
        path: the lock file; its folder must exist.
        what: what is locked, for the message.

    Raises:
        OutputError: another process holds it, or it cannot be made.
    """
    try:
        # Never through a link: a lock file that leads elsewhere would touch what it leads to.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    except OSError as error:
        raise OutputError(f"Cannot write to {path}: {error.strerror}. Choose another output.") from error
    try:
        _lock(descriptor, what)
        if not _is_still(path, descriptor):
            # Who held it removed it at the end: whoever comes next would lock another file.
            raise OutputError(f"Another process has just ended its work on {what}. Look at it first.")
        yield
    finally:
        os.close(descriptor)


def refuse_busy(path: Path, what: str) -> None:
    """Refuse work that another process has under way, which would be called stopped otherwise.

    Args:
        path: the lock file, which need not exist; the caller does not hold it.
        what: as in `locked`.

    Raises:
        OutputError: another process holds it.
    """
    if path.is_file():
        with locked(path, what):
            pass


def _lock(descriptor: int, what: str) -> None:
    try:
        fcntl = importlib.import_module("fcntl")
    except ImportError:  # Windows: two runs at once are then the user's to avoid
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(
            f"Another process is working on {what}. Wait until it ends, or choose another output."
        ) from error
    except OSError:  # a file system without locks
        return


def _is_still(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.lstat(path))
    except OSError:
        return False


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def walk_once(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """Yield (folder, names of folders in it, names of files in it) as `os.walk` does from the top.

    Hidden files and folders are passed over. Links to folders are followed, but no folder is
    walked twice: a link may lead back up. Who clears the second list keeps the walk out of them.
    """
    seen: set[str] = set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        yield Path(folder), subfolders, sorted(name for name in files if not name.startswith("."))
