"""Pools of real crops: a folder tree, a list, an LMDB or one image, indexed and not loaded."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from siman_synth.crops.decode import decode_crop
from siman_synth.errors import CropError, DatasetError
from siman_synth.storage.lmdb_format import DATA_FILE, LOCK_FILE, image_key
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.tally import Tally

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".pbm"}
)
LIST_SUFFIXES = frozenset({".txt", ".lst"})
_ENTRIES_HASHED = 8


class CropSource(Protocol):
    """Where the crops of a pool come from."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Return what crop `index` is called."""
        ...

    def read(self, index: int) -> bytes:
        """Return the encoded bytes of crop `index`."""
        ...

    def fingerprint_parts(self) -> Iterator[str]:
        """Yield what tells this source from another."""
        ...


class CropPool:
    """Crops by index, decoded on demand. Labels, where there are any, are never read.

    The pool holds names, not images (and for an LMDB not even those), and may be
    pickled and sent to worker processes. `skipped` counts what was passed over when it
    was opened: files that are no images, listed files that do not exist.
    """

    def __init__(self, path: Path, source: CropSource, skipped: Tally) -> None:
        self.path = path
        self.skipped = skipped
        self._source = source

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a folder tree of images, a list file, an LMDB folder, or a single image.

        A folder tree gives its files with an image extension in the order of their
        paths; hidden files and folders are passed over, links to folders followed. A
        list (.txt, .lst) has a path a line, relative to the list's folder; what follows
        a tab is ignored, so ground-truth files serve as lists.

        Raises:
            CropError: there is nothing at `path`, or no crop in it; says what was looked for.
            DatasetError: it is an LMDB folder that cannot be read.
        """
        found = Path(path)
        skipped = Tally()
        source: CropSource
        if found.name == DATA_FILE and found.is_file():
            found = found.parent
        if found.is_dir():
            if (found / DATA_FILE).exists():
                source = LmdbCrops(LmdbReader.open(found))
            else:
                source = FileCrops(found, _walk(found, skipped))
        elif not found.exists():
            raise CropError(f"No crops at {found}: it does not exist.", "missing")
        elif found.suffix.lower() in LIST_SUFFIXES:
            source = FileCrops(found.parent, _listed(found, skipped))
        elif found.suffix.lower() in IMAGE_SUFFIXES:
            source = FileCrops(found.parent, [found.name])
        else:
            raise CropError(
                f"No crops at {found}: it is neither a folder, an image "
                f"({', '.join(sorted(IMAGE_SUFFIXES))}) nor a list of images (.txt, .lst).",
                "not a pool",
            )
        if len(source) == 0:
            raise _empty_error(found, skipped)
        return cls(found, source, skipped)

    def __len__(self) -> int:
        return len(self._source)

    def name(self, index: int) -> str:
        """Return what crop `index` is called: a path below the pool, or an LMDB key."""
        return self._source.name(index)

    def read(self, index: int) -> bytes:
        """Return the encoded bytes of crop `index`.

        Raises:
            CropError: they cannot be read any more.
        """
        return self._source.read(index)

    def decode(self, index: int) -> npt.NDArray[np.uint8]:
        """Return crop `index` as uint8 (H, W, 3) RGB.

        Raises:
            CropError: it cannot be read or decoded; see `decode_crop`.
        """
        return decode_crop(self.read(index), self.name(index))

    def iter_decoded(
        self, min_aspect: float = 0.0, tally: Tally | None = None
    ) -> Iterator[tuple[int, npt.NDArray[np.uint8]]]:
        """Yield (index, image) of every usable crop whose width is at least `min_aspect` heights.

        The others are counted in `tally` by reason and never raise.
        """
        counted = Tally() if tally is None else tally
        for index in range(len(self)):
            try:
                image = self.decode(index)
            except CropError as error:
                counted.add(error.reason, self.name(index))
                continue
            if image.shape[1] < min_aspect * image.shape[0]:
                counted.add(f"narrower than {min_aspect:g} heights", self.name(index))
                continue
            yield index, image

    def fingerprint(self) -> str:
        """Return a short hash that is equal for equal pools, wherever and whenever they were copied.

        Files count with their names and sizes; an LMDB with its number of crops, its
        size and a few of its images. Nothing is decoded.
        """
        digest = hashlib.sha256()
        for part in self._source.fingerprint_parts():
            digest.update(part.encode("utf-8", "surrogateescape") + b"\0")
        return digest.hexdigest()[:16]


class FileCrops:
    """Image files below a folder."""

    def __init__(self, root: Path, names: Sequence[str]) -> None:
        self._root = root.absolute()
        self._names = names

    def __len__(self) -> int:
        return len(self._names)

    def name(self, index: int) -> str:
        """Return the path of crop `index` below the folder."""
        return self._names[index]

    def read(self, index: int) -> bytes:
        """Return the bytes of the file."""
        try:
            return (self._root / self._names[index]).read_bytes()
        except OSError as error:
            raise CropError(f"Cannot read {self._names[index]}: {error.strerror}.", "unreadable") from error

    def fingerprint_parts(self) -> Iterator[str]:
        """Yield every name with its size; times are left out, because copying changes them."""
        for name in self._names:
            try:
                yield f"{name}\t{(self._root / name).stat().st_size}"
            except OSError:
                yield f"{name}\tmissing"


class LmdbCrops:
    """The images of an LMDB, labeled or not."""

    def __init__(self, reader: LmdbReader) -> None:
        self._reader = reader

    def __len__(self) -> int:
        return len(self._reader)

    def name(self, index: int) -> str:
        """Return the key of crop `index`."""
        return image_key(self._reader.number(index)).decode()

    def read(self, index: int) -> bytes:
        """Return the stored image."""
        try:
            return self._reader.image(index)
        except DatasetError as error:
            raise CropError(str(error), "missing") from error

    def fingerprint_parts(self) -> Iterator[str]:
        """Yield the number of crops, the size of the file and the hashes of a few images."""
        count = len(self._reader)
        yield f"{count}\t{self._reader.data_bytes}"
        for position in range(min(count, _ENTRIES_HASHED)):
            index = position * count // min(count, _ENTRIES_HASHED)
            image = self._reader.raw(image_key(self._reader.number(index))) or b""
            yield f"{index}\t{hashlib.sha256(image).hexdigest()}"


def none_usable_error(tally: Tally, path: str | Path) -> CropError:
    """Return the error for a pool of which no crop can be used: how many failed for which reason."""
    return CropError(
        f"None of the {tally.total} crops in {path} can be used: {'; '.join(tally.lines())}. "
        "Give crops that are images of one word each, wider than high.",
        "none usable",
    )


def _empty_error(path: Path, skipped: Tally) -> CropError:
    if path.is_dir() and (path / DATA_FILE).exists():
        looked_for = "its num-samples is 0"
    elif path.is_dir():
        suffixes = " ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
        looked_for = f"looked in it and its subfolders for images ({suffixes}), and in itself for {DATA_FILE}"
    else:
        looked_for = f"looked in the list for a path a line, relative to {path.parent}"
    found = f"; found {'; '.join(skipped.lines())}" if skipped.total else ""
    return CropError(f"No crops in {path}: {looked_for}{found}.", "empty")


def _walk(root: Path, skipped: Tally) -> list[str]:
    names: list[str] = []
    seen: set[str] = set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link that leads back up
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for file in files:
            name = Path(folder, file).relative_to(root).as_posix()
            if file.startswith(".") or file == LOCK_FILE:
                continue
            if os.path.splitext(file)[1].lower() in IMAGE_SUFFIXES:
                names.append(name)
            else:
                skipped.add("not an image file", name)
    # By parts, so that the order does not depend on how a system sorts "/" against "-".
    return sorted(names, key=lambda name: name.split("/"))


def _listed(path: Path, skipped: Tally) -> list[str]:
    names: list[str] = []
    text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    for line in text.splitlines():
        name = line.split("\t")[0].strip()
        if not name:
            continue
        if (path.parent / name).is_file():
            names.append(name)
        else:
            skipped.add("missing file", name)
    return names
