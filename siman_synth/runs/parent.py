"""A worker that ends with the process that leads it.

A leader that is killed cannot tell its workers, and they would go on making what they were given,
beside those of the resumed run. Only the standard library is imported here: this runs before
anything heavy is.
"""

import ctypes
import os
import signal
import sys
import threading
import time

_LOOK_S = 0.2
_PR_SET_PDEATHSIG = 1


def end_with(leader: int) -> None:
    """Let this process end when the process `leader`, which started it, has ended; or at once if it has."""
    if sys.platform == "linux":
        _ask_the_kernel()
    if os.getppid() != leader:
        os._exit(1)
    threading.Thread(target=_watch, args=(leader,), daemon=True).start()


def end_with_parent_process() -> None:
    """Let this process end when the one that started it with multiprocessing has ended.

    A `DataLoader` does not see to it: a worker that has more to send than a pipe holds waits for ever for
    a reader that is gone. The kernel is not asked: it would end a worker with the thread that started it.
    """
    import multiprocessing  # takes longer than all else here

    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for, args=(parent.sentinel,), daemon=True).start()


def _ask_the_kernel() -> None:
    """Have the kernel end this process: a thread cannot while a library holds the interpreter."""
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    except (OSError, AttributeError):  # a C library of another kind; the thread is enough
        return


def _watch(leader: int) -> None:
    while os.getppid() == leader:
        time.sleep(_LOOK_S)
    os._exit(1)


def _wait_for(sentinel: int) -> None:
    from multiprocessing.connection import wait

    wait([sentinel])
    os._exit(1)
