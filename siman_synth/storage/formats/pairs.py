"""The layout of kraken, tesstrain and Calamari: `x.png` and beside it `x.gt.txt`, one line of text."""

import os
from collections.abc import Sequence
from pathlib import Path

from siman_synth.errors import DatasetError
from siman_synth.files import walk_once
from siman_synth.storage.formats.lines import Lines
from siman_synth.storage.formats.source import Entry, ListedImages

GROUND_TRUTH = ".gt.txt"
_SUFFIXES = (".png", ".tif", ".jpg", ".jpeg", ".webp", ".bmp")
_LONGEST_BYTES = 1 << 20


class Pairs(ListedImages):
    """Images with a text file beside each."""

    def __init__(self, root: Path, names: Sequence[str], files: Sequence[Path], confined: bool) -> None:
        super().__init__(root, files, confined)
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def entry(self, index: int) -> Entry:
        image = self._names[index]
        path = self._root / (os.path.splitext(image)[0] + GROUND_TRUTH)
        try:
            with path.open("rb") as file:
                data = file.read(_LONGEST_BYTES)
        except OSError as error:
            raise DatasetError(f"Cannot read {path}: {error.strerror}.") from error
        try:
            return Entry(image, data.decode("utf-8-sig").strip("\r\n"))
        except UnicodeDecodeError as error:
            raise DatasetError(f"{path} is not UTF-8. Write ground truth as UTF-8.") from error

    def name(self, index: int) -> str:
        """Return the path of the image."""
        return self._names[index]


def pairs_below(root: Path, confined: bool) -> Pairs | None:
    """Return the pairs of a folder tree, by path; None if there are none."""
    names: list[str] = []
    for folder, _, files in walk_once(root):
        there = set(files)
        for file in files:
            stem = file.removesuffix(GROUND_TRUTH)
            image = next((stem + suffix for suffix in _SUFFIXES if stem + suffix in there), None)
            if stem != file and image is not None:
                names.append((folder / image).relative_to(root).as_posix())
    names.sort(key=lambda name: name.split("/"))
    return Pairs(root, names, [root], confined) if names else None


def is_manifest(path: Path) -> bool:
    """Whether the first line of a file is the path of an image with ground truth beside it."""
    try:
        with path.open("rb") as file:
            first = file.readline(1 << 12).decode("utf-8-sig").strip()
        return bool(first) and (path.parent / (os.path.splitext(first)[0] + GROUND_TRUTH)).is_file()
    except (OSError, UnicodeDecodeError, ValueError):
        return False


class Manifest(Pairs):
    """Kraken's manifest: the path of an image a line, relative to the manifest."""

    def __init__(self, path: Path, confined: bool = False) -> None:
        super().__init__(path.parent, Lines(path), [path], confined)  # type: ignore[arg-type]
