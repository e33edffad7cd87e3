"""A worker process on this machine: it reads from a pipe what to do, and answers with what it made.

Its leader is `runs/workers.py`. The first thing it does is to watch that leader; only then are
the libraries loaded that take seconds.
"""

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO

from siman_synth.runs.parent import end_with


def work(leader: int) -> None:
    """Carry out what the process `leader` orders until it closes the pipe."""
    end_with(leader)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; ending workers is the leader's task
    orders, answers = _own_pipes()
    try:
        make = pickle.load(orders)
        while True:
            order = pickle.load(orders)
            pickle.dump(_answer(make, order), answers)
            answers.flush()
    except (EOFError, BrokenPipeError):  # the leader needs no more, or has ended
        os._exit(0)


def _answer(make: Callable[[object], object], order: object) -> object:
    """Return what was made, or the error: raised, it would end the worker."""
    try:
        return make(order)
    except Exception as error:
        return _portable(error)


def _portable(error: Exception) -> Exception:
    """Return an error that says in the other process where it happened in this one."""
    told = traceback.format_exc()
    error.add_note(f"In a worker:\n{told}")
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(told)
    return error


def _own_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take over stdin and stdout, so that no library reads or writes there."""
    orders, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return orders, answers
