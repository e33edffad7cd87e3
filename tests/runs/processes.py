"""Real `siman-synth generate` processes for tests: started, watched, and ended whatever happens."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import siman_synth

PATIENCE_S = 300
"""Nothing takes that long, but on a machine that is busy with something else."""
SAMPLES = 60
WORKER = b"siman_synth.runs.worker"
"""What stands in the command lines of worker processes."""
Start = Callable[..., subprocess.Popen[str]]


class Processes:
    """Processes, each leading a session and a group of its own, and whatever they start."""

    def __init__(self) -> None:
        self._sessions: list[int] = []

    def start(self, command: list[str], heard: bool = True, **environment: str) -> subprocess.Popen[str]:
        """Start a command that finds this siman-synth; without `heard` nobody reads its stderr."""
        root = str(Path(siman_synth.__file__).parents[1])
        process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if heard else subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"} | environment,
        )
        self._sessions.append(process.pid)
        return process

    def end(self) -> None:
        """Kill all that is left."""
        for session in self._sessions:
            for process in alive(session):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)


def generate_command(words: Path, crops: Path, weights: Path, out: Path, *options: str) -> list[str]:
    """Return the command of a small run in shards of 10; nothing is refused, for the network is untrained."""
    return [
        *(sys.executable, "-m", "siman_synth", "generate", "--out", str(out)),
        *("--corpus", str(words), "--styles", str(crops), "--weights", str(weights)),
        *("--fonts", "roboto", "--fonts", "oswald", "--device", "cpu"),
        *("--set", "execution.shard_size=10", "--gate", "off", *options),
    ]


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a process that is expected to succeed; return its stderr."""
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    return errors


def digest(out: Path) -> str:
    """Return the hash of a data set's bytes."""
    return hashlib.sha256((out / "data.mdb").read_bytes()).hexdigest()


def markers(out: Path) -> list[Path]:
    """Return the markers of the finished shards of a run that lasts."""
    return sorted(out.with_name(out.name + ".run").glob("shards/*.json"))


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> bool:
    """Wait for a condition; return whether it came while `process` was alive."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if process is not None and process.poll() is not None:
            return False
        assert time.monotonic() < deadline, f"waited for {PATIENCE_S} s"
        time.sleep(0.005)
    return True


def litter(folder: Path) -> list[str]:
    """Return what lies in a folder of temporary files, but for torch's own cache, one for all processes."""
    return [entry.name for entry in folder.iterdir() if not entry.name.startswith("torchinductor_")]


def children(command: bytes) -> list[bytes]:
    """Return the command lines of this process's own children that hold `command`."""
    ps = ["ps", "-ww", "--ppid", str(os.getpid()), "-o", "args="]
    lines = subprocess.run(ps, capture_output=True, check=False).stdout.splitlines()
    return [line for line in lines if command in line]


def alive(session: int, command: bytes = b"") -> list[int]:
    """Return the processes of a session whose command holds `command`; not those that wait to be reaped."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if not name.isdigit() or os.getsid(int(name)) != session:
                continue
            folder = Path("/proc", name)
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            line = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if state != "Z" and command in line:
            found.append(int(name))
    return found
