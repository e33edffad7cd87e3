"""The loop of every training, with a straight line to be fitted: it knows nothing of what it trains."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from siman_synth.stopping import Stopped
from siman_synth.training.average import MovingAverage
from siman_synth.training.checkpoints import Checkpoints, Stateful
from siman_synth.training.config import OptimisationConfig, PaceConfig
from siman_synth.training.distributed import Processes
from siman_synth.training.finite import FiniteGuard
from siman_synth.training.loop import Loop, Report
from siman_synth.training.optimiser import adam
from siman_synth.training.schedule import LinearSchedule
from siman_synth.training.stats import StatsWriter

ALONE = Processes(0, 1, torch.device("cpu"))


class Line:
    """y = 3 x + 1, to be found by least squares."""

    def __init__(self, config: OptimisationConfig, stopped_before: int | None) -> None:
        torch.manual_seed(0)
        self.stopped_before = stopped_before
        self.network = nn.Linear(1, 1)
        self.average = MovingAverage(self.network, config.average_half_life, config.batch_size)
        self.optimiser = adam(self.network, config)
        self.guard = FiniteGuard(ALONE, [self.optimiser], at_once=True)

    @property
    def optimisers(self) -> Sequence[torch.optim.Optimizer]:
        return [self.optimiser]

    @property
    def parts(self) -> Mapping[str, Stateful]:
        return {"network": self.network, "average": self.average, "optimiser": self.optimiser}

    def take_step(self, step: int) -> Mapping[str, Tensor]:
        if step == self.stopped_before:
            raise Stopped
        x = torch.rand(8, 1, generator=torch.Generator().manual_seed(step))
        loss = (self.network(x) - 3 * x - 1).square().mean()
        self.guard.watch(step + 1, {"error": loss})
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {"error": loss.detach()}


@dataclass
class Fit:
    """A run of the line in a folder."""

    folder: Path
    said: list[str] = field(default_factory=list)
    exported: list[int] = field(default_factory=list)

    def __call__(
        self, steps: int, stop: Callable[[], bool] = lambda: False, stopped_before: int | None = None
    ) -> int:
        config = OptimisationConfig(steps=steps, batch_size=8, learning_rate=0.1, final_learning_rate=0.01)
        line = Line(config, stopped_before)
        (self.folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        loop = Loop(
            trained=line,
            optimisation=config,
            pace=PaceConfig(stats_every=2, checkpoint_every=5),
            schedule=LinearSchedule(config.learning_rate, config.final_learning_rate, steps),
            guard=line.guard,
            peers=ALONE,
            checkpoints=Checkpoints(self.folder / "checkpoints"),
            identity={"what": "a line"},
            reports=[Report(4, lambda step: {"weight": line.network.weight.item()})],
            export=self.exported.append,
        )
        first = loop.resume(self.said.append)
        stats = StatsWriter(self.folder, first)
        try:
            return loop.run(stats, first, stop, show_progress=False)
        finally:
            stats.close()

    def numbers(self) -> list[dict[str, float]]:
        lines = [json.loads(line) for line in (self.folder / "stats.jsonl").read_text().splitlines()]
        return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]

    def state(self, step: int) -> dict[str, object]:
        path = self.folder / "checkpoints" / f"state-{step:08d}.pt"
        saved: dict[str, object] = torch.load(path, weights_only=True)["parts"]
        return saved


def stop_after(steps: int) -> Callable[[], bool]:
    calls = iter(range(1, 10_000))
    return lambda: next(calls) == steps


def test_it_fits_reports_saves_and_exports(tmp_path: Path) -> None:
    fit = Fit(tmp_path)
    assert fit(23) == 23
    numbers = fit.numbers()
    assert [line["step"] for line in numbers if "error" in line] == [*range(2, 23, 2), 23]
    assert [line["step"] for line in numbers if "weight" in line] == [4, 8, 12, 16, 20, 23]
    assert fit.exported == [5, 10, 15, 20, 23]
    assert numbers[-2]["error"] < 0.1 * numbers[0]["error"]


@pytest.mark.parametrize("stops", [(1,), (5,), (22,), (3, 4, 9), (23,)])
def test_stopped_anywhere_and_resumed_is_uninterrupted(tmp_path: Path, stops: tuple[int, ...]) -> None:
    whole, stopped = Fit(tmp_path / "whole"), Fit(tmp_path / "stopped")
    whole(23)
    done = 0
    for steps in stops:
        assert stopped(23, stop_after(steps)) == done + steps
        done += steps
        assert stopped.exported[-1] == done
    assert stopped(23) == 23
    assert stopped.numbers() == whole.numbers()
    torch.testing.assert_close(stopped.state(23), whole.state(23), rtol=0, atol=0)


def test_stopped_while_a_step_waits_to_begin_loses_none(tmp_path: Path) -> None:
    whole, stopped = Fit(tmp_path / "whole"), Fit(tmp_path / "stopped")
    whole(23)
    assert stopped(23, stopped_before=0) == 0
    assert stopped.exported == []
    for steps in (3, 3, 5, 21):
        assert stopped(23, stopped_before=steps) == steps
        assert stopped.exported[-1] == steps
        assert stopped.state(steps)
    assert stopped(23) == 23
    assert stopped.numbers() == whole.numbers()
    torch.testing.assert_close(stopped.state(23), whole.state(23), rtol=0, atol=0)


def test_a_prolonged_run_says_its_rate_and_never_raises_it(tmp_path: Path) -> None:
    fit = Fit(tmp_path)
    fit(10)
    assert fit(30, stop_after(7)) == 17
    assert fit.said == ["The run now ends after 30 steps; the learning rate goes on from 0.01."]
    fit(30)
    assert len(fit.said) == 1  # resumed, and not prolonged again
    rates = [line["learning_rate"] for line in fit.numbers() if "learning_rate" in line]
    assert rates == sorted(rates, reverse=True)
    assert set(rates[5:]) == {0.01}


def test_a_finished_run_takes_no_step_and_exports_what_a_kill_may_have_left_out(tmp_path: Path) -> None:
    fit = Fit(tmp_path)
    fit(10)
    before = fit.numbers()
    fit.exported.clear()
    assert fit(10) == 10
    assert fit.exported == [10]
    assert fit.numbers() == before
