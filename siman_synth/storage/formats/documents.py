"""Layouts whose listing is one JSON document, loaded whole as their trainers do: docTR, MMOCR."""

import json
from pathlib import Path
from typing import Any

from siman_synth.errors import DatasetError
from siman_synth.imaging.decode import MAX_FILE_BYTES
from siman_synth.storage.formats.source import Entry, ListedImages

_MOST_BYTES = 16 * MAX_FILE_BYTES


class _Document(ListedImages):
    def __init__(self, root: Path, path: Path, entries: list[tuple[str, str]], confined: bool) -> None:
        super().__init__(root, [path], confined)
        self._entries = entries

    def __len__(self) -> int:
        return len(self._entries)

    def entry(self, index: int) -> Entry:
        return Entry(*self._entries[index])


class DoctrLabels(_Document):
    """docTR's recognition set: `labels.json`, `{"img.jpg": "text"}`, images in `images/` beside it."""

    def __init__(self, path: Path, confined: bool = False) -> None:
        document = _loaded(path)
        entries = [(image, label) for image, label in document.items() if isinstance(label, str)]
        if len(entries) < len(document):
            raise DatasetError(f"{path}: every image name must have a text as its value.")
        images = path.parent / "images"
        super().__init__(images if images.is_dir() else path.parent, path, entries, confined)


class MmocrDocument(_Document):
    """MMOCR 1.x: `{"metainfo": …, "data_list": [{"img_path": …, "instances": [{"text": …}]}]}`."""

    def __init__(self, path: Path, confined: bool = False) -> None:
        entries = []
        for number, found in enumerate(_loaded(path)["data_list"], start=1):
            try:
                image, label = found["img_path"], found["instances"][0]["text"]
            except (KeyError, IndexError, TypeError) as error:
                raise DatasetError(
                    f"{path}: entry {number} of data_list has no img_path, or no instances with a text."
                ) from error
            if not isinstance(image, str) or not isinstance(label, str):
                raise DatasetError(f"{path}: entry {number} of data_list: img_path and text must be texts.")
            entries.append((image, label))
        super().__init__(path.parent, path, entries, confined)


def document_kind(path: Path) -> str | None:
    """Return which of the two a JSON file is, by how it begins; None if it is neither."""
    try:
        with path.open("rb") as file:
            head = file.read(4096).decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    except OSError:
        return None
    if not head.startswith("{"):
        return None
    if head[1:].lstrip().startswith(('"metainfo"', '"data_list"')):
        return "mmocr"
    # A name and a text, then either more or the end.
    try:
        _, end = json.JSONDecoder().raw_decode(head[1:].lstrip())
        rest = head[1:].lstrip()[end:].lstrip()
        return "doctr" if rest.startswith(":") and rest[1:].lstrip().startswith('"') else None
    except ValueError:
        return None


def _loaded(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise DatasetError(f"{path} has {path.stat().st_size} bytes; at most {_MOST_BYTES} are read.")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise DatasetError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise DatasetError(f"{path} must be a JSON object.")
    return document
