"""What a process needs that makes shards, and what it gives back if it has other work as well."""

from collections.abc import Iterator
from contextlib import contextmanager

import cv2
import torch

from siman_synth.models.allocator import keep_few_kernels, keep_freed_memory


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, and give the others back in the end.

    Other workers use the other cores, and thread counts may decide last bits.
    """
    threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        cv2.setNumThreads(cv_threads)


def settle() -> None:
    """Make a process that is ours alone, a worker or a command, faster; call it before the first word.

    Its settings cannot be taken back: whoever calls `generate` from a program of their own keeps theirs.
    """
    keep_freed_memory()
    keep_few_kernels()
