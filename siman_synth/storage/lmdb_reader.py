"""Reading a word data set, labeled or not, from any process."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import lmdb
from PIL import Image

from siman_synth.errors import DatasetError
from siman_synth.storage.environments import SharedEnvironment, open_shared
from siman_synth.storage.lmdb_format import (
    COUNT_KEY,
    DATA_FILE,
    FIRST_INDEX,
    Sample,
    image_key,
    label_key,
    meta_key,
    parse_size,
    size_key,
)


class LmdbReader:
    """A data set in the recognizers' layout, as a sequence of `Sample`.

    Python indices count from 0; the keys behind them count from 1. (Sets whose keys
    count from 0, which text_renderer writes, are read too: see `first_number`.)

    A reader may be pickled and sent to worker processes, or inherited by forked ones:
    the file is opened when it is first needed, in the process that needs it. Any
    number of readers of one folder may exist.
    """

    def __init__(self, folder: Path, count: int, first_number: int) -> None:
        self._folder = folder
        self._count = count
        self._first_number = first_number
        self._environment: SharedEnvironment | None = None

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open the data set in `folder`.

        Raises:
            DatasetError: there is no readable LMDB in `folder`, or it has no `num-samples`.
        """
        path = Path(folder)
        reader = cls(path, 0, FIRST_INDEX)
        value = reader.raw(COUNT_KEY)
        if value is None:
            raise DatasetError(
                f"{path / DATA_FILE} has no 'num-samples': it is an LMDB, but not of word images. "
                "Give a data set with num-samples, image-000000001, …"
            )
        if not value.strip().isdigit():
            raise DatasetError(f"{path / DATA_FILE}: 'num-samples' must be a number, found {value[:40]!r}.")
        reader._count = int(value)
        if reader._count and not reader.has(image_key(reader._count)) and reader.has(image_key(0)):
            reader._first_number = 0
        return reader

    @property
    def folder(self) -> Path:
        """The folder that holds `data.mdb`."""
        return self._folder

    @property
    def data_bytes(self) -> int:
        """Size of `data.mdb`."""
        return (self._folder / DATA_FILE).stat().st_size

    @property
    def first_number(self) -> int:
        """The number in the first key: 1, or 0 in sets that break the convention."""
        return self._first_number

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        """Return sample `index`, counted from 0 (or from the end when negative).

        Raises:
            IndexError: there is no such sample.
            DatasetError: the image is missing, or a value cannot be decoded; names the key.
        """
        image = self.image(index)
        width_px, height_px = parse_size(self.raw(size_key(self.number(index)))) or image_size(image)
        return Sample(image, self.label(index), width_px, height_px, self.meta(index))

    def __iter__(self) -> Iterator[Sample]:
        return (self[index] for index in range(self._count))

    def number(self, index: int) -> int:
        """Return the number in the keys of sample `index`."""
        if not -self._count <= index < self._count:
            raise IndexError(f"{self._folder} holds {self._count} samples, so there is no index {index}.")
        return self._first_number + index % self._count

    def image(self, index: int) -> bytes:
        """Return the encoded image of sample `index`."""
        key = image_key(self.number(index))
        value = self.raw(key)
        if value is None:
            raise DatasetError(
                f"{self._folder / DATA_FILE} has no '{key.decode()}', though num-samples is {self._count}. "
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
            raise DatasetError(f"{self._folder}: '{key.decode()}' is not UTF-8: {error}.") from error

    def meta(self, index: int) -> dict[str, Any] | None:
        """Return the metadata of sample `index`, or None if it has none."""
        key = meta_key(self.number(index))
        value = self.raw(key)
        if value is None:
            return None
        try:
            meta = json.loads(value)
        except ValueError as error:
            raise DatasetError(f"{self._folder}: '{key.decode()}' is not JSON: {error}.") from error
        if not isinstance(meta, dict):
            raise DatasetError(f"{self._folder}: '{key.decode()}' must be a JSON object.")
        return meta

    def raw(self, key: bytes) -> bytes | None:
        """Return the value of any key, or None if it is not there."""
        try:
            with self._open().begin() as transaction:
                value = transaction.get(key)
                return None if value is None else bytes(value)
        except lmdb.Error as error:
            raise DatasetError(f"{self._folder / DATA_FILE} is damaged: {error}. Copy it again.") from error

    def has(self, key: bytes) -> bool:
        """Whether the LMDB holds `key`."""
        return self.raw(key) is not None

    def all_keys(self) -> Iterator[bytes]:
        """Yield every key of the LMDB, in order."""
        with self._open().begin() as transaction, transaction.cursor() as cursor:
            for key in cursor.iternext(keys=True, values=False):
                yield bytes(key)

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
        # A relative path must mean the same folder in a worker that was started elsewhere.
        return self.__dict__ | {"_environment": None, "_folder": self._folder.absolute()}

    def _open(self) -> lmdb.Environment:
        if self._environment is None:
            self._environment = open_shared(self._folder)
        return self._environment.lmdb


def image_size(image: bytes) -> tuple[int, int]:
    """Return (width, height) from an encoded image's header; (0, 0) if it is no image."""
    try:
        with Image.open(io.BytesIO(image)) as opened:
            return opened.size
    except Exception:  # Pillow's plugins raise many types on damaged headers
        return 0, 0
