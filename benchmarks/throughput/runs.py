"""One measured process, and several in turns."""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_POLL_S = 0.02
_SAMPLE_S = 0.1
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class RunError(Exception):
    """A measured process failed; the message says how it ended and what it said last."""


@dataclass(frozen=True, order=True)
class Memory:
    """Summed over processes; pages that they share count once in each."""

    resident_mb: float
    own_mb: float
    """Of it what is no file's page: pages of files (an LMDB that is read) can be given up at any time."""


@dataclass(frozen=True)
class Run:
    """What a process and all of its children cost."""

    wall_s: float
    cpu_s: float
    """User and system time of the process and of all children that it waited for."""
    first_s: float | None = None
    """When the first result lay on disk."""
    peak: Memory | None = None
    """Largest memory of the process and its children, sampled."""
    output: str = ""


@dataclass(frozen=True)
class Fit:
    """Runs of two sizes: what an image costs at the margin, and what is left at none."""

    small: int
    large: int
    runs: list[dict[str, Any]] = field(default_factory=list)
    cpu_ms: float = 0.0
    """CPU-ms an image, the median over the repeats."""
    cpu_ms_range: tuple[float, float] = (0.0, 0.0)
    wall_ms: float = 0.0
    """Milliseconds an image on the clock, the median over the repeats."""
    start_cpu_s: float = 0.0
    start_wall_s: float = 0.0
    first_s: float | None = None
    whole_wall_s: float = 0.0
    """Seconds of the larger run, start-up included."""


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    first: Callable[[], bool] | None = None,
    memory: bool = False,
    threads: bool = False,
    timeout_s: float = 3600.0,
) -> Run:
    """Run `command` in `folder` and measure it.

    Args:
        command: the program and its arguments.
        folder: its working directory.
        first: tells whether the first result is there; polled until it says so.
        memory: sample resident memory (needs psutil). Sampling costs time: leave it off for timings.
        threads: let numeric libraries use all cores; otherwise they get one thread.
        timeout_s: the process is killed after so long.

    Raises:
        RunError: the process ended with an error, did not start, or took too long.
    """
    environment = os.environ | ({} if threads else _ONE_THREAD)
    if command[0] == sys.executable:  # ours: a checkout that is not installed will do
        environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    first_s, sampled = None, 0.0
    peak: Memory | None = None
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        try:
            process = subprocess.Popen(
                list(map(str, command)), stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                cwd=folder, env=environment, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise RunError(f"{command[0]} does not start: {error.strerror}") from error
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                now = time.perf_counter() - began
                if pid:
                    break
                if now > timeout_s:
                    raise RunError(f"killed after {timeout_s:.0f} s")
                if first is not None and first_s is None and first():
                    first_s = now
                if memory and now - sampled >= _SAMPLE_S:
                    found = memory_of(process.pid)
                    sampled, peak = now, found if peak is None else max(peak, found)
                time.sleep(_POLL_S)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    if process.returncode:
        last = " | ".join(said.strip().splitlines()[-3:])
        raise RunError(f"ended with status {process.returncode}: {last or 'no output'}")
    return Run(now, usage.ru_utime + usage.ru_stime, first_s, peak, said)


def memory_of(pid: int) -> Memory:
    """Return the memory of a process and its descendants, 0 if it has ended."""
    import psutil

    resident = own = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                info = process.memory_info()
                resident += info.rss
                own += info.rss - info.shared
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        pass
    return Memory(resident / 1e6, own / 1e6)


def alternate(
    candidates: Mapping[str, tuple[Sequence[int], Callable[[int], tuple[int, Run]]]], repeats: int
) -> dict[str, Fit | RunError]:
    """Run candidates in turns, A B A B, each at its small and its large size.

    A candidate is (sizes, run); `run` makes so many images and returns how many there really are.
    One that fails is left out of the further turns, and its error is what is returned for it.
    """
    done: dict[str, list[tuple[tuple[int, Run], tuple[int, Run]]]] = {name: [] for name in candidates}
    failed: dict[str, RunError] = {}
    for _ in range(repeats):
        for name, (sizes, run) in candidates.items():
            if name in failed:
                continue
            try:
                done[name].append((run(sizes[0]), run(sizes[1])))
            except RunError as error:
                failed[name] = error
    return {name: failed.get(name) or _fit(pairs) for name, pairs in done.items()}


def _fit(pairs: Sequence[tuple[tuple[int, Run], tuple[int, Run]]]) -> Fit:
    cpu, wall, start_cpu, start_wall = [], [], [], []
    for (n1, small), (n2, large) in pairs:
        cpu.append((large.cpu_s - small.cpu_s) / (n2 - n1))
        wall.append((large.wall_s - small.wall_s) / (n2 - n1))
        start_cpu.append(small.cpu_s - n1 * cpu[-1])
        start_wall.append(small.wall_s - n1 * wall[-1])
    firsts = [run.first_s for pair in pairs for _, run in pair if run.first_s is not None]
    runs = [{"images": n, **asdict(run), "output": None} for pair in pairs for n, run in pair]
    return Fit(
        small=pairs[0][0][0],
        large=pairs[0][1][0],
        runs=runs,
        cpu_ms=1e3 * statistics.median(cpu),
        cpu_ms_range=(1e3 * min(cpu), 1e3 * max(cpu)),
        wall_ms=1e3 * statistics.median(wall),
        start_cpu_s=statistics.median(start_cpu),
        start_wall_s=statistics.median(start_wall),
        first_s=statistics.median(firsts) if firsts else None,
        whole_wall_s=statistics.median([large.wall_s for _, (_, large) in pairs]),
    )
