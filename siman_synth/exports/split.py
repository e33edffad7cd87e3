"""Which sample goes where: training, validation, or nowhere."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from siman_synth.errors import ConfigError
from siman_synth.seeding import sample_rng

LEFT_OUT, TRAIN, VALIDATION = 0, 1, 2


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


def split(words: npt.NDArray[np.uint64], settings: SplitSettings) -> npt.NDArray[np.bool_]:
    """Return which samples are for validation, drawn at random; `words` holds a hash of each one's label.

    With `separate_words`, whole words are drawn until adding the next would exceed the wanted number, so
    there may be fewer.
    """
    wanted = settings.wanted(len(words))
    chosen = np.zeros(len(words), np.bool_)
    rng = sample_rng(settings.seed, "export", "split")
    if not settings.separate_words:
        chosen[rng.permutation(len(words))[:wanted]] = True
        return chosen
    different, inverse, counts = np.unique(words, return_inverse=True, return_counts=True)
    order = rng.permutation(len(different))
    # A word that is too frequent to fit is passed over; rarer ones after it still go in.
    room, picked = wanted, np.zeros(len(different), np.bool_)
    for number in order.tolist():
        if counts[number] <= room:
            picked[number] = True
            room -= int(counts[number])
            if not room:
                break
    chosen[:] = picked[inverse]
    return chosen
