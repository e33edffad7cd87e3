"""One picture of some samples of a data set."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from siman_synth.errors import CropError, DatasetError
from siman_synth.imaging.contact_sheet import contact_sheet
from siman_synth.imaging.decode import decode_crop
from siman_synth.imaging.resize import shrink_to_height
from siman_synth.seeding import sample_rng
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.storage.lmdb_reader import LmdbReader

_KEPT_HEIGHT_PX = 192
"""Of taller images: several times what a sheet shows of them."""


def dataset_sheet(
    reader: LmdbReader | LabeledSet, count: int = 80, seed: int | None = None, **options: Any
) -> Image.Image:
    """Draw `count` samples of a data set with their labels.

    They are spread evenly over the set, or drawn at random when `seed` is given.
    `options` go to `contact_sheet`.

    Raises:
        DatasetError: a chosen image is missing or cannot be decoded.
    """
    images, captions = [], []
    for index in chosen_indices(len(reader), count, seed):
        images.append(_decode(reader, index))
        captions.append(reader.label(index) or "")
    return contact_sheet(images, captions if any(captions) else None, **options)


def chosen_indices(total: int, count: int, seed: int | None = None) -> list[int]:
    """Return up to `count` different indices below `total`, in order."""
    count = min(total, count)
    if seed is not None:
        return sorted(int(i) for i in sample_rng(seed, "contact sheet").choice(total, count, replace=False))
    return [(2 * position + 1) * total // (2 * count) for position in range(count)]


def _decode(reader: LmdbReader | LabeledSet, index: int) -> npt.NDArray[np.uint8]:
    name = reader.name(index)
    try:
        # Reduced at once: eighty photos of 48 million pixels would take gigabytes.
        return shrink_to_height(decode_crop(reader.image(index), name), _KEPT_HEIGHT_PX)
    except CropError as error:
        raise DatasetError(
            f"{reader.path}: '{name}' cannot be decoded: {error} Run siman-synth verify on it."
        ) from error
