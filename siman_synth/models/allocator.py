"""Memory of the process: what is freed is kept, and kernels are not hoarded."""

import ctypes
import os

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGEST_KEPT_BYTES = 32 << 20  # glibc's upper limit
_KEPT_BYTES = 1 << 30


def keep_freed_memory() -> None:
    """Have glibc keep up to 1 GiB of freed memory instead of returning it to the system.

    A step on a CPU frees all that it allocated, and the next one allocates the same again.
    Fetching that memory anew, page by page, takes 6 % of a training step and 10 % of painting
    words. Where the C library is not glibc nothing changes.
    """
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    except (OSError, AttributeError):
        pass


def keep_few_kernels() -> None:
    """Have oneDNN remember 256 compiled convolutions instead of 1024, unless told otherwise.

    Words come in hundreds of shapes, each with kernels of its own: a thousand take 100 MB, and
    compiling them anew takes little. Call it before the first convolution.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
