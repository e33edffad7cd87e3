"""Reading a word data set, labeled or not, from any process."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from siman_synth.errors import DatasetError
from siman_synth.escaping import shortened_repr
from siman_synth.imaging.decode import header_size
from siman_synth.storage.environments import SharedEnvironment, Version, data_file_of, open_shared
from siman_synth.storage.lmdb_format import (
    COUNT_KEY,
    DATA_FILE,
    FIRST_INDEX,
    Sample,
    image_key,
    label_key,
    machine_key,
    meta_key,
    parse_size,
    size_key,
)

_IMAGE_PREFIX = b"image-"

_FILE_SUFFIXES = (DATA_FILE[-4:], ".lmdb")


class LmdbReader:
    """A data set in the recognizers' layout, as a sequence of `Sample`.

    Python indices count from 0; the keys behind them count from 1. (Sets whose keys
    count from 0, which text_renderer writes, are read too: see `first_number`.)

    A reader may be pickled and sent to worker processes, or inherited by forked ones:
    the file is opened when it is first needed, in the process that needs it. Any
    number of readers of one file may exist.
    """

    def __init__(self, path: Path, data_file: Path) -> None:
        self._path = path
        self._data_file = data_file
        self._count = 0
        self._first_number = FIRST_INDEX
        self._environment: SharedEnvironment | None = None
        self._checked: Version | None = None
        self._on_read: Callable[[bytes], None] | None = None

    @classmethod
    def open(cls, path: str | Path, on_read: Callable[[bytes], None] | None = None) -> Self:
        """Open the data set in the folder `path`, or in the file `path`.

        Args:
            path: a folder that holds `data.mdb`, or an LMDB that is a single file.
            on_read: called with every key before its value is read.

        Raises:
            DatasetError: there is no readable LMDB at `path`, or its `num-samples` is missing, no
                number, or greater than the number of its keys.
        """
        reader = cls(Path(path), data_file_of(Path(path)))
        reader._on_read = on_read
        reader._count = reader._stored_count()
        if reader._count and not reader.has(image_key(reader._count)) and reader.has(image_key(0)):
            reader._first_number = 0
        return reader

    @property
    def path(self) -> Path:
        """What was opened: a folder that holds `data.mdb`, or a file."""
        return self._path

    @property
    def data_file(self) -> Path:
        """The file that holds all of it."""
        return self._data_file

    @property
    def data_bytes(self) -> int:
        """Size of the data file."""
        return self._data_file.stat().st_size

    @property
    def first_number(self) -> int:
        """The number in the first key: 1, or 0 in sets that break the convention."""
        return self._first_number

    @property
    def last_number(self) -> int:
        """The number in the last key that `num-samples` counts."""
        return self._first_number + self._count - 1

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        """Return sample `index`, counted from 0 (or from the end when negative).

        Raises:
            IndexError: there is no such sample.
            DatasetError: the image is missing, or a value cannot be decoded; names the key.
        """
        image = self.image(index)
        size = parse_size(self.raw(size_key(self.number(index)))) or header_size(image) or (0, 0)
        return Sample(image, self.label(index), *size, self.meta(index), self.machine(index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(self._count))

    def number(self, index: int) -> int:
        """Return the number in the keys of sample `index`."""
        if not -self._count <= index < self._count:
            raise IndexError(f"{self._path} holds {self._count} samples, so there is no index {index}.")
        return self._first_number + index % self._count

    def name(self, index: int) -> str:
        """Return the key of the image of sample `index`."""
        return image_key(self.number(index)).decode()

    def image(self, index: int) -> bytes:
        """Return the encoded image of sample `index`."""
        key = image_key(self.number(index))
        value = self.raw(key)
        if value is None:
            raise DatasetError(
                f"{self._data_file} has no '{key.decode()}', though num-samples is {self._count}. "
                "Run siman-synth verify on it, and generate it again."
            )
        return value

    def label(self, index: int) -> str | None:
        """Return the label of sample `index`, or None if it has none."""
        key = label_key(self.number(index))
        value = self.raw(key)
        try:
            return None if value is None else value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise DatasetError(
                f"{self._path}: '{key.decode()}' is not UTF-8: byte 0x{error.object[error.start]:02x} at "
                f"position {error.start}. Write labels as UTF-8."
            ) from error

    def meta(self, index: int) -> dict[str, Any] | None:
        """Return the metadata of sample `index`, or None if it has none."""
        key = meta_key(self.number(index))
        value = self.raw(key)
        if value is None:
            return None
        try:
            meta = json.loads(value)
        except RecursionError as error:
            raise DatasetError(f"{self._path}: '{key.decode()}' is not JSON: nested too deeply.") from error
        except ValueError as error:
            raise DatasetError(f"{self._path}: '{key.decode()}' is not JSON: {error}.") from error
        if not isinstance(meta, dict):
            raise DatasetError(f"{self._path}: '{key.decode()}' must be a JSON object.")
        return meta

    def machine(self, index: int) -> str | None:
        """Return what a machine read in sample `index`, or None if that was not stored."""
        value = self.raw(machine_key(self.number(index)))
        return None if value is None else value.decode("utf-8", "replace")

    def raw(self, key: bytes) -> bytes | None:
        """Return the value of any key, or None if it is not there.

        Raises:
            DatasetError: the file is damaged.
        """
        if self._on_read is not None:
            self._on_read(key)
        return self._opened().get(key)

    def has(self, key: bytes) -> bool:
        """Whether the LMDB holds `key`."""
        return self.raw(key) is not None

    def all_keys(self) -> Iterator[bytes]:
        """Yield every key of the LMDB, in order."""
        return self._opened().keys()

    def images_beyond(self) -> list[bytes]:
        """Return the keys of images with numbers greater than `num-samples` tells: nobody reads those."""
        found = []
        for key in self._opened().keys(image_key(self.last_number + 1)):
            if not key.startswith(_IMAGE_PREFIX):
                break
            if key.removeprefix(_IMAGE_PREFIX).isdigit():
                found.append(key)
        return found

    def close(self) -> None:
        """Let the file go. A later access opens it again."""
        self._environment = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        # A relative path must mean the same file in a worker that was started elsewhere.
        elsewhere = {"_path": self._path.absolute(), "_data_file": self._data_file.absolute()}
        return self.__dict__ | elsewhere | {"_environment": None, "_on_read": None}

    def _opened(self) -> SharedEnvironment:
        if self._environment is None:
            self._environment = open_shared(self._data_file, self._checked)
            self._checked = self._environment.version
        return self._environment

    def _stored_count(self) -> int:
        value = self.raw(COUNT_KEY)
        if value is None:
            raise DatasetError(f"{self._data_file} has no 'num-samples': {self._kind_without_count()}")
        digits = value.strip()
        if not digits.isdigit():
            raise DatasetError(
                f"{self._data_file}: 'num-samples' must be a number, found {shortened_repr(value, 40)}."
            )
        keys = self._opened().key_count
        # Compared by length first: thousands of digits are no number that Python would read.
        if len(digits) > 20 or int(digits) > keys:
            shown = digits.decode() if len(digits) <= 20 else f"a number of {len(digits)} digits"
            raise DatasetError(
                f"{self._data_file}: 'num-samples' is {shown}, but there are only {keys} keys in all. "
                "Store the number of images that are there, or copy the file again."
            )
        return int(digits)

    def _kind_without_count(self) -> str:
        environment = self._opened()
        if nested := environment.found and environment.found.nested:
            names = ", ".join(name.decode("utf-8", "backslashreplace") for name in nested)
            return (
                f"it holds nested databases ({names}), which no trainer opens. Copy the one that is wanted "
                "into an LMDB of its own."
            )
        if images := sum(key.startswith(_IMAGE_PREFIX) for key in environment.keys(_IMAGE_PREFIX)):
            return f"it holds {images} images, but does not say so. Store their number as num-samples."
        return "it is an LMDB, but not of word images. Give a data set with num-samples, image-000000001, …"


def is_dataset(path: Path) -> bool:
    """Whether `path` looks like an LMDB: a folder that holds `data.mdb`, a file named `.mdb` or `.lmdb`."""
    return (path / DATA_FILE).is_file() or (path.suffix in _FILE_SUFFIXES and path.is_file())
