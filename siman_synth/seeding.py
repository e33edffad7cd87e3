"""Random numbers as a pure function of names, never of history.

No global generator is read or written anywhere in the package: whoever needs
randomness receives a generator that was derived here.
"""

import hashlib
from functools import lru_cache

import numpy as np

from siman_synth.errors import ConfigError

_SEED_BYTES = 16
"""A seed sequence keeps smaller seeds apart from their spawn keys; what is beyond becomes a key."""
_STRING = (0).to_bytes(4, "little")
"""Begins the words of a string, where those of an integer begin with their number, at least 1."""


def sample_rng(seed: int, *keys: int | str) -> np.random.Generator:
    """Return the generator that belongs to `(seed, *keys)`.

    Integer keys (an index, an attempt) and string keys (a purpose such as
    "layout") may be mixed. The same arguments give the same stream on every
    machine, in any process, in any order of calls; different arguments give
    different streams.

    Raises:
        ConfigError: the seed or an integer key is negative.
    """
    high, low = divmod(_not_negative(seed), 1 << 8 * _SEED_BYTES)
    # What SeedSequence(low, spawn_key=…) would put together itself, number by number and slower.
    words = b"".join([low.to_bytes(_SEED_BYTES, "little"), _words(high), *map(_words, keys)])
    entropy = np.frombuffer(words, "<u4").astype(np.uint32, copy=False)
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(entropy)))


def derived_seed(seed: int, *keys: int | str) -> int:
    """Return a 63-bit integer seed that belongs to `(seed, *keys)`, for other libraries."""
    return int(sample_rng(seed, *keys).integers(0, 2**63 - 1))


def uniform(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw between two limits, to four decimals: a plan is short as JSON and still replays exactly."""
    return round(float(rng.uniform(*limits)), 4)


def _words(key: int | str) -> bytes:
    """Return a key as 32-bit words that say where they end: no two lists of keys are the same words."""
    if isinstance(key, str):
        return _of_string(key)
    number = _not_negative(key)
    count = max(1, -(-number.bit_length() // 32))
    return count.to_bytes(4, "little") + number.to_bytes(4 * count, "little")


def _not_negative(key: int) -> int:
    if key < 0:
        raise ConfigError(f"Seeds and keys must not be negative, found {key}.")
    return int(key)


@lru_cache(maxsize=256)
def _of_string(name: str) -> bytes:
    return _STRING + hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
