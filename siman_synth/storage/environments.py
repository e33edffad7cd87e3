"""LMDB files opened for reading, at most once a process.

LMDB refuses to open one file twice in a process, and in a child forked from it. So
readers of the same folder share one environment, which closes when the last of
them lets it go; a forked child inherits its parent's.
"""

import os
import threading
import weakref
from pathlib import Path

import lmdb

from siman_synth.errors import DatasetError
from siman_synth.storage.lmdb_format import DATA_FILE


class SharedEnvironment:
    """A read-only environment that closes with its last owner."""

    def __init__(self, folder: Path) -> None:
        # No lock file and no read-ahead: the folder may be read-only, and access is random.
        self.lmdb = lmdb.open(
            str(folder),
            subdir=True,
            readonly=True,
            create=False,
            lock=False,
            readahead=False,
            meminit=False,
            max_spare_txns=4,
        )

    def __del__(self) -> None:
        if hasattr(self, "lmdb"):
            self.lmdb.close()


_SHARED: weakref.WeakValueDictionary[str, SharedEnvironment] = weakref.WeakValueDictionary()
_GUARD = threading.Lock()


def open_shared(folder: Path) -> SharedEnvironment:
    """Return the environment of `folder`, opening it if no reader of this process has it open.

    Raises:
        DatasetError: the folder is missing, holds no `data.mdb`, or holds one that is no
            LMDB, is truncated, or cannot be read.
    """
    data_file = folder / DATA_FILE
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise DatasetError(f"No data set at {folder}: it {what}. Give the folder that holds {DATA_FILE}.")
    if not data_file.is_file():
        raise DatasetError(f"No data set at {folder}: it holds no {DATA_FILE}. Give the folder that does.")
    name = os.path.realpath(data_file)
    with _GUARD:
        environment = _SHARED.get(name)
        if environment is None:
            try:
                environment = SharedEnvironment(folder)
            except (OSError, lmdb.Error) as error:
                raise _open_error(data_file, error) from error
            _SHARED[name] = environment
    # Looked at every time: the file may have been replaced since it was opened.
    _check_length(data_file, environment)
    return environment


def _check_length(data_file: Path, environment: SharedEnvironment) -> None:
    # Pages are mapped, not read: touching one beyond the end of the file would kill the process.
    pages = environment.lmdb.info()["last_pgno"] + 1
    wanted = pages * environment.lmdb.stat()["psize"]
    found = data_file.stat().st_size
    if found < wanted:
        raise DatasetError(
            f"{data_file} is truncated: it has {found} bytes of {wanted}. Copy it again from its source."
        )


def _open_error(data_file: Path, error: Exception) -> DatasetError:
    if "already open" in str(error):
        return DatasetError(f"{data_file} is open in this process already. Close the writer first.")
    if data_file.stat().st_size == 0:
        return DatasetError(f"{data_file} is empty: it has 0 bytes. Generate or copy it again.")
    if isinstance(error, (lmdb.InvalidError, lmdb.VersionMismatchError, lmdb.CorruptedError)):
        return DatasetError(f"{data_file} is no LMDB, or its head is damaged. Generate or copy it again.")
    return DatasetError(f"Cannot read {data_file}: {error}. Check its permissions.")
