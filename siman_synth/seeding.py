"""Random numbers as a pure function of names, never of history.

No global generator is read or written anywhere in the package: whoever needs
randomness receives a generator that was derived here.
"""

import hashlib
from functools import lru_cache

import numpy as np


def sample_rng(seed: int, *keys: int | str) -> np.random.Generator:
    """Return the generator that belongs to `(seed, *keys)`.

    Integer keys (an index, an attempt) and string keys (a purpose such as
    "layout") may be mixed. The same arguments give the same stream on every
    machine, in any process, in any order of calls.
    """
    return np.random.default_rng([_word(seed), *(_word(key) for key in keys)])


def derived_seed(seed: int, *keys: int | str) -> int:
    """Return a 63-bit integer seed that belongs to `(seed, *keys)`, for other libraries."""
    return int(sample_rng(seed, *keys).integers(0, 2**63 - 1))


def uniform(rng: np.random.Generator, limits: tuple[float, float]) -> float:
    """Draw between two limits, to four decimals: a plan is short as JSON and still replays exactly."""
    return round(float(rng.uniform(*limits)), 4)


def _word(key: int | str) -> int:
    if isinstance(key, str):
        return _hash(key)
    if key < 0:
        raise ValueError(f"Seeds and keys must not be negative, found {key}.")
    return int(key)


@lru_cache(maxsize=256)
def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little")
