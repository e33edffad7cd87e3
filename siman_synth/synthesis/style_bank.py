"""The crops that lend their style: checked, resized, indexed, not loaded."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from siman_synth.crops.pool import CropPool, none_usable_error
from siman_synth.errors import CropError
from siman_synth.several import Names
from siman_synth.synthesis.balance import look, weights
from siman_synth.synthesis.config import StyleConfig
from siman_synth.synthesis.style import Style, prepare_style
from siman_synth.tally import Tally

_PROBES = 200
_MOST_REMEMBERED = 1024
"""About 10 KB each."""


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
        looks: (N, 97), how the usable crops look (`balance.look`), if they were looked at.
    """

    def __init__(
        self,
        pool: CropPool,
        config: StyleConfig,
        height_px: int,
        choice: Choice | None = None,
        skipped: Tally | None = None,
        looks: np.ndarray | None = None,
    ) -> None:
        self.pool = pool
        self.skipped = skipped or Tally()
        self._config = config
        self._height = height_px
        self.choice = choice
        self._looks = looks
        self._remembered: OrderedDict[int, Style] = OrderedDict()

    @classmethod
    def build(
        cls, pool: CropPool | Names, config: StyleConfig | None = None, height_px: int = 32
    ) -> "StyleBank":
        """Check a pool's crops and keep the usable ones; a path is opened as `CropPool.open` does.

        Pools above `config.scan_limit` are only probed: a bad crop is then counted when it is
        drawn.

        Raises:
            CropError: no crop is usable; the message counts the reasons.
        """
        config = config or StyleConfig()
        if not isinstance(pool, CropPool):
            pool = CropPool.open(pool)
        bank = cls(pool, config, height_px)
        tally = Tally()
        if len(pool) <= config.scan_limit:
            usable = [(index, look(image)) for index, image in bank._check(range(len(pool)), tally)]
            if not usable:
                raise none_usable_error(tally, pool.place)
            indices = np.array([index for index, _ in usable], np.int64)
            looks = np.stack([seen for _, seen in usable])
            ends = np.cumsum(weights(looks, config.balance))
            return cls(pool, config, height_px, Choice(indices, ends), tally, looks)
        probes = np.linspace(0, len(pool) - 1, _PROBES).astype(np.int64).tolist()
        if next(bank._check(probes, tally), None) is None:
            raise none_usable_error(tally, pool.place)
        return bank

    def balanced(self, balance: float) -> "StyleBank":
        """Return the same crops, drawn as another `style.balance` says; as before if none was looked at."""
        if self._looks is None or self.choice is None:
            return self
        choice = Choice(self.choice.indices, np.cumsum(weights(self._looks, balance)))
        return StyleBank(self.pool, self._config, self._height, choice, self.skipped, self._looks)

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
        return Style.from_image(image, name, self._height, self._config)

    def _check(self, indices: range | list[int], tally: Tally) -> Iterator[tuple[int, np.ndarray]]:
        for index in indices:
            name = self.pool.name(index)
            try:
                image = prepare_style(self.pool.decode(index), name, self._height, self._config)
            except CropError as error:
                tally.add(error.reason, name)
            else:
                yield index, image
