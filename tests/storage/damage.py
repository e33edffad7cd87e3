"""LMDBs damaged in the ways that discs, copies and other programs damage them."""

import numpy as np

PAGE = 4096
KINDS = 8


def damaged(good: bytes, kind: int, rng: np.random.Generator) -> bytes:
    """Return a copy of an LMDB's bytes with one kind of damage."""
    data = bytearray(good)
    page, other = rng.integers(0, len(good) // PAGE, 2).tolist()
    start, end = page * PAGE, (page + 1) * PAGE
    if kind == 0:  # some bytes of a page's head
        for _ in range(rng.integers(1, 6)):
            data[start + rng.integers(0, 64)] = rng.integers(256)
    elif kind == 1:  # bytes anywhere
        for _ in range(rng.integers(1, 30)):
            data[rng.integers(len(good))] = rng.integers(256)
    elif kind == 2:  # a page of zeros
        data[start:end] = bytes(PAGE)
    elif kind == 3:  # a page in another's place
        data[start:end] = good[other * PAGE : (other + 1) * PAGE]
    elif kind == 4:  # a page of noise
        data[start:end] = rng.bytes(PAGE)
    elif kind == 5:  # a node
        position = end - int(rng.integers(8, 300))
        data[position : position + 8] = rng.bytes(8)
    elif kind == 6:  # the head of the file
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(0, 2) * PAGE + rng.integers(10, 160)] = rng.integers(256)
    else:  # the end of the file
        del data[int(rng.integers(0, len(good))) :]
    return bytes(data)
