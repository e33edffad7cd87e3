"""Crops decoded once, at one height, into one memory-mapped array.

Training reads millions of patches; decoding JPEGs for each would keep every processor
busy. The cache holds all crops side by side as uint8 (H, total width, 3), so that a
batch of patches is one gather, on the device if it fits there.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from siman_synth.config import fingerprint
from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, OutputError
from siman_synth.tally import Tally

_VERSION = 1
_FILES = {"cache.json", "offsets.npy", "pixels.npy"}


@dataclass(frozen=True, slots=True)
class CropCache:
    """Crops of one height, side by side.

    `pixels` is uint8 (H, W_total, 3), RGB; crop i occupies columns offsets[i] to offsets[i + 1].
    """

    pixels: np.ndarray
    offsets: np.ndarray
    skipped: Tally

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def height_px(self) -> int:
        """The height that all crops were resized to."""
        return int(self.pixels.shape[0])

    def crop(self, index: int) -> np.ndarray:
        """Return crop `index` as uint8 (H, W, 3)."""
        return self.pixels[:, self.offsets[index] : self.offsets[index + 1]]

    @classmethod
    def build(cls, pool: CropPool, folder: Path, height_px: int, min_aspect: float) -> "CropCache":
        """Decode a pool into `folder`, or open what an equal call left there.

        Crops no wider than `min_aspect` heights cannot hold two neighbouring patches (paper,
        section 3.1); they are counted and left out.

        Raises:
            CropError: no crop is usable; the message counts the reasons.
            OutputError: `folder` holds something else.
        """
        wanted = fingerprint(
            {
                "version": _VERSION,
                "pool": pool.fingerprint(),
                "height_px": height_px,
                "min_aspect": min_aspect,
            }
        )
        if not _is_current(folder, wanted):
            _write(pool, folder, height_px, min_aspect, wanted)
        header = json.loads((folder / "cache.json").read_text())
        return cls(
            pixels=np.load(folder / "pixels.npy", mmap_mode="r"),
            offsets=np.load(folder / "offsets.npy"),
            skipped=Tally.from_json(header["skipped"]),
        )


def resize_to_height(image: np.ndarray, height_px: int, width_multiple: int = 1) -> np.ndarray:
    """Resize uint8 (H, W, 3) to a height, keeping the aspect up to rounding the width.

    Area averaging when shrinking (no aliasing), bicubic when enlarging.
    """
    scale = height_px / image.shape[0]
    width = max(1, round(image.shape[1] * scale / width_multiple)) * width_multiple
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height_px), interpolation=interpolation))


def _is_current(folder: Path, wanted: str) -> bool:
    try:
        header = json.loads((folder / "cache.json").read_text())
    except (OSError, ValueError):
        return False
    return bool(header.get("fingerprint") == wanted)


def _write(pool: CropPool, folder: Path, height_px: int, min_aspect: float, wanted: str) -> None:
    if folder.is_dir() and (strangers := {entry.name for entry in folder.iterdir()} - _FILES):
        raise OutputError(
            f"{folder} holds other files ({min(strangers)}, …), which a cache of crops must not replace. "
            "Choose another --cache."
        )
    tally = Tally()
    crops = list(_resized(pool, height_px, min_aspect, tally))
    if not crops:
        raise CropError(
            f"No usable crop among {len(pool)}: {'; '.join(tally.lines()) or 'the pool is empty'}. "
            f"Training needs crops wider than {min_aspect:g} times their height."
        )
    # Written under another name first: a killed run must not leave half a cache that looks whole.
    partial = folder.with_name(folder.name + f".partial-{os.getpid()}")
    partial.mkdir(parents=True, exist_ok=True)
    np.save(partial / "offsets.npy", np.cumsum([0] + [crop.shape[1] for crop in crops]).astype(np.int64))
    np.save(partial / "pixels.npy", np.concatenate(crops, axis=1))
    header = {"fingerprint": wanted, "height_px": height_px, "crops": len(crops), "skipped": tally.to_json()}
    (partial / "cache.json").write_text(json.dumps(header, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


def _resized(pool: CropPool, height_px: int, min_aspect: float, tally: Tally) -> Iterator[np.ndarray]:
    for index, image in pool.iter_decoded(tally=tally):
        if image.shape[1] <= min_aspect * image.shape[0]:
            tally.add(f"not wider than {min_aspect:g} heights", pool.name(index))
            continue
        yield resize_to_height(image, height_px)
