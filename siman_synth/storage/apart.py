"""Work in a process of its own, because what it reads may end the process that reads it.

A damaged file can do that in LMDB and in every decoder of images: an abort, a bus error, all the
memory there is. Then the process that asked lives, and can say at which key it happened.
"""

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from siman_synth import stopping
from siman_synth.errors import DatasetError, SimanError

Found = TypeVar("Found")
NotePlace = Callable[[bytes], None]

_PLACE_BYTES = 64
# The path first of all: the child must import the package that its parent runs.
_START = "import sys, pickle; sys.path[:] = pickle.load(sys.stdin.buffer); "
_START += "from siman_synth.storage.apart import answer; answer()"


def run_apart(task: Callable[..., Found], dataset: Path, *arguments: Any) -> Found:
    """Return `task(note_place, dataset, *arguments)`, computed by a process that may die of it.

    The task calls `note_place(key)` before it looks at what is stored under a key. It, its arguments
    and its result are pickled.

    Raises:
        DatasetError: the process died; the message says how, and at which key.
        Exception: whatever the task raised.
    """
    with stopping.stops_at_checks(), tempfile.TemporaryDirectory(prefix="siman-synth-") as folder:
        place = Path(folder, "place")
        place.touch()
        process = subprocess.Popen(
            [sys.executable, "-c", _START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries that crash say so at length
        )
        with ThreadPoolExecutor(1) as thread:
            try:
                question = thread.submit(_ask, process, (sys.path, (task, place, dataset, arguments)))
                answer = stopping.result(question)
            finally:
                process.kill()
                process.communicate()
        if answer is None:
            raise _death(dataset, process.returncode, place.read_bytes())
    worked, value = answer
    if not worked:
        raise value
    return cast(Found, value)


def answer() -> NoReturn:
    """Do what the parent asks on standard input; the process ends with it."""
    _die_quietly()
    # The answer gets a pipe of its own: libraries print to standard output as they please.
    with os.fdopen(os.dup(1), "wb") as pipe:
        os.dup2(2, 1)
        task, place, dataset, arguments = pickle.load(sys.stdin.buffer)
        threading.Thread(target=_end_with_parent, daemon=True).start()
        with place.open("r+b", buffering=0) as noted:

            def note_place(key: bytes) -> None:
                noted.seek(0)
                noted.write(key[:_PLACE_BYTES].ljust(_PLACE_BYTES))

            try:
                result = True, task(note_place, dataset, *arguments)
            except Exception as error:
                if not isinstance(error, SimanError):  # a bug, which its traceback helps to find
                    error.add_note(traceback.format_exc())
                result = False, error
        pickle.dump(result, pipe)
    os._exit(0)


def _ask(process: "subprocess.Popen[bytes]", questions: tuple[Any, ...]) -> tuple[bool, Any] | None:
    """Return whether the task worked, and its result or error; None if the process died of it."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for question in questions:
            process.stdin.write(pickle.dumps(question))
        process.stdin.flush()
        # Left open: the child ends when it closes, which it does when this process ends.
        return cast(tuple[bool, Any], pickle.load(process.stdout))
    except (BrokenPipeError, EOFError, pickle.UnpicklingError):
        process.wait()
        return None


def _death(dataset: Path, status: int, place: bytes) -> DatasetError:
    how = f"exit status {status}"
    if status < 0:
        how = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
    where = f" at '{place.strip().decode('utf-8', 'replace')}'" if place.strip() else ""
    cause = "there was too little memory for it" if how == "SIGKILL" else "it is damaged"
    return DatasetError(
        f"{dataset} cannot be read: the process that read it died of {how}{where}, probably because {cause}. "
        "Copy it again from its source, or generate it again."
    )


def _die_quietly() -> None:
    """Leave no core dump."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)
