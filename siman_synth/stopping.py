"""Stopping on request: Ctrl-C (SIGINT), and the SIGTERM that batch systems send before they kill.

A handler that raises is swallowed where the signal falls into a finaliser, a `__del__`, a callback
or an extension, and elsewhere it tears apart what was being written. So the handler here does one
of two things:

- In a program that called `end_at_once`, it says the last words and ends the process on the spot.
  That is right wherever nothing is half done: imports, opening inputs, measuring.
- Inside `stops_at_checks`, around whatever writes, it sets a flag, and `check` raises `Stopped` at
  points where stopping loses nothing. A second signal does not wait for such a point.

Signals reach the main thread alone, and a program that set handlers of its own keeps them: both
are then without effect.
"""

import atexit
import contextlib
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future

STOPPED_STATUS = 130
"""Exit status of a command that was stopped, by either signal."""

_LOOK_S = 0.1
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_REPLACED = (signal.SIG_DFL, signal.default_int_handler)

Item = TypeVar("Item")


class Stopped(KeyboardInterrupt):
    """A signal asked for the end, and this is a point where ending loses nothing."""


class _Requests:
    """What signals did so far to this process. No dataclass: importing these takes 20 ms of deafness."""

    def __init__(self) -> None:
        # The process that hears them; one that was forked from it has its own life.
        self.owner = 0
        # The signal that came, 0 if none did, and whether `requested` has told somebody of it.
        self.number = 0
        self.answered = False
        # How many `stops_at_checks` are open, and whether signals end the process outside of these.
        self.blocks = 0
        self.at_once = False
        self.status = STOPPED_STATUS
        self.words: Callable[[], str] | None = lambda: "Stopped."


_requests = _Requests()


def check() -> None:
    """Raise if a signal asked for the end. Cheap; without a `stops_at_checks` it does nothing.

    Raises:
        Stopped: a signal came.
    """
    if _requests.number and _requests.owner == os.getpid():
        raise Stopped(signal.Signals(_requests.number).name)


def get(queue: "SimpleQueue[Item]", timeout_s: float = math.inf) -> Item:
    """Return what comes next in a queue; waiting for it is one long check.

    Raises:
        Stopped: a signal came.
        Empty: nothing came within `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        check()
        try:
            item = queue.get(timeout=max(0.0, min(_LOOK_S, deadline - time.monotonic())))
        except Empty:
            if time.monotonic() >= deadline:
                raise
        else:
            check()  # what ended there may have ended of the same signal
            return item


def result(future: "Future[Item]") -> Item:
    """Return what a future returns; waiting for it is one long check.

    Raises:
        Stopped: a signal came.
        Exception: whatever the future raises.
    """
    landed: SimpleQueue[Future[Item]] = SimpleQueue()
    future.add_done_callback(landed.put)
    return get(landed).result()


def requested() -> bool:
    """Return whether a signal asked for the end, for a caller who ends in his own way when told so."""
    if not _requests.number or _requests.owner != os.getpid():
        return False
    _requests.answered = True
    return True


@contextmanager
def stops_at_checks() -> Iterator[None]:
    """Let the first signal wait for `check` (or `requested`), for as long as the block lasts.

    Blocks may be nested, and it also serves as a decorator. A request that nobody answered, because
    the work was done before the next check, takes effect when the outermost one is left.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = _install() if not _requests.at_once and _requests.blocks == 0 else {}
    _requests.blocks += 1
    late = 0
    try:
        yield
        late = 0 if _requests.answered or _requests.blocks > 1 else _requests.number
    finally:
        _requests.blocks -= 1
        if previous:
            _restore(previous)
            _requests.number, _requests.answered = 0, False
        if late:
            signal.raise_signal(late)


@contextmanager
def blocked() -> Iterator[None]:
    """Let signals wait for the end of the block. Threads and processes that start in it never hear them.

    A terminal sends Ctrl-C, and a batch system SIGTERM, to every process of a group, and a worker that
    is still being started would die of it: ending workers is the task of the process that leads them.
    Multiprocessing ends the blocking when it starts its resource tracker, so start that before.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_at_once() -> None:
    """Let signals end this process from now on, but for blocks of `stops_at_checks`: for programs."""
    if threading.current_thread() is threading.main_thread():
        _install()
        _requests.at_once = True
        # Registered first, so called last. Python then gives its signals back to the system, and one
        # that came in its last milliseconds would make a failure of work that was done.
        atexit.register(_hear_no_more)


def last_words(words: Callable[[], str]) -> None:
    """Say what a stopped program tells its user: one sentence, made when it is needed."""
    _requests.words = words


def say_last_words() -> None:
    """Write them to stderr, once. With os.write: a handler may have interrupted a print."""
    words, _requests.words = _requests.words, None
    if words is not None:
        text = f"\n{words()}\n".encode(getattr(sys.stderr, "encoding", None) or "utf-8", "backslashreplace")
        with contextlib.suppress(OSError):
            os.write(2, text)


def ended(status: int) -> None:
    """Say that the work is over: a signal that comes still only hurries the end, with this status."""
    _requests.blocks, _requests.status, _requests.words = 0, status, None


def _handle(number: int, _frame: FrameType | None) -> None:
    if os.getpid() != _requests.owner:  # forked, and nothing in there looks at the flag
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)
        return
    first = not _requests.number
    _requests.number = number
    if first and _requests.blocks:
        return
    if _requests.at_once:
        say_last_words()
        os._exit(_requests.status)
    raise Stopped(signal.Signals(number).name)


def _hear_no_more() -> None:
    for number in _SIGNALS:
        if signal.getsignal(number) is _handle:
            signal.signal(number, signal.SIG_IGN)


def _install() -> dict[signal.Signals, object]:
    """Replace Python's own handlers; whoever set another one, or "ignore", means it."""
    _requests.owner = os.getpid()
    previous: dict[signal.Signals, object] = {}
    for number in _SIGNALS:
        if signal.getsignal(number) in _REPLACED:
            previous[number] = signal.signal(number, _handle)
    return previous


def _restore(previous: dict[signal.Signals, object]) -> None:
    for number, handler in previous.items():
        signal.signal(number, handler)  # type: ignore[arg-type]
