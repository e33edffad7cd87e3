"""The loop of every training: steps, and between them reports, checkpoints and a clean stop."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from siman_synth import stopping
from siman_synth.training.average import MovingAverage
from siman_synth.training.checkpoints import Checkpoints, Stateful
from siman_synth.training.config import OptimisationConfig, PaceConfig
from siman_synth.training.distributed import Processes
from siman_synth.training.finite import FiniteGuard
from siman_synth.training.schedule import Schedule
from siman_synth.training.stats import StatsWriter


class Trained(Protocol):
    """What is trained, as far as the loop needs to know it."""

    @property
    def average(self) -> MovingAverage:
        """The moving average that follows every step."""
        ...

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        """What the learning rate is set in."""
        ...

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """All that a checkpoint holds beside the schedule."""
        ...

    def take_step(self, step: int) -> Mapping[str, Tensor]:
        """Take step `step`, which counts from 0, and return its losses (scalars).

        Raises:
            Stopped: a signal came, in any process, while the step was still to begin.
        """
        ...


@dataclass(frozen=True, slots=True)
class Report:
    """Something to be made every so many steps, and after the last one."""

    every: int
    make: Callable[[int], Mapping[str, float]]
    """Takes the number of finished steps and returns numbers for the statistics."""
    at_end: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """A run, ready to go.

    `reports` and `export` are called in the main process alone; `export` takes the number of
    finished steps, after each checkpoint and at the end.
    """

    trained: Trained
    optimisation: OptimisationConfig
    pace: PaceConfig
    schedule: Schedule
    guard: FiniteGuard
    peers: Processes
    checkpoints: Checkpoints
    identity: Mapping[str, Any]
    reports: Sequence[Report]
    export: Callable[[int], None]

    @property
    def parts(self) -> dict[str, Stateful]:
        """All that a checkpoint holds."""
        return {**self.trained.parts, "schedule": self.schedule}

    def resume(self, say: Callable[[str], None]) -> int:
        """Restore the last checkpoint, if there is one, and return the finished steps.

        Raises:
            OutputError: it belongs to a run with other settings or inputs.
            TrainingError: there are checkpoints, and none can be read.
        """
        steps = self.optimisation.steps
        step = self.checkpoints.restore(self.parts, self.identity, say)
        if step and steps != self.schedule.steps:
            self.schedule.change_end(step, steps)
            rate = self.schedule.rate(step)
            say(f"The run now ends after {steps} steps; the learning rate goes on from {rate:.3g}.")
        return step

    def run_in(self, folder: Path, first: int, show_progress: bool | None) -> int:
        """Run with statistics in a folder, until the end or a request to stop; see `run`."""
        stats = StatsWriter(folder, first) if self.peers.is_main else None
        try:
            return self.run(stats, first, stopping.requested, show_progress)
        finally:
            if stats is not None:
                stats.close()

    def run(
        self, stats: StatsWriter | None, first: int, stop: Callable[[], bool], show_progress: bool | None
    ) -> int:
        """Train from `first` finished steps to the end, or until `stop` says so in any process.

        Args:
            stats: where numbers go; None in all but the main process.
            first: what `resume` returned.
            stop: asked after each step.
            show_progress: True, False, or None to show a bar only on a terminal.

        Returns:
            The finished steps.

        Raises:
            TrainingError: a loss was not finite.
        """
        hidden = True if stats is None else None if show_progress is None else not show_progress
        steps, pace = self.optimisation.steps, self.pace
        bar = tqdm(total=steps, initial=first, unit="step", disable=hidden)
        clock = _Clock(self.optimisation.batch_size, first)
        step, stopped = first, False
        with bar:
            while step < steps and not stopped:
                rate = self.schedule.apply(step, self.trained.optimisers)
                try:
                    losses = self.trained.take_step(step)
                except stopping.Stopped:
                    self.guard.check()
                    if stats is not None and step > self.checkpoints.last_step():
                        self._save(stats, step)
                    break
                step += 1
                self.trained.average.update(step * self.optimisation.batch_size)
                bar.update()
                stopped = self.peers.any(stop())
                finished = step == steps
                paces = [pace.stats_every, pace.checkpoint_every, *(report.every for report in self.reports)]
                if finished or stopped or any(step % every == 0 for every in paces):
                    self.guard.check()
                if stats is None:
                    continue
                if step % pace.stats_every == 0 or finished:
                    numbers = {name: float(loss) for name, loss in losses.items()}
                    numbers |= {"learning_rate": rate, "images_per_second": clock.rate(step)}
                    bar.set_postfix({name: f"{value:.4g}" for name, value in numbers.items()})
                    stats.write(step, numbers)
                for report in self.reports:
                    due = step % report.every == 0 or (finished and report.at_end)
                    if due and (made := report.make(step)):
                        stats.write(step, made)
                if step % pace.checkpoint_every == 0 or finished or stopped:
                    self._save(stats, step)
        if stats is not None and step == first > 0:
            self.export(step)  # a kill between the last checkpoint and its export
        return step

    def _save(self, stats: StatsWriter, step: int) -> None:
        stats.sync()
        self.checkpoints.save(step, self.parts, self.identity)
        self.export(step)


class _Clock:
    """Images a second since the last look."""

    def __init__(self, batch_size: int, step: int) -> None:
        self._batch_size, self._step, self._time = batch_size, step, time.perf_counter()

    def rate(self, step: int) -> float:
        now = time.perf_counter()
        rate = (step - self._step) * self._batch_size / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        return rate
