"""The crops that lend their style: checked, resized, indexed, not loaded."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from siman_synth.crops.cache import resize_to_height
from siman_synth.crops.pool import CropPool, none_usable_error
from siman_synth.errors import CropError
from siman_synth.models.generator import Generator
from siman_synth.synthesis.balance import look, weights
from siman_synth.synthesis.config import StyleConfig
from siman_synth.synthesis.sharpness import sharpness
from siman_synth.tally import Tally

_PROBES = 200
_WIDTH_STEP_PX = 16
"""Styles are stretched to a multiple of this width, by 8 px at most, so that many share a batch."""
_MOST_REMEMBERED = 1024
"""About 10 KB each."""


@dataclass(frozen=True, slots=True)
class Style:
    """A crop ready for the encoder."""

    id: str
    """The crop's name in its pool."""
    image: np.ndarray
    """uint8 (H, W, 3), W a multiple of the network's stride."""
    sharpness: float
    """See `sharpness.sharpness`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The crops of a pool that may be drawn, and how often."""

    indices: np.ndarray
    """(N,) int64, into the pool."""
    ends: np.ndarray
    """(N,) int64: running sums of the crops' weights."""

    def to_bytes(self) -> bytes:
        """Return both, for another process."""
        return np.stack([self.indices, self.ends]).astype(np.int64).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Restore what `to_bytes` returned."""
        return cls(*np.frombuffer(data, np.int64).reshape(2, -1))


class StyleBank:
    """Styles by number. `bank[i]` decodes crop i of the bank.

    Args:
        pool: where the crops are.
        config: which of them may be used.
        height_px: height of the images that the network reads.
        choice: the usable crops; None means all, equally often, checked as they are drawn.
        skipped: what was left out, by reason.
    """

    def __init__(
        self,
        pool: CropPool,
        config: StyleConfig,
        height_px: int,
        choice: Choice | None = None,
        skipped: Tally | None = None,
    ) -> None:
        self.pool = pool
        self.skipped = skipped or Tally()
        self._config = config
        self._height = height_px
        self.choice = choice
        self._remembered: OrderedDict[int, Style] = OrderedDict()

    @classmethod
    def build(cls, pool: CropPool, config: StyleConfig | None = None, height_px: int = 32) -> "StyleBank":
        """Check a pool's crops and keep the usable ones.

        Pools above `config.scan_limit` are only probed: a bad crop is then counted when it is
        drawn.

        Raises:
            CropError: no crop is usable; the message counts the reasons.
        """
        config = config or StyleConfig()
        bank = cls(pool, config, height_px)
        tally = Tally()
        if len(pool) <= config.scan_limit:
            usable = [(index, look(image)) for index, image in bank._check(range(len(pool)), tally)]
            if not usable:
                raise none_usable_error(tally, pool.path)
            indices = np.array([index for index, _ in usable], np.int64)
            ends = np.cumsum(weights(np.stack([seen for _, seen in usable]), config.balance))
            return cls(pool, config, height_px, Choice(indices, ends), tally)
        probes = np.linspace(0, len(pool) - 1, _PROBES).astype(np.int64).tolist()
        if next(bank._check(probes, tally), None) is None:
            raise none_usable_error(tally, pool.path)
        return bank

    def __len__(self) -> int:
        return len(self.pool) if self.choice is None else len(self.choice.indices)

    def __getitem__(self, index: int) -> Style:
        """Decode style `index`.

        Raises:
            CropError: the crop cannot be used (only possible in a pool that was not scanned, or
                that changed since).
        """
        if not 0 <= index < len(self):
            raise IndexError(f"Style {index} was asked for; the bank holds {len(self)}.")
        style = self._remembered.get(index)
        if style is None:
            crop = index if self.choice is None else int(self.choice.indices[index])
            style = self.prepare(self.pool.decode(crop), self.pool.name(crop))
            self._remembered[index] = style
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        else:
            self._remembered.move_to_end(index)
        return style

    def draw(self, rng: np.random.Generator) -> int:
        """Draw the number of a style."""
        if self.choice is None:
            return int(rng.integers(len(self)))
        ends = self.choice.ends
        return int(np.searchsorted(ends, rng.integers(ends[-1]), side="right"))

    def prepare(self, image: np.ndarray, name: str = "image") -> Style:
        """Turn any RGB picture, uint8 (H, W, 3), into a style.

        Raises:
            CropError: the picture cannot lend a style.
        """
        prepared = self._prepare(image, name)
        return Style(name, prepared, sharpness(prepared))

    def _check(self, indices: range | list[int], tally: Tally) -> Iterator[tuple[int, np.ndarray]]:
        for index in indices:
            name = self.pool.name(index)
            try:
                image = self._prepare(self.pool.decode(index), name)
            except CropError as error:
                tally.add(error.reason, name)
            else:
                yield index, image

    def _prepare(self, image: np.ndarray, name: str) -> np.ndarray:
        height, width = image.shape[:2]
        if width < self._config.min_aspect * height:
            raise CropError(
                f"Crop {name} is {width} x {height} px: taller than a text line.", "taller than wide"
            )
        resized = resize_to_height(image, self._height, _WIDTH_STEP_PX)
        if _spread(resized) < self._config.min_contrast:
            raise CropError(
                f"Crop {name} has no visible text: its contrast is too low.", "too little contrast"
            )
        surplus = resized.shape[1] - self._config.max_width_px // Generator.stride * Generator.stride
        if surplus > 0:
            resized = resized[:, surplus // 2 : resized.shape[1] - (surplus - surplus // 2)]
        return np.ascontiguousarray(resized)


def _spread(image: np.ndarray) -> int:
    """Return the distance from the 5th to the 95th percentile of the channel where it is greatest."""
    channels = image.reshape(-1, 3).T
    ranks = [round(share * (channels.shape[1] - 1)) for share in (0.05, 0.95)]
    low, high = np.partition(channels, ranks, axis=1)[:, ranks].T
    return int((high.astype(int) - low).max())
