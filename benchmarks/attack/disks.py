"""Runs on disks that are too small, then on the same disk with room."""

import contextlib
import subprocess
from pathlib import Path

import numpy as np
from tqdm import tqdm

from attack.commands import run
from attack.files import digest
from attack.record import Record
from attack.scene import Scene, remove_run

_COUNT = 400


def attack_disks(scene: Scene, count: int, record: Record, bar: tqdm) -> str | None:  # type: ignore[type-arg]
    """Run on `count` disks, most of them too small; return why that was not possible, or None."""
    alone = scene.work / "alone"
    outcome = run(scene.generate(alone, _COUNT), scene.work, 300.0)
    if outcome.status:
        raise RuntimeError(f"The undisturbed run failed: {outcome.output}")
    expected, whole = digest(alone), (alone / "data.mdb").stat().st_size
    remove_run(alone)
    disk = scene.work / "disk"
    disk.mkdir()
    for size in np.geomspace(64 << 10, 3 * whole, count).astype(int):
        if why := _mount(disk, int(size)):
            return why
        try:
            _fill(scene, disk, expected, int(size), record)
        finally:
            subprocess.run(["umount", str(disk)], check=True)
        bar.update()
    return None


def _fill(scene: Scene, disk: Path, expected: str, size: int, record: Record) -> None:
    kind, out = "full disk", disk / "words"
    (disk / "thesis.txt").write_text("x", encoding="utf-8")
    outcome = run(scene.generate(out, _COUNT), scene.work, 120.0)
    record.case(kind, outcome)
    if fault := outcome.fault((0, 1)):
        record.fault(kind, fault, f"{size} bytes: {outcome.output[-600:]}")
    if outcome.status == 1 and "full" not in outcome.output:
        record.fault(kind, "not called full", f"{size} bytes: {outcome.output[-600:]}")
    subprocess.run(["mount", "-o", "remount,size=512m", str(disk)], check=True)
    resumed = run(scene.generate(out, _COUNT, "--resume"), scene.work, 300.0)
    if fault := resumed.fault((0,)):
        record.fault(kind, f"resumed: {fault}", f"{size} bytes: {resumed.output[-600:]}")
    elif digest(out) != expected:
        record.fault(kind, "wrong bytes", f"{size} bytes")
    if (disk / "thesis.txt").read_text(encoding="utf-8") != "x":
        record.fault(kind, "a user's file was touched", f"{size} bytes")


def _mount(disk: Path, size: int) -> str | None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)]
    with contextlib.suppress(FileNotFoundError):
        done = subprocess.run(command, capture_output=True, text=True)
        return None if done.returncode == 0 else done.stderr.strip()
    return "there is no mount command"
