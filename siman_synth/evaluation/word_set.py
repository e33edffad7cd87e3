"""The images and labels that an evaluation compares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from tqdm import tqdm

from siman_synth.crops.labeled import pool_with_labels
from siman_synth.errors import CropError, DatasetError
from siman_synth.escaping import printable
from siman_synth.imaging.resize import resize, shrink_to_height
from siman_synth.ocr.recognizer import Image
from siman_synth.seeding import sample_rng
from siman_synth.tally import Tally

HEIGHT_PX = 32
"""Both sets are brought to this height wherever their looks are compared."""

MAX_ASPECT = 8.0
"""Wider images are squeezed to this width in heights, there alone."""

_KEPT_HEIGHT_PX = 96
"""Higher images are reduced to this as they are read: twice what the OCR is shown, and a thousand
photos of 12 million pixels would take 36 GB."""

MIN_IMAGES = 50
"""With fewer images a side no figure of an evaluation means anything."""

_CHUNK = 64

Value = TypeVar("Value")


@dataclass(slots=True)
class WordSet:
    """Images of one set in random order, with their labels where it has any."""

    path: Path
    total: int
    images: list[Image]
    labels: list[str | None]
    skipped: Tally = field(default_factory=Tally)

    @classmethod
    def load(cls, path: Path, count: int, seed: int) -> Self:
        """Decode up to `count` images of a folder, a list or an LMDB, chosen at random.

        High images are reduced. What cannot be decoded is counted in `skipped`. Labels come from an LMDB or
        another labeled layout.

        Raises:
            CropError: there are no images at `path`, or fewer than `MIN_IMAGES` usable ones.
            DatasetError: it is an LMDB that cannot be read.
        """
        pool, labels = pool_with_labels(path)
        words = cls(path, len(pool), [], [])
        chosen = sample_rng(seed, "evaluation", "sample").permutation(len(pool))[:count]
        for index in tqdm(chosen.tolist(), desc=f"decode {printable(path.name)}", unit="image", disable=None):
            try:
                words.images.append(shrink_to_height(pool.decode(index), _KEPT_HEIGHT_PX))
            except CropError as error:
                words.skipped.add(error.reason, pool.name(index))
                continue
            words.labels.append(labels.label(index) if labels else None)
        if len(words) < MIN_IMAGES:
            reasons = f" ({'; '.join(words.skipped.lines())})" if words.skipped.total else ""
            raise CropError(
                f"{path} gives {len(words)} usable images{reasons}; an evaluation needs at least "
                f"{MIN_IMAGES}, and says little below 500.",
                "too few",
            )
        return words

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labeled(self) -> int:
        """How many of the images have a label."""
        return sum(label is not None for label in self.labels)

    def require_labels(self) -> None:
        """Check that there is a label to compare a reading with.

        Raises:
            DatasetError: no image has one.
        """
        if not self.labeled:
            raise DatasetError(
                f"{self.path} has no labels, so nothing can be said about its readability. "
                "Give a labeled LMDB, or leave out OCR to compare looks alone."
            )

    def of_one_height(self) -> list[Image]:
        """Return the images at `HEIGHT_PX`, at most `MAX_ASPECT` heights wide."""
        return of_one_height(self.images)


def of_one_height(images: Sequence[Image]) -> list[Image]:
    """Return images at `HEIGHT_PX`, at most `MAX_ASPECT` heights wide."""
    return [_of_height(image) for image in images]


def in_width_order(
    images: Sequence[Image], work: Callable[[Sequence[Image]], Sequence[Value]], title: str
) -> list[Value]:
    """Return `work`'s value for each image; it is given similar widths together, under a progress bar."""
    order = sorted(range(len(images)), key=lambda index: images[index].shape[1] / images[index].shape[0])
    values: dict[int, Value] = {}
    with tqdm(total=len(images), desc=title, unit="image", disable=None) as bar:
        for start in range(0, len(order), _CHUNK):
            chunk = order[start : start + _CHUNK]
            values.update(zip(chunk, work([images[index] for index in chunk]), strict=True))
            bar.update(len(chunk))
    return [values[index] for index in range(len(images))]


def _of_height(image: Image) -> Image:
    height, width = image.shape[:2]
    width_px = max(1, round(HEIGHT_PX * min(width / height, MAX_ASPECT)))
    if (height, width) == (HEIGHT_PX, width_px):
        return image
    return resize(image, width_px, HEIGHT_PX)
