"""Writing a word data set that is valid at every moment, whenever its writer is killed."""

import contextlib
import errno
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb

from siman_synth.errors import DatasetError, FullDiskError, OutputError
from siman_synth.files import make_folder, sync_folder
from siman_synth.limits import require_whole
from siman_synth.storage.lmdb_format import (
    COUNT_KEY,
    DATA_FILE,
    FIRST_INDEX,
    LOCK_FILE,
    RUN_KEY,
    Sample,
    label_problem,
    sample_entries,
)
from siman_synth.storage.lmdb_reader import LmdbReader

_FIRST_MAP_BYTES = 1 << 20
_SPARE_BYTES = 1 << 16
_LEAST_FREE_BYTES = 1 << 16
_FULL_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FULL_DISK_PHRASES = ("no space left", "quota", "file too large")


class LmdbWriter:
    """Writes samples 1, 2, 3… into a folder that will hold `data.mdb` and `lock.mdb` alone.

    Samples are committed in chunks. A chunk's images, labels, sizes, metadata and
    the new `num-samples` go in one transaction, so a reader finds either all of it
    or none, and a killed run leaves a valid, shorter data set. The same samples in
    the same chunks give the same bytes of `data.mdb`: nothing in it depends on time,
    on the process, or on how often the map had to grow.

    Use it as a context manager. Leaving it normally commits what is pending; leaving
    it by an exception drops what is pending and keeps what was committed.
    """

    def __init__(self, folder: Path, environment: lmdb.Environment, chunk: int) -> None:
        self._folder = folder
        self._environment: lmdb.Environment | None = environment
        self._chunk = chunk
        self._pending: list[list[tuple[bytes, bytes]]] = []
        self._committed = 0
        self._labeled: bool | None = None
        self._run: bytes | None = None
        self._last = False

    @classmethod
    def create(
        cls,
        folder: str | Path,
        overwrite: bool = False,
        chunk: int = 1000,
        map_bytes: int = _FIRST_MAP_BYTES,
        parents: bool = True,
    ) -> Self:
        """Start an empty data set in `folder`, which is made when missing.

        Args:
            folder: where `data.mdb` goes. It must hold nothing else: several readers take a
                folder that has subfolders for a collection, and open those instead.
            overwrite: replace a data set that is there already.
            chunk: samples a transaction, at least 1.
            map_bytes: first size of the memory map. It doubles whenever it is full, so it
                never asks the disk for more than about twice the data.
            parents: make the folders above it, too. False where one that is missing was removed
                on purpose, and must not come back.

        Raises:
            ConfigError: `chunk` is no whole number above 0.
            OutputError: the folder holds something already, or cannot be written.
        """
        require_whole("chunk", chunk, 1)
        path = Path(folder)
        try:
            _clear(path, overwrite)
            if parents:
                make_folder(path)
            else:
                path.mkdir(exist_ok=True)
            if shutil.disk_usage(path).free < _LEAST_FREE_BYTES:
                # LMDB maps its lock file: on a full disk the process would die of a bus error.
                raise OSError(errno.ENOSPC, "no space left on device")
            environment = lmdb.open(os.fsencode(path), map_size=map_bytes, subdir=True)
        except (OSError, lmdb.Error) as error:
            raise _output_error(path, error, 0) from error
        writer = cls(path, environment, chunk)
        try:
            # An empty set from the start: a run killed in its first chunk is valid as well.
            writer._commit()
        except BaseException:
            writer._close_environment()
            raise
        return writer

    @property
    def folder(self) -> Path:
        """Where the data set lies."""
        return self._folder

    @property
    def committed(self) -> int:
        """How many samples are on disk."""
        return self._committed

    def __len__(self) -> int:
        return self._committed + len(self._pending)

    def write(self, sample: Sample) -> int:
        """Add a sample and return its number, counted from 1.

        Raises:
            OutputError: the sample cannot be stored as it is (nothing of it is), or the disk
                refused the chunk that it completed.
        """
        if self._environment is None:
            raise OutputError(f"The data set {self._folder} is closed. Create another writer.")
        number = FIRST_INDEX + len(self)
        self._check(number, sample)
        self._pending.append(list(sample_entries(number, sample)))
        if len(self._pending) >= self._chunk:
            self._commit()
        return number

    def describe(self, run: bytes) -> None:
        """Store under `RUN_KEY`, with the last chunk, how the set was made."""
        self._run = run

    def close(self) -> None:
        """Commit what is pending and close the file. Closing twice is harmless.

        When this returns, all samples and the name of their file are on the disk: they outlive a power cut.
        """
        if self._environment is None:
            return
        try:
            if self._pending or self._run is not None:
                self._last = True
                self._commit()
            self._sync(self._environment)
        finally:
            self._close_environment()

    def abort(self) -> None:
        """Drop what is pending and close the file."""
        self._pending.clear()
        self._close_environment()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error_type is None:
            self.close()
        else:
            self.abort()

    def _check(self, number: int, sample: Sample) -> None:
        if not sample.image:
            raise OutputError(f"Sample {number} has no image bytes.")
        if sample.width_px < 1 or sample.height_px < 1:
            size = f"{sample.width_px} x {sample.height_px} px"
            raise OutputError(f"Sample {number} is {size}; it needs at least 1 x 1.")
        labeled = sample.label is not None
        if self._labeled is None:
            self._labeled = labeled
        elif self._labeled is not labeled:
            # A reader that meets a missing label in a labeled set crashes.
            wanted, found = ("a", "none") if self._labeled else ("no", "one")
            raise OutputError(f"Sample {number} must have {wanted} label, like those before; it has {found}.")
        if sample.label is not None and (problem := label_problem(sample.label)):
            raise OutputError(f"Label {sample.label!r} of sample {number} {problem}. Drop or clean it.")

    def _commit(self) -> None:
        environment = self._environment
        assert environment is not None
        count = self._committed + len(self._pending)
        # Growing ahead, because a transaction that is rolled back leaves its traces in the
        # unused parts of later pages, and the bytes of the file would depend on the map.
        self._reserve(environment)
        while True:
            try:
                with environment.begin(write=True) as transaction:
                    for entries in self._pending:
                        for key, value in entries:
                            transaction.put(key, value)
                    transaction.put(COUNT_KEY, b"%d" % count)
                    if self._last and self._run is not None:
                        transaction.put(RUN_KEY, self._run)
                break
            except lmdb.MapFullError:
                # The transaction was rolled back: nothing of this chunk is stored yet.
                environment.set_mapsize(2 * environment.info()["map_size"])
            except (OSError, lmdb.Error) as error:
                raise _output_error(self._folder, error, self._committed) from error
        self._committed = count
        self._pending.clear()

    def _reserve(self, environment: lmdb.Environment) -> None:
        info, page_bytes = environment.info(), environment.stat()["psize"]
        pending_bytes = sum(len(value) + page_bytes for entries in self._pending for _, value in entries)
        pending_bytes += len(self._run or b"")
        wanted_bytes = (info["last_pgno"] + 1) * page_bytes + pending_bytes + _SPARE_BYTES
        map_bytes = info["map_size"]
        while map_bytes < wanted_bytes:
            map_bytes *= 2
        if map_bytes > info["map_size"]:
            environment.set_mapsize(map_bytes)

    def _sync(self, environment: lmdb.Environment) -> None:
        """Have on the disk what LMDB was told: commits are synced already, the file's name is not."""
        try:
            environment.sync(True)
        except (OSError, lmdb.Error) as error:
            raise _output_error(self._folder, error, self._committed) from error
        sync_folder(self._folder)

    def _close_environment(self) -> None:
        if self._environment is not None:
            self._environment.close()
            self._environment = None


def _clear(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file, not a folder. Choose another output folder.")
    found = sorted(entry.name for entry in folder.iterdir())
    if DATA_FILE in found and not overwrite:
        raise OutputError(
            f"{folder} already holds {_describe(folder)}. Choose another output folder, or "
            "overwrite this one."
        )
    foreign = [name for name in found if name not in (DATA_FILE, LOCK_FILE)]
    if foreign:
        shown = ", ".join(foreign[:3]) + (", …" if len(foreign) > 3 else "")
        raise OutputError(
            f"{folder} holds other files ({shown}), and readers want a data set alone in its folder. "
            "Choose another output folder."
        )
    for name in found:
        (folder / name).unlink()


def _describe(folder: Path) -> str:
    with contextlib.suppress(DatasetError), LmdbReader.open(folder) as reader:
        return f"a data set of {len(reader)} samples"
    return f"a {DATA_FILE} that cannot be read as a data set"


def _output_error(folder: Path, error: Exception, committed: int) -> OutputError:
    # The lmdb package keeps the system's error code in the text alone, under its own classes.
    text = str(error).lower()
    number = getattr(error, "errno", None)
    kept = f"The {committed} samples committed before it are intact" if committed else "Nothing was committed"
    if number in _FULL_DISK_ERRORS or any(phrase in text for phrase in _FULL_DISK_PHRASES):
        return FullDiskError(f"The disk is full: {folder} takes no more samples. {kept}. Free some space.")
    if "input/output error" in text:
        # LMDB's word for a write that stopped half-way, which is how a full disk shows first.
        return FullDiskError(
            f"The disk is full or failing: {folder} takes no more samples. {kept}. Free some space."
        )
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(f"Cannot write to {folder}: {reason}. {kept}. Choose another output folder.")
