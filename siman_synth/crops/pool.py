"""Pools of real crops: folder trees, lists, LMDBs and images, indexed and not loaded."""

import hashlib
import os
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt

from siman_synth.errors import CropError, DatasetError, InputChangedError, OutputError
from siman_synth.escaping import printable
from siman_synth.files import REJECTED_SUFFIX, RUN_MARKER, RUN_SUFFIX, SUMMARY_SUFFIX, walk_once
from siman_synth.imaging.decode import MAX_FILE_BYTES, decode_crop, read_picture
from siman_synth.resources import own_path
from siman_synth.several import Names, several
from siman_synth.storage.lmdb_format import DATA_FILE, LOCK_FILE, image_key
from siman_synth.storage.lmdb_reader import LmdbReader, is_dataset
from siman_synth.tally import Tally

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".ppm", ".pgm", ".pbm"}
)
_UNREAD_SUFFIXES = frozenset({".heic", ".heif", ".avif", ".jxl", ".jp2", ".psd"})
LIST_SUFFIXES = frozenset({".txt", ".lst"})
_DIGEST = np.dtype("<u8")
_IMAGE_KEY = re.compile(r"image-[0-9]{9,}")

Digests = npt.NDArray[np.uint64]


class CropSource(Protocol):
    """Where the crops of a pool come from."""

    def __len__(self) -> int: ...

    def name(self, index: int) -> str:
        """Return what crop `index` is called."""
        ...

    def read(self, index: int) -> bytes:
        """Return the encoded bytes of crop `index`.

        Raises:
            CropError: they cannot be read.
        """
        ...


class CropPool:
    """Crops by index, decoded on demand. Labels, where there are any, are never read.

    The pool holds names, not images (and for an LMDB not even those), and may be
    pickled and sent to worker processes. `skipped` counts what was passed over when it
    was opened: files that are no images, listed files that do not exist.

    `paths` is what was opened, `path` the first of it.

    Once the contents are known, by `fingerprint` or `expect`, no crop is read that differs from them.
    """

    def __init__(
        self, path: Path, source: CropSource, skipped: Tally, paths: tuple[Path, ...] | None = None
    ) -> None:
        self.path = path
        self.paths = paths or (path,)
        self.skipped = skipped
        self._source = source
        self._fingerprint: str | None = None
        self._digests: Digests | None = None

    @classmethod
    def open(cls, path: Names) -> Self:
        """Open a folder tree of images, a list file, an LMDB folder, a single image, or several of these.

        A folder tree gives its files with an image extension in the order of their
        paths; hidden files and folders are passed over, links to folders followed. A
        list (.txt, .lst) has a path a line, relative to the list's folder; what follows
        a tab is ignored, so ground-truth files serve as lists. A line may also name an image
        of an LMDB, as "crops.lmdb/image-000000007".

        Crops of several are counted through, in the order given. Each is called by what it comes from, too,
        "crops.lmdb/image-000000007"; where two have the same last name the second is "crops.lmdb~2".

        Raises:
            CropError: there is nothing at `path`, or no crop in it; says what was looked for. Or one of
                several is given twice.
            DatasetError: it is an LMDB folder that cannot be read.
        """
        if isinstance(path, Iterable) and not isinstance(path, str):
            paths = tuple(path)
            if len(paths) != 1:
                return cls._joined([cls.open(one) for one in paths])
            path = paths[0]
        if not isinstance(path, (str, Path)) or path == "":
            raise CropError(f"A folder, a list or an LMDB of crops is needed, found {path!r}.", "missing")
        found = own_path(path) or Path(path)
        skipped = Tally()
        source: CropSource
        if found.name == DATA_FILE and found.is_file():
            found = found.parent
        if is_dataset(found):
            source = LmdbCrops.open(found, skipped)
        elif found.is_dir():
            source = FileCrops(found, _walk(found, skipped))
        elif not found.exists():
            raise CropError(f"No crops at {found}: it does not exist.", "missing")
        elif found.suffix.lower() in LIST_SUFFIXES:
            source = _listed(found, skipped)
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

    @classmethod
    def _joined(cls, pools: Sequence[Self]) -> Self:
        if not pools:
            raise CropError("Crops are needed: a folder, a list or an LMDB.", "missing")
        paths = tuple(pool.path for pool in pools)
        real = [path.resolve() for path in paths]
        for number, path in enumerate(paths):
            if real[number] in real[:number]:
                raise CropError(f"The crops {path} are given twice.", "repeated")
        names = _different([path.name for path in real])
        skipped = Tally()
        for pool in pools:
            skipped.merge(pool.skipped)
        return cls(paths[0], JoinedCrops(names, [pool._source for pool in pools]), skipped, paths)

    @property
    def place(self) -> str:
        """What was opened, for messages."""
        return ", ".join(map(str, self.paths))

    def __len__(self) -> int:
        return len(self._source)

    def name(self, index: int) -> str:
        """Return what crop `index` is called: a path below the pool, or an LMDB key; see `open`."""
        return self._source.name(index)

    def origin(self, index: int) -> tuple[Path, str]:
        """Return which of `paths` crop `index` is from, and what it is called there."""
        if isinstance(self._source, JoinedCrops):
            number, name = self._source.origin(index)
            return self.paths[number], name
        return self.path, self.name(index)

    def read(self, index: int) -> bytes:
        """Return the encoded bytes of crop `index`.

        Raises:
            CropError: they cannot be read.
            InputChangedError: they are not those that the fingerprint or the expectation is about.
        """
        data, error = self._read(index)
        if self._digests is not None and _short(self._digest(index, data)) != self._digests[index]:
            raise InputChangedError(
                f"Crop {printable(self.name(index))} of {printable(self.place)} was changed while it was in "
                "use. Put back what was there and resume the run, or begin it anew."
            )
        if data is None:
            assert error is not None
            raise error
        return data

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

        It is a hash of every crop's name and bytes: each is read once, and nothing is decoded.
        """
        if self._fingerprint is None:
            whole = hashlib.sha256()
            digests = np.empty(len(self), _DIGEST)
            for index in range(len(self)):
                digest = self._digest(index, self._read(index)[0])
                whole.update(digest)
                digests[index] = _short(digest)
            self._fingerprint, self._digests = whole.hexdigest()[:16], digests
        return self._fingerprint

    def digests(self) -> bytes:
        """Return 8 bytes a crop, for `expect` in another process."""
        self.fingerprint()
        assert self._digests is not None
        return self._digests.tobytes()

    def expect(self, digests: bytes) -> None:
        """From now on refuse crops that differ from those of the pool that returned `digests`.

        Raises:
            InputChangedError: this pool has more crops, or fewer.
        """
        found = np.frombuffer(digests, _DIGEST)
        if len(found) != len(self):
            raise InputChangedError(
                f"{printable(self.place)} holds {len(self)} crops, and held {len(found)} when the run began. "
                "Put back what was there and resume the run, or begin it anew."
            )
        self._digests = found

    def _read(self, index: int) -> tuple[bytes | None, CropError | None]:
        try:
            return self._source.read(index), None
        except CropError as error:
            return None, error

    def _digest(self, index: int, data: bytes | None) -> bytes:
        """Return a hash of a crop's name and bytes, or of the name of one that cannot be read."""
        digest = hashlib.sha256(self.name(index).encode("utf-8", "surrogateescape"))
        digest.update(b"\0unreadable" if data is None else b"\0\0" + data)
        return digest.digest()


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
        return read_picture(self._root / self._names[index], self._names[index])


class ListedCrops(FileCrops):
    """Image files, and images of LMDBs, that a list names."""

    def __init__(self, root: Path, names: Sequence[str], readers: Mapping[str, LmdbReader]) -> None:
        """Take names below `root`; `readers` has the LMDBs by the part of a name before its key."""
        super().__init__(root, names)
        self._readers = readers

    def read(self, index: int) -> bytes:
        """Return the bytes of the file, or the stored image."""
        name = self.name(index)
        folder, _, key = name.rpartition("/")
        if folder not in self._readers:
            return super().read(index)
        try:
            image = self._readers[folder].raw(key.encode())
        except DatasetError as error:
            raise CropError(str(error), "missing") from error
        if image is None:
            raise CropError(f"{name} is no longer there.", "missing")
        return image


class LmdbCrops:
    """The images of an LMDB, labeled or not."""

    def __init__(self, reader: LmdbReader) -> None:
        self._reader = reader

    @classmethod
    def open(cls, path: Path, skipped: Tally) -> Self:
        """Open an LMDB; images that its num-samples leaves out are counted in `skipped`."""
        reader = LmdbReader.open(path)
        for key in reader.images_beyond():
            skipped.add(f"image beyond num-samples ({len(reader)})", key.decode())
        return cls(reader)

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


class JoinedCrops:
    """The crops of several sources, one source after the other."""

    def __init__(self, names: Sequence[str], sources: Sequence[CropSource]) -> None:
        """Take sources, and what each is called."""
        self._names, self._sources = names, sources
        self._firsts = list(accumulate(map(len, sources), initial=0))

    def __len__(self) -> int:
        return self._firsts[-1]

    def name(self, index: int) -> str:
        """Return what the crop's source is called, and what the crop is called there."""
        number, name = self.origin(index)
        return f"{self._names[number]}/{name}"

    def origin(self, index: int) -> tuple[int, str]:
        """Return the number of the crop's source, from 0, and what the crop is called there."""
        number, within = self._place(index)
        return number, self._sources[number].name(within)

    def read(self, index: int) -> bytes:
        """Return the bytes of the crop."""
        number, within = self._place(index)
        return self._sources[number].read(within)

    def _place(self, index: int) -> tuple[int, int]:
        if not 0 <= index < len(self):
            raise IndexError(f"There are {len(self)} crops, so there is no number {index}.")
        number = bisect_right(self._firsts, index) - 1
        return number, index - self._firsts[number]


def _different(names: Sequence[str]) -> list[str]:
    """Return names of which each stands once: a later one like an earlier gets its number behind it."""
    found: list[str] = []
    for name in names:
        numbered, number = name, 2
        while numbered in found:
            numbered, number = f"{name}~{number}", number + 1
        found.append(numbered)
    return found


def _short(digest: bytes) -> int:
    return int.from_bytes(digest[: _DIGEST.itemsize], "little")


def none_usable_error(tally: Tally, path: str | Path) -> CropError:
    """Return the error for a pool of which no crop can be used: how many failed for which reason."""
    return CropError(
        f"None of the {tally.total} crops in {path} can be used: {'; '.join(tally.lines())}. "
        "Give crops that are images of one word each, wider than high.",
        "none usable",
    )


def _empty_error(path: Path, skipped: Tally) -> CropError:
    if is_dataset(path):
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
    for folder, subfolders, files in walk_once(root):
        if RUN_MARKER in files:  # its pictures are no crops
            skipped.add("folder of a training run", folder.relative_to(root).as_posix())
            subfolders.clear()
            continue
        found = {*files, *subfolders}
        for file in files:
            name = (folder / file).relative_to(root).as_posix()
            if file == LOCK_FILE:
                continue
            if file == DATA_FILE:
                skipped.add("LMDB, which has to be named itself", str(PurePosixPath(name).parent))
                continue
            if _is_beside_data_set(file, found):
                skipped.add("sheet of rejected words beside a data set", name)
            elif os.path.splitext(file)[1].lower() in IMAGE_SUFFIXES:
                names.append(name)
            else:
                skipped.add(why_skipped(file), name)
    # By parts, so that the order does not depend on how a system sorts "/" against "-".
    return sorted(names, key=lambda name: name.split("/"))


def why_skipped(name: str) -> str:
    """Return why a file without one of `IMAGE_SUFFIXES` is skipped."""
    if os.path.splitext(name)[1].lower() in _UNREAD_SUFFIXES:
        return "picture of a format that is not read, to be saved as PNG or JPEG"
    return "not an image file"


def _is_beside_data_set(file: str, names: set[str]) -> bool:
    """Whether a file is what `generate` draws beside a data set: our own words are no crops."""
    data_set = file.removesuffix(REJECTED_SUFFIX)
    return data_set != file and not names.isdisjoint(
        {data_set, data_set + SUMMARY_SUFFIX, data_set + RUN_SUFFIX}
    )


def _listed(path: Path, skipped: Tally) -> ListedCrops:
    if path.stat().st_size > MAX_FILE_BYTES:
        raise CropError(
            f"The list {path} has {path.stat().st_size} bytes; at most {MAX_FILE_BYTES} are read. "
            "Put the crops into an LMDB.",
            "too large",
        )
    names: list[str] = []
    readers: dict[str, LmdbReader] = {}
    text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    for line in text.splitlines():
        name = line.split("\t")[0].strip()
        if not name:
            continue
        if (path.parent / name).is_file() or _is_stored(path.parent, name, readers):
            names.append(name)
        else:
            skipped.add("missing file", name)
    return ListedCrops(path.parent, names, readers)


def _is_stored(root: Path, name: str, readers: dict[str, LmdbReader]) -> bool:
    """Whether a name is an LMDB's path and the key of an image in it; the LMDB is then among `readers`."""
    folder, _, key = name.rpartition("/")
    if not folder or not _IMAGE_KEY.fullmatch(key):
        return False
    if folder not in readers:
        if not is_dataset(root / folder):
            return False
        readers[folder] = LmdbReader.open((root / folder).absolute())
    return readers[folder].has(key.encode())


def require_apart(out: Path, crops: Names) -> None:
    """Refuse an output among the crops: its pictures would become crops.

    Raises:
        OutputError: it lies there.
    """
    for folder in map(Path, several(crops)):
        if folder.is_dir() and out.resolve().is_relative_to(folder.resolve()):
            raise OutputError(
                f"{out} lies in the folder of the crops, {folder}, so that its pictures would become crops. "
                "Choose an output folder outside."
            )
