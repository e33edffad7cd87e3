"""What a process needs that makes shards, and what it gives back if it has other work as well."""

import os
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


class _ThreadsOfOpenCV:
    """Ends OpenCV's threads before a fork, and allows as many again on both sides.

    A fork has no threads but its own. Told to compute with one, OpenCV waits there for the others to end, for
    ever: so did the workers of a `DataLoader` wherever their parent had worked on a picture of some size.
    """

    def __init__(self) -> None:
        self._count = 1

    def end(self) -> None:
        self._count = cv2.getNumThreads()
        cv2.setNumThreads(1)

    def allow(self) -> None:
        cv2.setNumThreads(self._count)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    _threads = _ThreadsOfOpenCV()
    os.register_at_fork(before=_threads.end, after_in_parent=_threads.allow, after_in_child=_threads.allow)


def settle() -> None:
    """Make a process that is ours alone, a worker or a command, faster; call it before the first word.

    Its settings cannot be taken back: whoever calls `generate` from a program of their own keeps theirs.
    """
    keep_freed_memory()
    keep_few_kernels()
