"""Crops whose labels are wanted, too: for whoever measures, never for whoever learns styles."""

from pathlib import Path

from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError, DatasetError
from siman_synth.storage.labeled_set import LMDB, LabeledSet
from siman_synth.storage.lmdb_reader import is_dataset
from siman_synth.tally import Tally


class LabeledCrops:
    """The images of a labeled set as the source of a pool."""

    def __init__(self, words: LabeledSet) -> None:
        self._words = words

    def __len__(self) -> int:
        return len(self._words)

    def name(self, index: int) -> str:
        """Return the path, the key or the place of crop `index`."""
        return self._words.name(index)

    def read(self, index: int) -> bytes:
        """Return the encoded image."""
        try:
            return self._words.image(index)
        except DatasetError as error:
            raise CropError(str(error), "missing") from error


def pool_with_labels(path: Path) -> tuple[CropPool, LabeledSet | None]:
    """Open crops in any layout; return them, and the labeled set that has their labels, if one has.

    Raises:
        CropError: there are no crops at `path`.
        DatasetError: it is a labeled set that cannot be read.
    """
    words = LabeledSet.find(path)
    if words is None or is_dataset(path):
        return CropPool.open(path), words
    if words.kind == LMDB:
        # LMDBs below a folder. If there are images beside them, those are the crops, and have no labels.
        try:
            return CropPool.open(path), None
        except CropError as error:
            if error.reason != "empty":
                raise
    if not len(words):
        raise CropError(f"No crops in {path}: its listing is empty.", "empty")
    return CropPool(path, LabeledCrops(words), Tally()), words
