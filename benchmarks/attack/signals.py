"""SIGINT and SIGTERM at random moments, and the run that goes on afterwards."""

import hashlib
import signal
from pathlib import Path

import numpy as np
from tqdm import tqdm

from attack.commands import Outcome, Running, run
from attack.files import digest
from attack.record import Record
from attack.scene import Scene, remove, remove_run

_STOPPED = (0, 1, 130, 143)
_COUNT = 48
_TRAINING = (
    "--set", "training.steps=12", "--set", "training.batch_size=4", "--set", "logging.checkpoint_every=4",
    "--set", "model.widths=[8,8,8]", "--set", "model.decoder_widths=[8,8]", "--set", "model.paint_width=4",
    "--set", "data.held_out=2",
)  # fmt: skip


def attack_with_signals(
    scene: Scene,
    count: int,
    rng: np.random.Generator,
    record: Record,
    bar: tqdm,  # type: ignore[type-arg]
) -> None:
    """Stop `count` commands, an equal share of each kind, and go on with each of them."""
    kinds: list[_Generation | _Pretraining | _Evaluation] = [
        _Generation(scene, record, workers=1),
        _Generation(scene, record, workers=2),
        _Pretraining(scene, record),
        _Evaluation(scene, record),
    ]
    for number in range(count):
        kinds[number % len(kinds)].attack(rng)
        bar.update()


def _stop(
    arguments: list[str], scene: Scene, usual_s: float, rng: np.random.Generator
) -> tuple[Outcome, signal.Signals]:
    """Start a command, send it a signal at a random moment of its usual life, and wait for its end."""
    which = signal.SIGINT if rng.random() < 0.5 else signal.SIGTERM
    process = Running(arguments, scene.work / "output.txt")
    process.wait(float(rng.uniform(0.0, usual_s)))
    # Ctrl-C goes to the whole group; "kill" and cluster managers tell one process or all.
    process.signal(which, group=which == signal.SIGINT or rng.random() < 0.5)
    return process.outcome(), which


class _Generation:
    def __init__(self, scene: Scene, record: Record, workers: int) -> None:
        self._kind = f"signal: generate, {workers} worker{'s' if workers > 1 else ''}"
        self._scene, self._record = scene, record
        self._workers = workers
        alone = scene.work / "alone"
        self._usual_s = _usual(self._arguments(alone), scene)
        self._expected = digest(alone)
        remove_run(alone)

    def _arguments(self, out: Path, *more: str) -> list[str]:
        return self._scene.generate(out, _COUNT, *more, workers=self._workers)

    def attack(self, rng: np.random.Generator) -> None:
        """Stop a run, resume it to its end, compare bytes."""
        scene, out = self._scene, self._scene.work / "stopped"
        outcome, which = _stop(self._arguments(out), scene, self._usual_s, rng)
        _judge(self._record, self._kind, outcome, which)
        resumed = run(self._arguments(out, "--resume"), scene.work, 4 * self._usual_s + 25)
        if fault := resumed.fault((0,)):
            self._record.fault(self._kind, f"resumed: {fault}", resumed.output[-600:])
        elif digest(out) != self._expected:
            self._record.fault(self._kind, "wrong bytes", which.name)
        remove_run(out)


class _Pretraining:
    def __init__(self, scene: Scene, record: Record) -> None:
        self._kind = "signal: pretrain"
        self._scene, self._record = scene, record
        self._out = scene.work / "training"
        self._usual_s = _usual(self._arguments(), scene)
        self._expected = self._digest()
        remove(self._out)

    def _arguments(self, *more: str) -> list[str]:
        crops = str(self._scene.crops)
        return ["pretrain", "--crops", crops, "--out", str(self._out), "--device", "cpu", *_TRAINING, *more]

    def _digest(self) -> str:
        from safetensors.numpy import load_file

        tensors = load_file(self._out / "siman.safetensors")
        return hashlib.sha256(b"".join(tensors[name].tobytes() for name in sorted(tensors))).hexdigest()

    def attack(self, rng: np.random.Generator) -> None:
        """Stop a training, resume it to its end, compare weights."""
        outcome, which = _stop(self._arguments(), self._scene, self._usual_s, rng)
        _judge(self._record, self._kind, outcome, which)
        resumed = run(self._arguments("--resume"), self._scene.work, 4 * self._usual_s + 25)
        if fault := resumed.fault((0,)):
            self._record.fault(self._kind, f"resumed: {fault}", resumed.output[-600:])
        elif self._digest() != self._expected:
            self._record.fault(self._kind, "other weights", which.name)
        remove(self._out)


class _Evaluation:
    def __init__(self, scene: Scene, record: Record) -> None:
        self._kind = "signal: evaluate"
        self._scene, self._record = scene, record
        self._words, self._report = scene.work / "to-evaluate", scene.work / "to-evaluate.report"
        self._real = scene.work / "to-compare"
        for path, count in ((self._words, 60), (self._real, 70)):
            run(scene.generate(path, count), scene.work)
        self._usual_s = _usual(self._arguments(), scene)
        remove(self._report)

    def _arguments(self) -> list[str]:
        return [
            "evaluate",
            str(self._words),
            "--real",
            str(self._real),
            "--out",
            str(self._report),
            "--n",
            "50",
            "--features",
            "none",
        ]

    def attack(self, rng: np.random.Generator) -> None:
        """Stop an evaluation; a report is there whole or not at all."""
        outcome, which = _stop(self._arguments(), self._scene, self._usual_s, rng)
        _judge(self._record, self._kind, outcome, which)
        page = self._report / "report.html"
        if page.exists() and not page.read_text(encoding="utf-8").rstrip().endswith("</html>"):
            self._record.fault(self._kind, "half a report", which.name)
        remove(self._report)


def _usual(arguments: list[str], scene: Scene) -> float:
    outcomes = [run(arguments, scene.work, 300.0)]
    if fault := outcomes[0].fault((0,)):
        raise RuntimeError(f"The undisturbed command failed ({fault}): {outcomes[0].output}")
    return outcomes[0].seconds


def _judge(record: Record, kind: str, outcome: Outcome, which: signal.Signals) -> None:
    record.case(kind, outcome)
    early = outcome.status == -which and not outcome.heard
    if (fault := outcome.fault(_STOPPED)) and not early:
        record.fault(kind, fault, f"{which.name} after {outcome.seconds:.2f} s: {outcome.output[-600:]}")
