"""LMDB files opened for reading, at most once a process, and only if LMDB can read them safely.

LMDB refuses to open one file twice in a process, and in a child forked from it. So readers of the
same file share one environment, which closes when the last of them lets it go; a forked child
inherits its parent's. A file that was replaced by another is another file, whatever its name.

LMDB maps files, and what is wrong with a map ends the process. Before a file is mapped, and again
when it was changed since, its pages are checked; and it is not read once it has become shorter.
"""

import os
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import lmdb

from siman_synth.errors import DatasetError
from siman_synth.storage.lmdb_format import DATA_FILE
from siman_synth.storage.page_check import CheckedFile, check_pages


class Version(NamedTuple):
    """Which file it is, and in which state: equal values, equal bytes."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Version":
        """Return the version that a status describes."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class SharedEnvironment:
    """A read-only environment that closes with its last owner."""

    def __init__(self, data_file: Path, checked: Version | None = None) -> None:
        """Open a file, having checked its pages unless it is in the state that was `checked` before.

        Raises:
            DatasetError: LMDB cannot open it, or could not read it safely.
        """
        self.data_file = data_file
        try:
            # Not buffered: it is looked at again when the file was changed.
            self._file = data_file.open("rb", buffering=0)
            self.version = Version.of(os.fstat(self._file.fileno()))
            if self.version != checked:
                self.found: CheckedFile | None = check_pages(self._file, data_file)
            else:
                self.found = None
            # No lock file and no read-ahead: the folder may be read-only, and access is random.
            self._lmdb = lmdb.open(
                _name_of(self._file.fileno(), data_file),
                subdir=False,
                readonly=True,
                create=False,
                lock=False,
                readahead=False,
                meminit=False,
                max_spare_txns=4,
            )
            self._mapped_bytes = self._bytes_used()
        except (OSError, lmdb.Error) as error:
            raise _open_error(data_file, error) from error

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key`, or None.

        Raises:
            DatasetError: the file is damaged, or was cut or spoiled since it was opened.
        """
        self._require_readable()
        try:
            with self._lmdb.begin() as transaction:
                value = transaction.get(key)
                return None if value is None else bytes(value)
        except lmdb.Error as error:
            raise self._damaged(error) from error

    def keys(self, first: bytes = b"") -> Iterator[bytes]:
        """Yield every key from `first` on, in order.

        Raises:
            DatasetError: as `get`.
        """
        self._require_readable()
        try:
            with self._lmdb.begin() as transaction, transaction.cursor() as cursor:
                if cursor.set_range(first) if first else cursor.first():
                    for key in cursor.iternext(keys=True, values=False):
                        yield bytes(key)
                        self._require_readable()
        except lmdb.Error as error:
            raise self._damaged(error) from error

    @property
    def key_count(self) -> int:
        """How many keys the file says it holds."""
        return int(self._lmdb.stat()["entries"])

    def _require_readable(self) -> None:
        version = Version.of(os.fstat(self._file.fileno()))
        if version == self.version:
            return
        if version.size < self._mapped_bytes:
            raise DatasetError(
                f"{self.data_file} was cut while it was open: it has {version.size} bytes of "
                f"{self._mapped_bytes}. Copy it again, and start again."
            )
        self.found = check_pages(self._file, self.data_file)
        self.version = version

    def _bytes_used(self) -> int:
        pages: int = self._lmdb.info()["last_pgno"] + 1
        return pages * int(self._lmdb.stat()["psize"])

    def _damaged(self, error: lmdb.Error) -> DatasetError:
        if isinstance(error, lmdb.MapResizedError):
            return DatasetError(
                f"{self.data_file} has grown while it was open. Start again once it is written."
            )
        return DatasetError(f"{self.data_file} is damaged: {error}. Copy it again.")

    def __del__(self) -> None:
        if hasattr(self, "_lmdb"):
            self._lmdb.close()
        if hasattr(self, "_file"):
            self._file.close()


_SHARED: weakref.WeakValueDictionary[Any, SharedEnvironment] = weakref.WeakValueDictionary()
_GUARD = threading.Lock()


def data_file_of(path: Path) -> Path:
    """Return the file that holds the data set at `path`: `data.mdb` in a folder, or `path` itself.

    Raises:
        DatasetError: there is none.
    """
    if path.is_dir():
        if (path / DATA_FILE).is_file():
            return path / DATA_FILE
        others = sorted(entry.name for entry in path.glob("*.mdb") if entry.name != "lock.mdb")
        hint = f", but {others[0]}. Give that file" if others else ". Give the folder that does"
        raise DatasetError(f"No data set at {path}: it holds no {DATA_FILE}{hint}.")
    if path.is_file():
        return path
    what = "is neither a file nor a folder" if path.exists() else "does not exist"
    raise DatasetError(f"No data set at {path}: it {what}. Give the folder that holds {DATA_FILE}.")


def open_shared(data_file: Path, checked: Version | None = None) -> SharedEnvironment:
    """Return the environment of a file, opening it if no reader of this process has it open.

    Args:
        data_file: the file.
        checked: the state in which another process checked it, which need not be done again.

    Raises:
        DatasetError: it is no LMDB, is cut or damaged, or cannot be read.
    """
    with _GUARD:
        try:
            status = data_file.stat()
        except OSError as error:
            raise _open_error(data_file, error) from error
        environment = _SHARED.get((status.st_dev, status.st_ino))
        if environment is None:
            environment = SharedEnvironment(data_file, checked)
            _SHARED[status.st_dev, status.st_ino] = environment
        return environment


def _name_of(descriptor: int, data_file: Path) -> bytes:
    # By its descriptor where the system has such names: it is then the file that was checked, and
    # lmdb, which remembers names, takes it for another than the one that it replaced.
    name = Path(f"/dev/fd/{descriptor}")
    return os.fsencode(name if name.exists() else data_file)


def _open_error(data_file: Path, error: Exception) -> DatasetError:
    if "already open" in str(error):
        return DatasetError(f"{data_file} is open in this process already. Close the writer first.")
    if isinstance(error, (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError)):
        return DatasetError(f"{data_file} is no LMDB, or its head is damaged. Generate or copy it again.")
    reason = getattr(error, "strerror", None) or str(error)
    return DatasetError(f"Cannot read {data_file}: {reason}. Check its permissions.")
