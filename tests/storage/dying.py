"""Tasks that end the process that runs them, or nearly; importable there by name."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

from siman_synth.errors import DatasetError
from siman_synth.storage.apart import NotePlace


def dies_of(note_place: NotePlace, dataset: Path, number: int) -> None:
    note_place(b"image-000000007")
    os.kill(os.getpid(), number)


def reads_nowhere(note_place: NotePlace, dataset: Path) -> None:
    ctypes.string_at(0)


def aborts_in_c(note_place: NotePlace, dataset: Path) -> None:
    note_place(b"\xff\x1b[2J")
    os.abort()


def leaves(note_place: NotePlace, dataset: Path, status: int) -> None:
    os._exit(status)


def chatters(note_place: NotePlace, dataset: Path) -> str:
    os.write(1, b"libpng warning")
    print("more", flush=True)
    sys.stderr.write("still more")
    return f"{dataset.name}, {sys.path == list(sys.path)}"


def raises(note_place: NotePlace, dataset: Path, bug: bool) -> None:
    raise ZeroDivisionError("a bug") if bug else DatasetError("No \udce9.")


def waits(note_place: NotePlace, dataset: Path, pid_file: Path) -> None:
    pid_file.with_suffix(".partial").write_text(str(os.getpid()))
    pid_file.with_suffix(".partial").rename(pid_file)
    time.sleep(3600)


def limits(note_place: NotePlace, dataset: Path) -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_CORE)


SIGNALS = [signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGKILL]
