"""Crops decoded once, at one height, into one memory-mapped array.

Training reads millions of patches; decoding JPEGs for each would keep every processor
busy. The cache holds all crops side by side, so that a batch of patches is one gather, on
the device if it fits there. It is written crop by crop: no more than one is in memory.

The folder holds `pixels.npy`, uint8 (total width, H, 3): column after column, so that what a
patch takes lies in one piece; `offsets.npy`, int64; and `cache.json`, written last, which says
what the others must be to the last bit. Whatever does not fit it is made again.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from siman_synth.config import fingerprint
from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, OutputError
from siman_synth.files import content_hash, locked, whole_file, write_text
from siman_synth.imaging.resize import resize_to_height
from siman_synth.tally import Tally

_VERSION = 2
_HEADER, _PIXELS, _OFFSETS, _LOCK = "cache.json", "pixels.npy", "offsets.npy", "lock"
_STALE = re.compile(r"(pixels|offsets)\.npy\.partial-\d+|cache\.json\.partial-\d+")


@dataclass(frozen=True, slots=True)
class CropCache:
    """Crops of one height, side by side.

    `columns` is uint8 (W_total, H, 3), RGB; crop i occupies columns offsets[i] to offsets[i + 1].
    """

    columns: np.ndarray
    offsets: np.ndarray
    skipped: Tally

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def height_px(self) -> int:
        """The height that all crops were resized to."""
        return int(self.columns.shape[1])

    def crop(self, index: int) -> np.ndarray:
        """Return crop `index` as uint8 (H, W, 3)."""
        return self.columns[self.offsets[index] : self.offsets[index + 1]].swapaxes(0, 1)

    @classmethod
    def build(
        cls,
        pool: CropPool,
        folder: str | Path,
        height_px: int,
        min_aspect: float,
        contents: str | None = None,
        pulse: Callable[[], None] = lambda: None,
    ) -> "CropCache":
        """Decode a pool into `folder`, or open what an equal call left there.

        Crops no wider than `min_aspect` heights cannot hold two neighbouring patches (paper,
        section 3.1); they are counted and left out.

        Args:
            pool: the crops.
            folder: of the cache, and of nothing else.
            height_px: the height that crops are resized to.
            min_aspect: only crops wider than this many heights are used.
            contents: the pool's fingerprint, if it is known already.
            pulse: called between crops; what it raises ends the work and leaves nothing half done.

        Raises:
            CropError: no crop is usable; the message counts the reasons.
            OutputError: `folder` holds something else, or another process works on it.
        """
        folder = Path(folder)
        wanted = _fingerprint(contents or pool.fingerprint(), height_px, min_aspect)
        _require_ours(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder / _LOCK, str(folder)):
            _require_ours(folder)
            if not _is_whole(folder, wanted):
                _write(pool, folder, (height_px, min_aspect), wanted, pulse)
        return cls._open(folder)

    @classmethod
    def open(cls, folder: str | Path, height_px: int, min_aspect: float, contents: str) -> "CropCache":
        """Open what `build` left in `folder` in another process, for a pool of these contents.

        Raises:
            OutputError: it is not that any more.
        """
        header = _header(Path(folder))
        if header.get("fingerprint") != _fingerprint(contents, height_px, min_aspect):
            raise OutputError(f"The cache {folder} was changed by another run. Give each run one of its own.")
        return cls._open(Path(folder))

    @classmethod
    def _open(cls, folder: Path) -> "CropCache":
        return cls(
            columns=np.load(folder / _PIXELS, mmap_mode="r"),
            offsets=np.load(folder / _OFFSETS),
            skipped=Tally.from_json(_header(folder)["skipped"]),
        )


def _fingerprint(contents: str, height_px: int, min_aspect: float) -> str:
    return fingerprint(
        {"version": _VERSION, "pool": contents, "height_px": height_px, "min_aspect": min_aspect}
    )


def _header(folder: Path) -> dict[str, Any]:
    try:
        header = json.loads((folder / _HEADER).read_bytes())
    except (OSError, ValueError):
        return {}
    return header if isinstance(header, dict) else {}


def _is_whole(folder: Path, wanted: str) -> bool:
    """Return whether the folder holds the wanted cache, to the last bit."""
    header = _header(folder)
    digests = header.get("sha256")
    if header.get("fingerprint") != wanted or not isinstance(digests, dict):
        return False
    try:
        return all(content_hash(folder / name) == digests.get(name) for name in (_PIXELS, _OFFSETS))
    except OSError:
        return False


def _require_ours(folder: Path) -> None:
    """Refuse a folder that holds anything that is not of a cache.

    Raises:
        OutputError: it does, or it is a link or no folder.
    """
    if not os.path.lexists(folder):
        return
    if folder.is_symlink():
        raise OutputError(f"{folder} is a link; a cache of crops needs a folder of its own.")
    if not folder.is_dir():
        raise OutputError(f"{folder} is not a folder. Choose another for the cache of crops.")
    found = {entry.name: entry for entry in folder.iterdir() if not _STALE.fullmatch(entry.name)}
    known = {_HEADER, _PIXELS, _OFFSETS, _LOCK}
    # Arrays without a header are not ours: it is written before them and removed never.
    strangers = found.keys() - (known if _HEADER in found else {_LOCK})
    strangers |= {name for name, entry in found.items() if entry.is_symlink() or not entry.is_file()}
    if strangers:
        raise OutputError(
            f"{folder} holds other files ({min(strangers)}, …), which a cache of crops must not replace. "
            "Choose another folder for it."
        )


def _write(
    pool: CropPool, folder: Path, shape: tuple[int, float], wanted: str, pulse: Callable[[], None]
) -> None:
    height_px, min_aspect = shape
    for entry in folder.iterdir():
        if _STALE.fullmatch(entry.name):  # of a process that was killed: this one holds the lock
            entry.unlink()
    # A header that nothing fits: the folder is known as ours, and half a cache as half.
    write_text(folder / _HEADER, json.dumps({"fingerprint": None}))
    tally, offsets = Tally(), [0]
    with whole_file(folder / _PIXELS) as partial, partial.open("wb") as file:
        _write_array_header(file, (0, height_px, 3))
        start = file.tell()
        for crop in _resized(pool, height_px, min_aspect, tally, pulse):
            file.write(np.ascontiguousarray(crop.swapaxes(0, 1)).data)
            offsets.append(offsets[-1] + crop.shape[1])
        if len(offsets) == 1:
            raise CropError(
                f"No usable crop among {len(pool)}: {'; '.join(tally.lines()) or 'the pool is empty'}. "
                f"Training needs crops wider than {min_aspect:g} times their height.",
                "none usable",
            )
        file.seek(0)
        _write_array_header(file, (offsets[-1], height_px, 3))
        assert file.tell() == start  # numpy leaves room for the first side to grow
    with whole_file(folder / _OFFSETS) as partial, partial.open("wb") as file:
        np.save(file, np.array(offsets, np.int64))
    header = {
        "fingerprint": wanted,
        "height_px": height_px,
        "crops": len(offsets) - 1,
        "skipped": tally.to_json(),
        "sha256": {name: content_hash(folder / name) for name in (_PIXELS, _OFFSETS)},
    }
    write_text(folder / _HEADER, json.dumps(header, indent=1))


def _write_array_header(file: BinaryIO, shape: tuple[int, ...]) -> None:
    description = np.lib.format.dtype_to_descr(np.dtype(np.uint8))
    header = {"descr": description, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _resized(
    pool: CropPool, height_px: int, min_aspect: float, tally: Tally, pulse: Callable[[], None]
) -> Iterator[np.ndarray]:
    for index, image in pool.iter_decoded(tally=tally):
        pulse()
        if image.shape[1] <= min_aspect * image.shape[0]:
            tally.add(f"not wider than {min_aspect:g} heights", pool.name(index))
            continue
        yield resize_to_height(image, height_px)
