"""Layouts whose listing has a line a sample: PaddleOCR, Hugging Face's image folder, EasyOCR."""

import csv
import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Any

from siman_synth.errors import DatasetError
from siman_synth.escaping import shortened_repr
from siman_synth.storage.formats.lines import Lines
from siman_synth.storage.formats.source import Entry, ListedImages

LABEL_KEYS = ("text", "label", "words", "transcription")
"""How sets of others call the label, the likeliest first."""


class _LineListing(ListedImages):
    _header = 0

    def __init__(self, path: Path, confined: bool = False) -> None:
        super().__init__(path.parent, [path], confined)
        self._lines = Lines(path)

    def __len__(self) -> int:
        return max(0, len(self._lines) - self._header)

    def entry(self, index: int) -> Entry:
        line = self._lines[index + self._header]
        try:
            return self._parsed(line)
        except (ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
            raise DatasetError(
                f"{self.files[0]}, sample {index + 1}: {shortened_repr(line)} is not {self._wanted}."
            ) from error

    _wanted = "a line of this layout"

    def _parsed(self, line: str) -> Entry:
        raise NotImplementedError


class PaddleList(_LineListing):
    """PaddleOCR's `SimpleDataSet`: `path<TAB>label`, paths relative to the list."""

    _wanted = "a path, a tab and a label"

    def _parsed(self, line: str) -> Entry:
        image, label = line.split("\t")[:2]
        if not image:
            raise ValueError
        return Entry(image, label)


class MetadataLines(_LineListing):
    """Hugging Face's image folder: `metadata.jsonl` with `file_name` and `text`."""

    _wanted = "JSON with a file_name and a text"

    def _parsed(self, line: str) -> Entry:
        values: Any = json.loads(line)
        image = values.pop("file_name")
        key = next((key for key in LABEL_KEYS if key in values), None)
        label = values.pop(key) if key else None
        if not isinstance(image, str) or not isinstance(label, str | None):
            raise TypeError
        return Entry(image, label, values or None)


class LabelsCsv(_LineListing):
    """EasyOCR's `labels.csv`, with the header `filename,words`."""

    _header = 1
    _wanted = "a file name, a comma and a label"

    def _parsed(self, line: str) -> Entry:
        image, label = next(csv.reader([line], strict=True))
        return Entry(image, label)


def is_labels_csv(path: Path) -> bool:
    """Whether a file begins as EasyOCR's listing does."""
    try:
        with path.open("rb") as file:
            return file.readline(200).removeprefix(BOM_UTF8).strip().replace(b'"', b"") == b"filename,words"
    except OSError:
        return False


def is_paddle_list(path: Path) -> bool:
    """Whether the first line of a file is a path, a tab and a label, and the path that of a file."""
    try:
        with path.open("rb") as file:
            first = file.readline(1 << 16)
        image, tab, label = first.decode("utf-8-sig").partition("\t")
        return bool(tab and label.strip() and image and (path.parent / image).is_file())
    except (OSError, UnicodeDecodeError, ValueError):
        return False
