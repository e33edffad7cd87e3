"""Parquet files with Hugging Face's Image feature: a column of `{bytes, path}`, and one of texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from siman_synth.errors import DatasetError
from siman_synth.extras import require
from siman_synth.storage.formats.listings import LABEL_KEYS

_IMAGE_KEYS = ("image", "img")


class ParquetRows:
    """The rows of Parquet files, a row group of one file in memory at a time.

    Raises:
        DatasetError: a file cannot be read, or has no such columns.
        MissingPackageError: `pyarrow` is missing.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        require("parquet", "Reading Parquet", ("pyarrow",))
        self.files = [path.absolute() for path in files]
        self._groups: list[tuple[int, int]] = []
        firsts = [0]
        for number, path in enumerate(self.files):
            found = _opened(path)
            names = found.schema_arrow.names
            self._image_key = _one_of(_IMAGE_KEYS, names, path)
            self._label_key = _one_of(LABEL_KEYS, names, path)
            for group in range(found.num_row_groups):
                rows = found.metadata.row_group(group).num_rows
                if rows:
                    self._groups.append((number, group))
                    firsts.append(firsts[-1] + rows)
        self._firsts = np.array(firsts, np.int64)
        self._held: tuple[int, Any] | None = None

    def __len__(self) -> int:
        return int(self._firsts[-1])

    def name(self, index: int) -> str:
        """Return the file and the number of the row in all files."""
        group = int(np.searchsorted(self._firsts, index, "right")) - 1
        return f"{self.files[self._groups[group][0]].name} row {index + 1}"

    def image(self, index: int) -> bytes:
        """Return the bytes in the image column."""
        value = self._value(index, self._image_key)
        data = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(data, bytes):
            raise DatasetError(f"{self.name(index)}: column '{self._image_key}' holds no image bytes.")
        return data

    def label(self, index: int) -> str | None:
        """Return the text."""
        value = self._value(index, self._label_key)
        if not isinstance(value, str | None):
            raise DatasetError(f"{self.name(index)}: column '{self._label_key}' holds no text.")
        return value

    def meta(self, index: int) -> Mapping[str, Any] | None:
        """Return the other columns."""
        table, row = self._table(index)
        others = {
            key: table.column(key)[row].as_py()
            for key in table.column_names
            if key not in (self._image_key, self._label_key)
        }
        return {key: value for key, value in others.items() if value is not None} or None

    def _value(self, index: int, key: str) -> Any:
        table, row = self._table(index)
        return table.column(key)[row].as_py()

    def _table(self, index: int) -> tuple[Any, int]:
        group = int(np.searchsorted(self._firsts, index, "right")) - 1
        if self._held is None or self._held[0] != group:
            file, number = self._groups[group]
            try:
                self._held = group, _opened(self.files[file]).read_row_group(number)
            except Exception as error:  # pyarrow raises many types on damaged files
                raise DatasetError(f"{self.files[file]} is damaged: {error}.") from error
        return self._held[1], index - int(self._firsts[group])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_held": None}


def _opened(path: Path) -> Any:
    import pyarrow.parquet

    try:
        return pyarrow.parquet.ParquetFile(path)
    except Exception as error:
        raise DatasetError(f"{path} cannot be read as Parquet: {error}.") from error


def _one_of(keys: Sequence[str], names: Sequence[str], path: Path) -> str:
    found = next((key for key in keys if key in names), None)
    if found is None:
        raise DatasetError(
            f"{path} has no column {' or '.join(map(repr, keys))}, but {', '.join(names)}. Rename its "
            "columns."
        )
    return found
