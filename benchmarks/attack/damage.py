"""Ways in which a file is damaged, each drawn from a generator."""

import numpy as np

Bytes = bytes


def damaged(data: Bytes, rng: np.random.Generator) -> tuple[str, Bytes]:
    """Return what was done, and the damaged bytes; never the bytes as they were."""
    names = list(_WAYS)
    while True:
        name = names[int(rng.integers(len(names)))]
        found = _WAYS[name](data, rng)
        if found != data:
            return name, found


def _truncated(data: Bytes, rng: np.random.Generator) -> Bytes:
    return data[: int(rng.integers(0, max(1, len(data))))]


def _zeroed(data: Bytes, rng: np.random.Generator) -> Bytes:
    return _replaced(data, rng, lambda length: bytes(length))


def _noised(data: Bytes, rng: np.random.Generator) -> Bytes:
    return _replaced(data, rng, lambda length: rng.bytes(length))


def _flipped(data: Bytes, rng: np.random.Generator) -> Bytes:
    changed = bytearray(data)
    for position in rng.integers(0, max(1, len(data)), int(rng.integers(1, 64))):
        if len(changed):
            changed[int(position)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _head_flipped(data: Bytes, rng: np.random.Generator) -> Bytes:
    # Most that a reader trusts stands at the beginning.
    head, rest = data[:512], data[512:]
    return _flipped(head, rng) + rest


def _number_replaced(data: Bytes, rng: np.random.Generator) -> Bytes:
    extreme = (b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\x00\x00\x00")
    position = 4 * int(rng.integers(0, max(1, min(len(data), 4096) // 4)))
    return data[:position] + extreme[int(rng.integers(len(extreme)))] + data[position + 4 :]


def _inserted(data: Bytes, rng: np.random.Generator) -> Bytes:
    position = int(rng.integers(0, len(data) + 1))
    return data[:position] + rng.bytes(int(rng.integers(1, 300))) + data[position:]


def _removed(data: Bytes, rng: np.random.Generator) -> Bytes:
    start = int(rng.integers(0, max(1, len(data))))
    return data[:start] + data[start + int(rng.integers(1, 300)) :]


def _swapped(data: Bytes, rng: np.random.Generator) -> Bytes:
    size = 4096 if len(data) > 3 * 4096 else max(1, len(data) // 4)
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    if len(blocks) < 2:
        return data
    first, second = rng.choice(len(blocks), 2, replace=False)
    blocks[first], blocks[second] = blocks[second], blocks[first]
    return b"".join(blocks)


def _replaced(data: Bytes, rng: np.random.Generator, content) -> Bytes:  # type: ignore[no-untyped-def]
    if not data:
        return data
    length = int(min(len(data), rng.choice([1, 16, 512, 4096, 16384])))
    start = int(rng.integers(0, len(data) - length + 1))
    return data[:start] + content(length) + data[start + length :]


_WAYS = {
    "truncated": _truncated,
    "zeroed": _zeroed,
    "noise": _noised,
    "bits flipped": _flipped,
    "bits of the head flipped": _head_flipped,
    "a number replaced": _number_replaced,
    "bytes inserted": _inserted,
    "bytes removed": _removed,
    "blocks swapped": _swapped,
}
