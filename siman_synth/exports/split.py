"""Which sample goes where: training, validation, or nowhere."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from siman_synth.errors import ConfigError
from siman_synth.seeding import sample_rng

LEFT_OUT, TRAIN, VALIDATION = 0, 1, 2
_LOOK_AT = 1 << 17


@dataclass(frozen=True, slots=True)
class SplitSettings:
    """How much goes to validation, and whether words may be on both sides."""

    validation: float = 0.0
    """A share below 1, or a count."""
    separate_words: bool = False
    """Put all samples of a word, whatever its case, on one side."""
    seed: int = 0

    def __post_init__(self) -> None:
        # A number that is not finite is neither: NaN is not below 1, and no whole number is infinite.
        if not (0 <= self.validation < 1 or float(self.validation).is_integer()) or self.validation < 0:
            raise ConfigError(
                f"The validation set must be a share below 1 or a whole number, found {self.validation:g}."
            )

    def wanted(self, total: int) -> int:
        """Return how many of `total` samples are wanted for validation.

        Raises:
            ConfigError: nothing would be left for training.
        """
        count = round(self.validation * total) if self.validation < 1 else int(self.validation)
        if count and count >= total:
            raise ConfigError(f"{count} samples for validation leave none of {total} to train on.")
        return count


def word_hash(label: str) -> int:
    """Return 64 bits of a hash of a label, whatever its case."""
    return int.from_bytes(hashlib.blake2b(label.casefold().encode("utf-8"), digest_size=8).digest(), "little")


class Members:
    """The samples of one split, in their order: a byte for each sample of the source says where it goes."""

    def __init__(self, where: npt.NDArray[np.uint8], split: int) -> None:
        self._where = where
        self._split = split
        self._count = int(np.count_nonzero(where == split))

    def __len__(self) -> int:
        return self._count

    def parts(self, size: int) -> Iterator[npt.NDArray[np.int64]]:
        """Yield indices into the source, so many at once; the last part may be smaller."""
        held = np.empty(0, np.int64)
        for start in range(0, len(self._where), _LOOK_AT):
            found = np.flatnonzero(self._where[start : start + _LOOK_AT] == self._split) + start
            held = np.concatenate([held, found])
            while len(held) >= size:
                yield held[:size]
                held = held[size:]
        if len(held):
            yield held


def split(count: int, words: npt.NDArray[np.uint64] | None, settings: SplitSettings) -> npt.NDArray[np.bool_]:
    """Return which of `count` samples are for validation, drawn at random.

    With `separate_words`, whole words are drawn until adding the next would exceed the wanted number, so
    there may be fewer; `words` then holds a hash of each sample's label, and is not needed otherwise.
    """
    wanted = settings.wanted(count)
    chosen = np.zeros(count, np.bool_)
    if not wanted:
        return chosen
    rng = sample_rng(settings.seed, "export", "split")
    if words is None:
        chosen[rng.permutation(count)[:wanted]] = True
        return chosen
    # As np.unique would, in two thirds of its memory: samples by word, and how many each word has.
    by_word = np.argsort(words)
    counts = _lengths_of_runs(words[by_word])
    # A word that is too frequent to fit is passed over; rarer ones after it still go in.
    room, picked = wanted, np.zeros(len(counts), np.bool_)
    for number in rng.permutation(len(counts)):
        if counts[number] <= room:
            picked[number] = True
            room -= int(counts[number])
            if not room:
                break
    chosen[by_word] = np.repeat(picked, counts)
    return chosen


def _lengths_of_runs(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return how often each value stands in sorted values."""
    ends = np.flatnonzero(values[1:] != values[:-1]) + 1
    return np.diff(ends, prepend=0, append=len(values))
