"""WebDataset: tar files in which files of one name up to the first dot make a sample."""

import json
import os
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from siman_synth.errors import DatasetError
from siman_synth.imaging.decode import MAX_FILE_BYTES

IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif", "ppm")
LABEL_SUFFIX, META_SUFFIX = "txt", "json"
_SHARD, _IMAGE, _LABEL, _META = 0, 1, 3, 5


class TarSamples:
    """Samples of uncompressed tar files by index: where their bytes lie is kept, 56 bytes a sample.

    Raises:
        DatasetError: a file is no tar, or cut.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.files = [path.absolute() for path in files]
        self._places = np.concatenate(
            [np.empty((0, 7), np.int64), *(_indexed(number, path) for number, path in enumerate(self.files))]
        )
        self._open: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._places)

    def name(self, index: int) -> str:
        """Return the file and the number of the sample in all files."""
        return f"{self.files[int(self._places[index, _SHARD])].name} sample {index + 1}"

    def image(self, index: int) -> bytes:
        """Return the bytes of the image."""
        data = self._bytes(index, _IMAGE)
        if data is None:
            raise DatasetError(f"{self.name(index)} has no image ({', '.join(IMAGE_SUFFIXES)}).")
        return data

    def label(self, index: int) -> str | None:
        """Return what the text file holds, or the text in the JSON file."""
        data = self._bytes(index, _LABEL)
        if data is None:
            label = (self._json(index) or {}).get("text")
            return label if isinstance(label, str) else None
        try:
            return data.decode("utf-8").strip("\r\n")
        except UnicodeDecodeError as error:
            raise DatasetError(f"{self.name(index)}: its text is not UTF-8.") from error

    def meta(self, index: int) -> Mapping[str, Any] | None:
        """Return what the JSON file holds besides the text."""
        values = self._json(index)
        return {key: value for key, value in values.items() if key != "text"} if values else None

    def _json(self, index: int) -> dict[str, Any] | None:
        data = self._bytes(index, _META)
        if data is None:
            return None
        try:
            values = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"{self.name(index)}: its JSON cannot be read: {error}.") from error
        return values if isinstance(values, dict) else None

    def _bytes(self, index: int, which: int) -> bytes | None:
        start, size = int(self._places[index, which]), int(self._places[index, which + 1])
        if start < 0:
            return None
        if size > MAX_FILE_BYTES:
            raise DatasetError(f"{self.name(index)} has {size} bytes; at most {MAX_FILE_BYTES} are read.")
        shard = int(self._places[index, _SHARD])
        if shard not in self._open:
            self.close()  # one at a time: there may be more shards than a process may open
            self._open[shard] = os.open(self.files[shard], os.O_RDONLY | getattr(os, "O_BINARY", 0))
        return os.pread(self._open[shard], size, start)

    def close(self) -> None:
        """Let the files go; a later access opens them again."""
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def __del__(self) -> None:
        if getattr(self, "_open", None):
            self.close()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_open": {}}


def _indexed(number: int, path: Path) -> np.ndarray:
    places: list[list[int]] = []
    key = None
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                tar.members = []  # type: ignore[attr-defined]  # it remembers all of them otherwise
                folder, _, file = member.name.rpartition("/")
                stem, _, suffix = file.partition(".")
                if not member.isfile() or not stem or not suffix:
                    continue
                if key != (folder, stem):
                    key = (folder, stem)
                    places.append([number, -1, 0, -1, 0, -1, 0])
                which = _which(suffix.lower())
                if which is not None:
                    places[-1][which : which + 2] = member.offset_data, member.size
    except (OSError, tarfile.TarError) as error:
        raise DatasetError(f"{path} cannot be read as an uncompressed tar: {error}.") from error
    return np.array(places, np.int64).reshape(-1, 7)


def _which(suffix: str) -> int | None:
    if suffix in IMAGE_SUFFIXES:
        return _IMAGE
    return {LABEL_SUFFIX: _LABEL, META_SUFFIX: _META}.get(suffix)
