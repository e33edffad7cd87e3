"""Random numbers as a pure function of names, never of history.

No global generator is read or written anywhere in the package: whoever needs
randomness receives a generator that was derived here.
"""

import hashlib
from functools import lru_cache

import numpy as np

_SEED_LIMIT = 1 << 128
"""A seed sequence keeps smaller seeds apart from their spawn keys; what is beyond becomes a key."""
_WORD = (1 << 32) - 1
_STRING = 0
"""Begins the words of a string, where those of an integer begin with their number, at least 1."""


def sample_rng(seed: int, *keys: int | str) -> np.random.Generator:
    """Return the generator that belongs to `(seed, *keys)`.

    Integer keys (an index, an attempt) and string keys (a purpose such as
    "layout") may be mixed. The same arguments give the same stream on every
    machine, in any process, in any order of calls; different arguments give
    different streams.

    Raises:
        ValueError: the seed or an integer key is negative.
    """
    high, low = divmod(_not_negative(seed), _SEED_LIMIT)
    spawn_key = (*_words(high), *(word for key in keys for word in _words(key)))
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(low, spawn_key=spawn_key)))


def derived_seed(seed: int, *keys: int | str) -> int:
    """Return a 63-bit integer seed that belongs to `(seed, *keys)`, for other libraries."""
    return int(sample_rng(seed, *keys).integers(0, 2**63 - 1))


def uniform(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw between two limits, to four decimals: a plan is short as JSON and still replays exactly."""
    return round(float(rng.uniform(*limits)), 4)


def _words(key: int | str) -> tuple[int, ...]:
    """Return a key as 32-bit words that say where they end: no two lists of keys are the same words."""
    if isinstance(key, str):
        return (_STRING, *_hash(key))
    number = _not_negative(key)
    words = [number & _WORD]
    while number := number >> 32:
        words.append(number & _WORD)
    return (len(words), *words)


def _not_negative(key: int) -> int:
    if key < 0:
        raise ValueError(f"Seeds and keys must not be negative, found {key}.")
    return int(key)


@lru_cache(maxsize=256)
def _hash(name: str) -> tuple[int, ...]:
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return tuple(int.from_bytes(digest[start : start + 4], "little") for start in range(0, 32, 4))
