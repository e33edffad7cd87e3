"""Commands run in processes of their own, forked from one that has imported everything."""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE_S = 25.0
"""What takes longer counts as a hang."""
_PRELOADED = [
    "siman_synth.__main__",
    "siman_synth.cli",
    "siman_synth.runs.generate",
    "siman_synth.pretraining.run",
    "siman_synth.evaluation.pipeline",
    "siman_synth.storage.inspect",
    "siman_synth.storage.verify",
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended."""

    arguments: tuple[str, ...]
    status: int
    """Exit status; negative for a signal that killed the main process."""
    output: str
    seconds: float
    hung: bool
    left: int
    """Processes of its group that were still there after its end."""
    heard: bool
    """Whether it lived to set its handlers: before that, a signal's own default ends any program."""

    def fault(self, statuses: Sequence[int]) -> str | None:
        """Return what is wrong with this end, or None."""
        if self.hung:
            return "hang"
        if "Traceback (most recent call last)" in self.output or "Fatal Python error" in self.output:
            return "traceback"
        if self.status < 0:
            return "signal in the main process"
        if self.status not in statuses:
            return f"exit status {self.status}"
        if self.status == 1 and not self.output.strip():
            return "no word said"
        return "process left running" if self.left else None


class Running:
    """A command that runs, in a session and process group of its own."""

    _context = multiprocessing.get_context("forkserver")

    def __init__(self, arguments: Sequence[str], output: Path) -> None:
        self._context.set_forkserver_preload(_PRELOADED)
        self.arguments = tuple(arguments)
        self._output = output
        self._began = time.perf_counter()
        self._process = self._context.Process(target=_command, args=(self.arguments, str(output)))
        self._process.start()
        self.pid = self._process.pid or 0

    def signal(self, number: int, group: bool) -> None:
        """Send a signal to the main process, or to its whole group, as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)

    def wait(self, seconds: float) -> bool:
        """Wait; return whether it has ended."""
        self._process.join(seconds)
        return self._process.exitcode is not None

    def outcome(self, patience_s: float = PATIENCE_S) -> Outcome:
        """Wait for the end, and end what hangs."""
        hung = not self.wait(patience_s)
        seconds = time.perf_counter() - self._began
        left = 0 if hung else _left(self.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.join()
        output = self._output.read_text(encoding="utf-8", errors="replace") if self._output.exists() else ""
        self._output.unlink(missing_ok=True)
        heard = _heard(self._output).exists()
        _heard(self._output).unlink(missing_ok=True)
        return Outcome(self.arguments, self._process.exitcode or 0, output, seconds, hung, left, heard)


def run(arguments: Sequence[str], work: Path, patience_s: float = PATIENCE_S) -> Outcome:
    """Run `siman-synth ARGUMENTS` to its end."""
    return Running(arguments, work / "output.txt").outcome(patience_s)


def _command(arguments: Sequence[str], output: str) -> None:
    os.setsid()
    # A fork server passes on that it ignores Ctrl-C; a shell's command does not.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False)
    from siman_synth import stopping
    from siman_synth.__main__ import run as program

    stopping.end_at_once()  # the first thing that the program does, and here something can say that it did
    _heard(Path(output)).touch()
    sys.argv = ["siman-synth", *arguments]
    program()


def _heard(output: Path) -> Path:
    return output.with_suffix(".heard")


def _left(group: int) -> int:
    """Return how many processes of a group do not end by themselves within some seconds."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = _members(group)
        if not found:
            return 0
        time.sleep(0.05)
    return len(_members(group))


def _members(group: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            # After the command's name in brackets: state, parent, group.
            state, _, its_group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                found.append(int(entry.name))
    return found
