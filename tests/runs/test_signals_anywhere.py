"""Ctrl-C and SIGTERM at random moments of real commands: one sentence, nothing left, equal bytes at last."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from tests.runs.processes import (
    PATIENCE_S,
    SAMPLES,
    Processes,
    alive,
    digest,
    finish,
    generate_command,
    litter,
    markers,
    wait_until,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]
NUMBERS = (signal.SIGINT, signal.SIGTERM)
BOTH_WAYS = {
    1: ((signal.SIGINT, False), (signal.SIGTERM, True)),
    2: ((signal.SIGINT, True), (signal.SIGTERM, False)),
}
"""By the number of workers: signals, and whether they go to a whole group. Each moment meets all four."""


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """Where the commands put temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


class Bench:
    """Starts one command again and again, and sends it a signal each time."""

    def __init__(self, seed: int, temporary: Path) -> None:
        self.rng = np.random.default_rng(seed)
        self.processes = Processes()
        self.temporary = temporary
        self.stopped = self.finished = 0

    def stop(
        self, command: list[str], moment: Callable[[], object], spread_s: float, number: int, group: bool
    ) -> int:
        """Send a signal up to `spread_s` after a moment; check what was said and left; return the status.

        A terminal and a batch system send it to the whole `group`, `kill` to one process.
        """
        process = self.processes.start(command, TMPDIR=str(self.temporary))
        if wait_until(lambda: hears(process) and moment(), process):
            time.sleep(float(self.rng.uniform(0, spread_s)))
        if process.poll() is None:
            (os.killpg if group else os.kill)(process.pid, number)
        _, errors = process.communicate(timeout=PATIENCE_S)
        assert process.returncode in (0, 130), (process.returncode, errors)
        if process.returncode == 130:
            assert errors.startswith("\nStopped"), errors
            assert len(errors.strip().splitlines()) == 1, errors
            self.stopped += 1
        else:
            assert errors == ""
            self.finished += 1
        wait_until(lambda: not alive(process.pid))
        assert litter(self.temporary) == []
        return process.returncode


def hears(process: "subprocess.Popen[str]") -> bool:
    """Return whether a process has a handler for SIGTERM, which our programs have within milliseconds."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return False
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt")), "0")
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_generate_stopped_at_any_moment_and_resumed(
    workers: int, word_file: Path, crop_folder: Path, tiny_weights: Path, temporary: Path, tmp_path: Path
) -> None:
    def command(out: Path, workers: int) -> list[str]:
        options = ("--n", str(SAMPLES), "--workers", str(workers), "--resume")
        return generate_command(word_file, crop_folder, tiny_weights, out, *options)

    bench = Bench(workers, temporary)
    begun = time.monotonic()
    finish(bench.processes.start(command(tmp_path / "alone", 1)))
    whole_s = time.monotonic() - begun
    expected = digest(tmp_path / "alone")
    folder = tmp_path / "runs"
    folder.mkdir()
    out, run = folder / "words", folder / "words.run"
    moments: list[tuple[Callable[[], object], float]] = [
        (lambda: True, 0.02),
        (lambda: True, whole_s),
        (run.exists, 0.3),
        (lambda: markers(out), 0.3),
        ((run / "merged").exists, 0.02),
        ((run / "merged" / "data.mdb").exists, 0.05),
        (out.with_name("words.summary.json").exists, 0.01),
        (out.exists, 0.01),
    ]
    try:
        for (number, group), moment in itertools.product(BOTH_WAYS[workers], moments):
            status = bench.stop(command(out, workers), *moment, number, group)
            if out.exists():
                assert digest(out) == expected
            if status == 0:
                assert not run.exists()
                subprocess.run(["rm", "-r", *folder.iterdir()], check=True)
        finish(bench.processes.start(command(out, workers), TMPDIR=str(temporary)))
        assert digest(out) == expected
        assert bench.stopped >= 4, "hardly any signal met a run"
    finally:
        bench.processes.end()


@pytest.fixture
def two_sets(crop_folder: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A labeled data set and a folder of real crops, sixty images each."""
    crops: list[Any] = [cv2.imread(str(path)) for path in sorted(crop_folder.iterdir())]
    real = tmp_path / "real"
    real.mkdir()
    with LmdbWriter.create(tmp_path / "words") as writer:
        for number in range(60):
            image = np.roll(crops[number % len(crops)], number, axis=1)
            encoded = cv2.imencode(".png", image)[1].tobytes()
            writer.write(Sample(encoded, f"word{number}", image.shape[1], image.shape[0]))
            (real / f"{number}.png").write_bytes(cv2.imencode(".png", image[:, ::-1])[1].tobytes())
    return tmp_path / "words", real


def evaluate_command(sets: tuple[Path, Path], out: Path) -> list[str]:
    """Return the command of an evaluation without networks."""
    options = ["--out", str(out), "--ocr", "none", "--features", "none"]
    return [sys.executable, "-m", "siman_synth", "evaluate", str(sets[0]), "--real", str(sets[1]), *options]


def test_evaluate_stopped_at_any_moment_leaves_a_whole_report_or_none(
    two_sets: tuple[Path, Path], temporary: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("sklearn")
    bench = Bench(3, temporary)
    begun = time.monotonic()
    finish(bench.processes.start(evaluate_command(two_sets, tmp_path / "alone")))
    whole_s = time.monotonic() - begun
    expected = (tmp_path / "alone" / "metrics.json").read_bytes()
    out = tmp_path / "report"
    moments: list[tuple[Callable[[], object], float]] = [
        (lambda: True, 0.02),
        (lambda: True, whole_s),
        (out.exists, 0.5),
        (lambda: list(out.glob("metrics.json*")), 0.005),
    ]
    try:
        for number, moment in itertools.product(NUMBERS, moments):
            status = bench.stop(evaluate_command(two_sets, out), *moment, number, group=True)
            found = sorted(path.name for path in out.iterdir()) if out.exists() else []
            assert found in ([], ["metrics.json", "report.html"])
            assert found or status == 130
            if found:
                assert (out / "metrics.json").read_bytes() == expected
                assert (out / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")
                subprocess.run(["rm", "-r", out], check=True)
        assert bench.stopped >= 2, "hardly any signal met an evaluation"
    finally:
        bench.processes.end()


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_reading_commands_stop_at_any_moment(
    command: str, two_sets: tuple[Path, Path], temporary: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.png"
    options = ["--sheet", str(sheet)] if command == "inspect" else []
    line = [sys.executable, "-m", "siman_synth", command, str(two_sets[0]), *options]
    bench = Bench(4, temporary)
    begun = time.monotonic()
    finish(bench.processes.start(line))
    whole_s = time.monotonic() - begun
    moments: list[tuple[Callable[[], object], float]] = [
        (lambda: True, whole_s),
        (lambda: list(temporary.iterdir()), 0.2),
    ]
    try:
        for (number, group), moment in itertools.product((*BOTH_WAYS[1], *BOTH_WAYS[2]), moments):
            sheet.unlink(missing_ok=True)
            bench.stop(line, *moment, number, group)
            if sheet.exists():
                assert cv2.imread(str(sheet)) is not None
            assert not list(tmp_path.glob("sheet.png.*"))
    finally:
        bench.processes.end()
