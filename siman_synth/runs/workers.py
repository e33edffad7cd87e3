"""Worker processes on this machine: each carries out one order after the other, and none is left behind.

Not through joblib's loky: when it is stopped, its manager thread can die of an exception of its own,
and whenever its leader ends suddenly, a helper process tells the user's terminal of named semaphores
that were left. Pipes have neither names nor helpers: they end with the processes that hold them.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

from siman_synth import stopping

_CODE = "import sys; sys.path[:] = {path!r}; from siman_synth.runs.worker import work; work({leader})"
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
"""Read when these libraries are loaded."""

Order = TypeVar("Order")
Answer = TypeVar("Answer")


class WorkerDiedError(Exception):
    """A worker ended before it had made what it was asked for."""


class Workers(Generic[Order, Answer]):
    """A fixed number of worker processes; one that died is replaced when there is work for it.

    Args:
        count: how many.
        make: called in them with each order; it, orders and answers are pickled.
    """

    def __init__(self, count: int, make: Callable[[Order], Answer]) -> None:
        self._make = make
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def submit(self, order: Order) -> "Future[Answer]":
        """Have an order carried out; the future raises `WorkerDiedError`, or what the worker raised."""
        with stopping.blocked():  # in the thread, and in the process that it starts
            return self._threads.submit(self._carry_out, order)

    def close(self) -> None:
        """Kill the workers and wait until they are gone, whatever they are making."""
        with self._lock:
            self._closed = True
            for process in self._alive:
                process.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for process in self._alive:
            _bury(process)

    def _carry_out(self, order: Order) -> Answer:
        process = self._process()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            pickle.dump(order, process.stdin)
            process.stdin.flush()
            answer: Answer | Exception = pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self._forget(process)
            raise WorkerDiedError(f"A worker died of order {order}.") from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _process(self) -> "subprocess.Popen[bytes]":
        """Return the process of this thread, a new one if there is none."""
        found: subprocess.Popen[bytes] | None = getattr(self._mine, "process", None)
        if found is not None:
            return found
        with self._lock:
            if self._closed:
                raise WorkerDiedError("The workers are closed.")
            process = _start()
            self._alive.add(process)
        self._mine.process = process
        assert process.stdin is not None
        with suppress(OSError):  # it died at once; whoever reads the answer is told
            pickle.dump(self._make, process.stdin)
            process.stdin.flush()
        return process

    def _forget(self, process: "subprocess.Popen[bytes]") -> None:
        self._mine.process = None
        with self._lock:
            self._alive.discard(process)
        process.kill()
        _bury(process)


@contextmanager
def workers(count: int, make: Callable[[Order], Answer]) -> Iterator[Workers[Order, Answer]]:
    """Yield worker processes, and leave none behind, however the block ends."""
    started = Workers(count, make)
    try:
        yield started
    finally:
        started.close()


def _start() -> "subprocess.Popen[bytes]":
    code = _CODE.format(path=[str(path) for path in sys.path], leader=os.getpid())
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | _ONE_THREAD,
    )


def _bury(process: "subprocess.Popen[bytes]") -> None:
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was still to be sent
                pipe.close()
