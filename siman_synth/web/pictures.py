"""Crops of a pool as small pictures, by number; nothing is loaded ahead."""

import threading
from typing import Any

import cv2
import numpy as np

from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError
from siman_synth.imaging.codec import encode_jpeg
from siman_synth.imaging.resize import shrink_to_height
from siman_synth.several import Names
from siman_synth.storage.lmdb_reader import is_dataset

_HEIGHT_PX = 48
_WIDEST = 12
_QUALITY = 88
_GROUPS = 24
_MOST_GROUPED = 200_000


class CropShelf:
    """The crops of a pool, and their order by look, which a thread finds out while they are shown already."""

    def __init__(self, pool: CropPool) -> None:
        self.pool = pool
        self._roots = {path: path.resolve() for path in pool.paths if path.is_dir() and not is_dataset(path)}
        self._lock = threading.Lock()
        self._looks: list[tuple[int, np.ndarray]] = []
        self._seen = 0
        self._order: np.ndarray | None = None
        self._groups: np.ndarray | None = None
        self._closed = threading.Event()

    def __len__(self) -> int:
        return len(self.pool)

    def decode(self, index: int) -> np.ndarray:
        """Return a crop as uint8 (H, W, 3).

        Raises:
            CropError: it cannot be read, or lies outside of its folder by a link.
            IndexError: there is none.
        """
        if not 0 <= index < len(self.pool):
            raise IndexError(f"There are {len(self.pool)} crops, so there is no number {index}.")
        opened, name = self.pool.origin(index)
        root = self._roots.get(opened)
        if root is not None:
            path = (root / name).resolve()
            if not path.is_relative_to(root):
                raise CropError(f"{self.pool.name(index)} is a link out of its folder.", "outside")
        return self.pool.decode(index)

    def thumbnail(self, index: int) -> bytes:
        """Return a crop as a small JPEG; see `decode`."""
        image = shrink_to_height(self.decode(index), _HEIGHT_PX)
        return encode_jpeg(np.ascontiguousarray(image[:, : _WIDEST * image.shape[0]]), _QUALITY)

    def start(self) -> None:
        """Begin to order the crops by look."""
        threading.Thread(target=self._look_at_all, daemon=True).start()

    def close(self) -> None:
        """Stop looking."""
        self._closed.set()

    def sorting(self) -> dict[str, Any]:
        """Return whether the order by look is known, and how many crops were looked at."""
        return {"total": len(self.pool), "ordered": self._order is not None, "looked_at": self._seen}

    def page(self, start: int, count: int, contains: str = "") -> dict[str, Any]:
        """Return numbers, names and groups of some crops, in the order by look once it is known."""
        order = self._order
        known = len(self.pool) if order is None else len(order)

        def at(place: int) -> int:
            return place if order is None else int(order[place])

        found: list[int] = []
        place = start
        while place < known and len(found) < count:
            index = at(place)
            if not contains or contains.casefold() in self.pool.name(index).casefold():
                found.append(index)
            place += 1
        groups = self._groups
        return {
            **self.sorting(),
            "ordered": order is not None,
            "next": place if place < known else None,
            "crops": [
                {
                    "index": index,
                    "name": self.pool.name(index),
                    "group": None if groups is None else int(groups[index]),
                }
                for index in found
            ],
        }

    def _look_at_all(self) -> None:
        looks: list[tuple[int, np.ndarray]] = []
        for index in range(min(len(self.pool), _MOST_GROUPED)):
            if self._closed.is_set():
                return
            self._seen = index + 1
            try:
                looks.append((index, _look(self.decode(index))))
            except CropError:
                continue
        order = np.array([index for index, _ in looks], np.int64)
        if len(looks) >= 2 * _GROUPS:
            order, self._groups = _by_look(looks, len(self.pool))
        if looks:
            # Crops beyond those that were looked at come last, as they are stored.
            self._order = np.concatenate([order, np.arange(self._seen, len(self.pool))])


def _look(image: np.ndarray) -> np.ndarray:
    """Return what the eye sorts by: colours of the dark and of the light part, and how soft it is."""
    small = np.asarray(cv2.resize(image, (32, 16), interpolation=cv2.INTER_AREA))
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    lightness = lab[:, 0]
    middle = float(np.median(lightness))
    dark, light = lab[lightness <= middle].mean(axis=0), lab[lightness >= middle].mean(axis=0)
    edges = float(cv2.Laplacian(small, cv2.CV_32F).std())
    return np.concatenate([dark, light, [edges]]).astype(np.float32)


def _by_look(looks: list[tuple[int, np.ndarray]], total: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the crops ordered by group and nearness to its middle, and the group of each (-1 for none)."""
    indices = np.array([index for index, _ in looks])
    values = np.stack([look for _, look in looks])
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-3)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.1)
    none: Any = None
    _, labels, centres = cv2.kmeans(values, _GROUPS, none, stop, 1, cv2.KMEANS_PP_CENTERS)
    rank = np.argsort(np.argsort(centres[:, 3]))  # groups from dark grounds to light ones
    group = rank[labels[:, 0]]
    away = np.linalg.norm(values - centres[labels[:, 0]], axis=1)
    groups = np.full(total, -1)
    groups[indices] = group
    return indices[np.lexsort((away, group))], groups


def open_shelf(paths: Names) -> CropShelf:
    """Open crops for browsing.

    Raises:
        CropError: there are no crops.
    """
    return CropShelf(CropPool.open(paths))
