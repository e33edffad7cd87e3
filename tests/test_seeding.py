"""Every list of names has a random stream of its own."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.seeding import derived_seed, sample_rng

NUMBERS = st.one_of(st.integers(0, 3), st.integers(0, 2**33), st.integers(0, 2**200))
KEYS = st.lists(st.one_of(NUMBERS, st.text(max_size=3)), max_size=4).map(tuple)


def stream(seed: int, *keys: int | str) -> bytes:
    return sample_rng(seed, *keys).bytes(16)


@given(NUMBERS, KEYS, NUMBERS, KEYS)
def test_distinct_names_have_distinct_streams(
    seed: int, keys: tuple[int | str, ...], other_seed: int, other_keys: tuple[int | str, ...]
) -> None:
    equal = (seed, keys) == (other_seed, other_keys)
    assert (stream(seed, *keys) == stream(other_seed, *other_keys)) == equal


def words_of(key: int | str) -> list[int]:
    if isinstance(key, str):
        data = hashlib.sha256(key.encode()).digest()
        return [0, *(int.from_bytes(data[start : start + 4], "little") for start in range(0, 32, 4))]
    words = [key >> shift & 0xFFFFFFFF for shift in range(0, max(key.bit_length(), 1), 32)]
    return [len(words), *words]


@given(NUMBERS, KEYS)
def test_a_stream_is_that_of_a_seed_and_its_spawn_keys(seed: int, keys: tuple[int | str, ...]) -> None:
    low, high = seed % 2**128, seed >> 128
    spawn_key = [word for key in (high, *keys) for word in words_of(key)]
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(low, spawn_key=spawn_key)))
    assert stream(seed, *keys) == expected.bytes(16)


def hash_of(name: str, size: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:size], "little")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((0, "a", 1), (0, hash_of("a", 8), 1)),
        ((0, "a", 1), (0, hash_of("a", 32), 1)),
        ((0, 1), (0, 1, 0)),
        ((0,), (0, 0)),
        ((5,), (5, 0)),
        ((0, 2**32 + 5), (0, 5, 1)),
        ((2**32,), (0, 1)),
        ((2**128,), (0, 1)),
        ((2**128 + 7,), (7, 1)),
        ((0, "ab"), (0, "a", "b")),
        ((0, "1"), (0, 1)),
    ],
)
def test_names_that_were_taken_for_each_other(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert stream(*one) != stream(*other)


def test_numbers_of_numpy_are_numbers() -> None:
    assert stream(3, 7) == stream(np.int64(3), np.uint32(7))  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [(-1,), (0, -1), (0, "a", -(2**70))])
def test_negative_names_are_refused(names: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^Seeds and keys must not be negative, found -\d+\.$"):
        sample_rng(*names)


def test_a_stream_stays_what_it_is() -> None:
    """Guards against a change that nobody meant: it would give every data set other words."""
    assert sample_rng(7, "text", 3, 1).integers(0, 1000, 4).tolist() == [180, 91, 324, 489]
    assert 0 <= derived_seed(7, "a") < 2**63
