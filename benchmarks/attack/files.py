"""Damaged LMDBs, images, fonts, weights, and damaged shards of a stopped run."""

import hashlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from attack.commands import Outcome, Running, run
from attack.damage import damaged
from attack.record import Record
from attack.scene import Scene, remove, remove_run

_SHARDS = 4


def attack_files(scene: Scene, count: int, rng: np.random.Generator, record: Record, bar: tqdm) -> None:  # type: ignore[type-arg]
    """Run `count` commands on damaged files, an equal share of each kind."""
    good = scene.work / "good"
    outcome = run(scene.generate(good, 24), scene.work)
    if outcome.status:
        raise RuntimeError(f"The undisturbed run failed: {outcome.output}")
    kinds: list[Callable[[int], None]] = [
        lambda number: _lmdb(scene, good, number, rng, record),
        lambda number: _image(scene, number, rng, record),
        lambda number: _font(scene, number, rng, record),
        lambda number: _weights(scene, number, rng, record),
        _shard_attack(scene, rng, record),
    ]
    for number in range(count):
        kinds[number % len(kinds)](number // len(kinds))
        bar.update()


def _lmdb(scene: Scene, good: Path, number: int, rng: np.random.Generator, record: Record) -> None:
    bad = scene.work / "bad.lmdb"
    bad.mkdir()
    way, data = damaged((good / "data.mdb").read_bytes(), rng)
    (bad / "data.mdb").write_bytes(data)
    out = scene.work / "out"
    report = str(scene.work / "out.report")
    commands = (
        ["verify", str(bad)],
        ["inspect", str(bad), "--sheet", str(scene.work / "out.png")],
        scene.generate(out, 8, styles=bad),
        ["evaluate", str(bad), "--real", str(good), "--out", report, "--n", "50", *_NO_JUDGE],
        ["evaluate", str(good), "--real", str(bad), "--out", report, "--n", "50", *_NO_JUDGE],
    )
    _note(record, "LMDB", way, run(commands[number % len(commands)], scene.work))
    for path in (bad, scene.work / "out.png", Path(report)):
        remove(path)
    remove_run(out)


def _image(scene: Scene, number: int, rng: np.random.Generator, record: Record) -> None:
    folder = scene.work / "bad-crops"
    folder.mkdir()
    crops = sorted(scene.crops.iterdir())
    shutil.copy(crops[0], folder / "sound.png")
    victim = crops[number % len(crops)]
    way, data = damaged(victim.read_bytes(), rng)
    (folder / victim.name).write_bytes(data)
    out = scene.work / "out"
    _note(record, "image", way, run(scene.generate(out, 8, styles=folder), scene.work), (0,))
    remove(folder)
    remove_run(out)


def _font(scene: Scene, number: int, rng: np.random.Generator, record: Record) -> None:
    bad = scene.work / "bad.ttf"
    way, data = damaged(scene.font.read_bytes(), rng)
    bad.write_bytes(data)
    out = scene.work / "out"
    _note(record, "font", way, run(scene.generate(out, 8, fonts=bad), scene.work))
    remove(bad)
    remove_run(out)


def _weights(scene: Scene, number: int, rng: np.random.Generator, record: Record) -> None:
    bad = scene.work / "bad.safetensors"
    way, data = damaged(scene.weights.read_bytes(), rng)
    bad.write_bytes(data)
    out = scene.work / "out"
    _note(record, "weights", way, run(scene.generate(out, 8, weights=bad), scene.work))
    remove(bad)
    remove_run(out)


def _shard_attack(scene: Scene, rng: np.random.Generator, record: Record) -> Callable[[int], None]:
    """Return what damages a shard of a stopped run and resumes it, to the undisturbed run's bytes."""
    whole, stopped = scene.work / "whole", scene.work / "stopped"
    count = 8 * _SHARDS
    run(scene.generate(whole, count), scene.work)
    expected = digest(whole)
    process = Running(scene.generate(stopped, count), scene.work / "output.txt")
    while len(list(Path(f"{stopped}.run").glob("shards/*.json"))) < _SHARDS - 1 and not process.wait(0.001):
        time.sleep(0.001)
    process.signal(9, group=True)
    process.outcome()
    template = Path(f"{stopped}.run")
    if not template.is_dir():
        raise RuntimeError("The run to be stopped was done before it could be; use a slower machine's sizes.")
    kept = scene.work / "kept.run"
    template.rename(kept)

    def attack(number: int) -> None:
        shutil.copytree(kept, template)
        files = sorted(path for path in template.glob("shards/**/*") if path.is_file())
        victim = files[int(rng.integers(len(files)))]
        way, data = damaged(victim.read_bytes(), rng)
        victim.write_bytes(data)
        outcome = run(scene.generate(stopped, count, "--resume"), scene.work)
        wrong = outcome.status == 0 and digest(stopped) != expected
        _note(record, "shard", way, outcome, (0,))
        if wrong:
            record.fault("shard", "wrong bytes", f"{way} in {victim.name}")
        remove_run(stopped)

    return attack


def digest(out: Path) -> str:
    """Return the hash of a data set's bytes."""
    return hashlib.sha256((out / "data.mdb").read_bytes()).hexdigest()


def _note(record: Record, kind: str, way: str, outcome: Outcome, statuses: tuple[int, ...] = (0, 1)) -> None:
    record.case(kind, outcome)
    if fault := outcome.fault(statuses):
        record.fault(kind, fault, f"{way}; {' '.join(outcome.arguments)}; {outcome.output[-600:]}")


_NO_JUDGE = ("--ocr", "none", "--features", "none")
