"""Labeled images in any layout that is known, with one way to read them."""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from siman_synth.errors import DatasetError
from siman_synth.files import RUN_MARKER, content_hash, walk_once
from siman_synth.imaging.decode import header_size
from siman_synth.own_names import IDENTITY
from siman_synth.storage.formats.detect import no_set_error, sources_at
from siman_synth.storage.formats.source import Source
from siman_synth.storage.lmdb_format import DATA_FILE, FIRST_INDEX, Sample
from siman_synth.storage.lmdb_reader import LmdbReader, is_dataset

LMDB = "lmdb"


class LmdbSource:
    """An LMDB as a source."""

    def __init__(self, reader: LmdbReader) -> None:
        self.reader = reader
        self.files = [reader.data_file]

    def __len__(self) -> int:
        return len(self.reader)

    def name(self, index: int) -> str:
        """Return the key of the image."""
        return self.reader.name(index)

    def image(self, index: int) -> bytes:
        """Return the stored image."""
        return self.reader.image(index)

    def label(self, index: int) -> str | None:
        """Return the label."""
        return self.reader.label(index)

    def meta(self, index: int) -> Mapping[str, Any] | None:
        """Return the metadata."""
        return self.reader.meta(index)


class LabeledSet:
    """A sequence of `Sample`, read when it is asked for: an LMDB, or a set in another trainer's layout.

    What `LmdbReader` offers of one sample is offered here. It may be pickled and sent to other processes.
    """

    def __init__(self, path: Path, kind: str, sources: Sequence[Source]) -> None:
        self.path = path
        self.kind = kind
        """The layout: "lmdb", or a name that `export` takes; kraken's and tesstrain's pairs are "kraken"."""
        self._sources = list(sources)
        self._folders = [_folder_below(path, source) for source in sources] if len(sources) > 1 else [""]
        self._firsts = list(accumulate((len(source) for source in sources), initial=0))

    @classmethod
    def open(
        cls,
        path: str | Path,
        on_read: Callable[[bytes], None] | None = None,
        confined: bool = False,
    ) -> Self:
        """Open what lies at `path`: a folder, or the file that lists or holds the samples.

        Splits below one folder are taken together, the one for training first, and so are all LMDBs in a tree
        of folders. The name of a sample then begins with its folder below `path`.

        Args:
            path: an LMDB, or what `siman-synth export` writes, or what these trainers read otherwise.
            on_read: called with a name before what it names is read.
            confined: refuse images that a listing places outside of its own folder.

        Raises:
            DatasetError: there is no labeled set, or it cannot be read.
            MissingPackageError: it is Parquet, and `pyarrow` is missing.
        """
        if path == "":
            raise DatasetError("No data set at '': the name is empty. Give a folder or a file.")
        found = Path(path)
        words = cls.find(found, on_read, confined)
        if words is not None:
            return words
        if found.is_dir() and not any(found.glob("*.mdb")):
            raise no_set_error(found)
        return cls(found, LMDB, [LmdbSource(LmdbReader.open(found, on_read))])

    @classmethod
    def find(
        cls, path: Path, on_read: Callable[[bytes], None] | None = None, confined: bool = False
    ) -> Self | None:
        """Open what lies at `path` as `open` does; None if nothing there looks like a labeled set.

        Raises:
            DatasetError: it looks like one, and cannot be read.
        """
        try:
            folders = [path] if is_dataset(path) else []
            if any(path.glob(f"*/{DATA_FILE}")):
                folders = _lmdbs_below(path)
            if not folders:
                kind, sources = sources_at(path, confined)
                folders = [] if sources else _lmdbs_below(path)
            if folders:
                return cls(path, LMDB, [LmdbSource(LmdbReader.open(one, on_read)) for one in folders])
        except OSError as error:
            raise DatasetError(f"Cannot read {path}: {error.strerror}.") from error
        if not sources:
            return None
        return cls(path, kind, [_Noted(source, on_read) for source in sources] if on_read else sources)

    @property
    def reader(self) -> LmdbReader | None:
        """The reader of the LMDB, if it is one."""
        only = self._sources[0]
        return only.reader if len(self._sources) == 1 and isinstance(only, LmdbSource) else None

    @property
    def data_bytes(self) -> int:
        """Size of the files that list or hold the samples; images that lie as files are not counted."""
        return sum(file.stat().st_size for file in self.files if file.is_file())

    @property
    def files(self) -> list[Path]:
        """The files that list or hold the samples, or the folder of pairs."""
        return [file for source in self._sources for file in source.files]

    @property
    def data_file(self) -> Path:
        """The first of `files`."""
        return self.files[0]

    def fingerprint(self) -> str:
        """Return a hash of what lists or holds the samples; of pairs, of their names and texts."""
        if len(self.files) == 1 and self.data_file.is_file():
            return content_hash(self.data_file)
        digest = hashlib.sha256()
        for source in self._sources:
            for file in source.files:
                if file.is_file():
                    digest.update(content_hash(file).encode())
                else:
                    for index in range(len(source)):
                        digest.update(f"{source.name(index)}\t{source.label(index)}\n".encode())
        return digest.hexdigest()

    def __len__(self) -> int:
        return self._firsts[-1]

    def __getitem__(self, index: int) -> Sample:
        source, within = self._at(index)
        image = source.image(within)
        size = header_size(image) or (0, 0)
        return Sample(image, source.label(within), *size, source.meta(within))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(len(self)))

    def number(self, index: int) -> int:
        """Return the number of a sample, counted from 1."""
        self._at(index)
        return FIRST_INDEX + index % len(self)

    def name(self, index: int) -> str:
        """Return what a sample is called: a path, an LMDB key, or a place in a file.

        In a set of several parts the name of a part's folder stands before it, with a slash.
        """
        number, within = self._place(index)
        return self._folders[number] + self._sources[number].name(within)

    def image(self, index: int) -> bytes:
        """Return the encoded image of a sample."""
        source, within = self._at(index)
        return source.image(within)

    def label(self, index: int) -> str | None:
        """Return the label of a sample, or None."""
        source, within = self._at(index)
        return source.label(within)

    def meta(self, index: int) -> Mapping[str, Any] | None:
        """Return what else is known of a sample, or None."""
        source, within = self._at(index)
        return source.meta(within)

    def close(self) -> None:
        """Let files go; a later access opens them again."""
        for source in self._sources:
            if isinstance(source, LmdbSource):
                source.reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _at(self, index: int) -> tuple[Source, int]:
        number, within = self._place(index)
        return self._sources[number], within

    def _place(self, index: int) -> tuple[int, int]:
        count = self._firsts[-1]
        if not -count <= index < count:
            raise IndexError(f"{self.path} holds {count} samples, so there is no index {index}.")
        place = index % count
        number = bisect_right(self._firsts, place) - 1
        return number, place - self._firsts[number]


def _folder_below(path: Path, source: Source) -> str:
    """Return the folder of a source below `path`, with a slash; nothing for `path` itself."""
    folder = source.files[0].parent
    if folder == path or not folder.is_relative_to(path):
        return ""
    return folder.relative_to(path).as_posix() + "/"


def _lmdbs_below(path: Path) -> list[Path]:
    """Return the folders of LMDBs in a tree, those for training first; parts of unfinished runs are none."""
    found = []
    for folder, subfolders, files in walk_once(path):
        if IDENTITY in files or RUN_MARKER in files:
            subfolders.clear()
        elif DATA_FILE in files:
            found.append(folder)
    return sorted(found, key=lambda folder: ("train" not in folder.relative_to(path).as_posix(), folder))


class _Noted:
    """A source that says what it reads before it does: for whoever wants to know where a decoder died."""

    def __init__(self, source: Source, on_read: Callable[[bytes], None]) -> None:
        self._source = source
        self._on_read = on_read
        self.files = source.files

    def __len__(self) -> int:
        return len(self._source)

    def name(self, index: int) -> str:
        return self._source.name(index)

    def image(self, index: int) -> bytes:
        self._on_read(self._source.name(index).encode("utf-8", "replace"))
        return self._source.image(index)

    def label(self, index: int) -> str | None:
        return self._source.label(index)

    def meta(self, index: int) -> Mapping[str, Any] | None:
        return self._source.meta(index)
