"""Does a generation run survive being killed at any moment, and give the same bytes?

One run is left alone. Then the same command is started with --resume, and its whole process
group killed with SIGKILL at a random moment, again and again. After each kill every finished
shard, and the data set if it has its name already, must be readable; each run that gets to its
end must have the bytes of the one that was left alone, and is then begun anew.

    python benchmarks/kill_resume.py --kills 200 --n 2000 -- --styles crops/ --workers 2

Most of a short run is the import of torch, in which nothing can be harmed. With --warm each run is
forked from a process that has imported everything: the same command, with more of the kills where
they matter.
"""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from siman_synth.cli import main as main_command
from siman_synth.errors import DatasetError
from siman_synth.storage.lmdb_reader import LmdbReader


def start(out: Path, count: int, options: tuple[str, ...]) -> subprocess.Popen[bytes]:
    """Start `siman-synth generate --resume` in a process group of its own."""
    command = [sys.executable, "-m", "siman_synth", "generate", "--n", str(count), "--out", str(out)]
    return subprocess.Popen(
        [*command, "--resume", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])},
    )


class WarmRun:
    """A run forked from a process that has imported everything; speaks like `Popen` where it must."""

    context = multiprocessing.get_context("forkserver")

    def __init__(self, out: Path, count: int, options: tuple[str, ...]) -> None:
        self.context.set_forkserver_preload(["siman_synth.cli", "siman_synth.runs.generate"])
        arguments = ["generate", "--n", str(count), "--out", str(out), "--resume", *options]
        self._process = self.context.Process(target=_command, args=(arguments,))
        self._process.start()
        self.pid = self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """Return the exit status, if it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end.

        Raises:
            subprocess.TimeoutExpired: it did not come in time.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("generate", timeout or 0.0)
        return self._process.exitcode


def _command(arguments: list[str]) -> None:
    os.setsid()
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    main_command(arguments, standalone_mode=False)


def digest(out: Path) -> str:
    """Return the SHA-256 of a data set's file."""
    return hashlib.sha256((out / "data.mdb").read_bytes()).hexdigest()


def markers(out: Path) -> list[Path]:
    """Return the markers of the finished shards."""
    return sorted(Path(f"{out}.run").glob("shards/*.json"))


def is_done(out: Path) -> bool:
    """Whether a run has nothing left to do; its process may still be ending."""
    return out.exists() and not Path(f"{out}.run").exists()


def stage(out: Path) -> str:
    """Say in words how far a run has come, from what lies on disk."""
    if out.exists():
        return "named, tidying up"
    if Path(f"{out}.run", "merged").exists():
        return "merging"
    return "making shards" if markers(out) else "starting"


def damage(out: Path, count: int) -> list[str]:
    """Return what cannot be read, as lines; a run that was killed must leave none."""
    if out.exists():
        expected = {out: count}
    else:
        expected = {
            marker.with_suffix(".lmdb"): json.loads(marker.read_text())["made"] for marker in markers(out)
        }
    found = []
    for folder, samples in expected.items():
        try:
            with LmdbReader.open(folder) as reader:
                read = sum(1 for sample in reader if sample.image and sample.label)
            if read != samples:
                found.append(f"{folder}: {read} samples of {samples}")
        except DatasetError as error:
            found.append(f"{folder}: {error}")
    return found


Begin = Callable[[Path, int, tuple[str, ...]], "subprocess.Popen[bytes] | WarmRun"]


def first_run(begin: Begin, out: Path, count: int, options: tuple[str, ...]) -> tuple[float, float]:
    """Let a run end by itself; return the seconds until its folder appeared and until it was done."""
    began, appeared, done = time.perf_counter(), 0.0, 0.0
    process = begin(out, count, options)
    while process.poll() is None:
        seconds = time.perf_counter() - began
        appeared = appeared or (seconds if Path(f"{out}.run").exists() else 0.0)
        done = done or (seconds if is_done(out) else 0.0)
        time.sleep(0.005)
    if process.returncode:
        raise click.ClickException(f"The run that was left alone ended with status {process.returncode}.")
    return appeared, done


def kill_at(process: subprocess.Popen[bytes] | WarmRun, moment_s: float) -> bool:
    """Kill the process group after `moment_s`; return whether it was still running."""
    try:
        process.wait(moment_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--kills", default=200, show_default=True, type=click.IntRange(min=1))
@click.option("--n", "count", default=2000, show_default=True, type=click.IntRange(min=1), help="Samples.")
@click.option("--seed", default=0, show_default=True, help="Decides the moments.")
@click.option("--warm", is_flag=True, help="Fork the runs from a process that has imported everything.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to work  [default: a temporary one]")
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def main(
    kills: int, count: int, seed: int, warm: bool, folder: Path | None, options: tuple[str, ...]
) -> None:
    """Kill and resume a generation run; OPTIONS go to `siman-synth generate`."""
    work = Path(tempfile.mkdtemp(prefix="kill-resume-", dir=folder))
    alone, out = work / "alone", work / "words"
    begin: Begin = WarmRun if warm else start
    if warm:  # the first fork waits for the imports
        WarmRun(work / "nothing", 0, ()).wait()
    start_up_s, whole_s = first_run(begin, alone, count, options)
    expected = digest(alone)
    rng = np.random.default_rng(seed)
    stages: Counter[str] = Counter()
    damaged: list[str] = []
    ends = same = 0

    def ended() -> None:
        nonlocal ends, same
        ends += 1
        same += digest(out) == expected
        for path in work.glob("words*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    with tqdm(total=kills, unit="kill", disable=None) as bar:
        while stages.total() < kills:
            # Before half of the start-up there is nothing but imports.
            moment_s = float(rng.uniform(0.5 * start_up_s, whole_s))
            killed = kill_at(begin(out, count, options), moment_s)
            damaged += damage(out, count)
            if is_done(out):  # a kill of a process that had only to end is not counted
                ended()
            elif killed:
                stages[stage(out)] += 1
                bar.update()
            else:
                damaged.append("a run ended before it was done")
    if begin(out, count, options).wait() == 0:
        ended()

    print(f"{count} samples, start-up {start_up_s:.1f} s, whole run {whole_s:.1f} s; {' '.join(options)}")
    print(f"{'killed while':<22}{'kills':>6}")
    for name, number in stages.most_common():
        print(f"{name:<22}{number:>6}")
    print(f"{'all':<22}{stages.total():>6}")
    print(f"unreadable data sets or shards after a kill: {len(damaged)}")
    print(f"runs that came to their end: {ends}, of them with the bytes of the run left alone: {same}")
    print("\n".join(damaged))
    shutil.rmtree(work)
    if damaged or same < ends or not ends:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
