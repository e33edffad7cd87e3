"""Learning rates as a function of the step."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch


class Schedule(Protocol):
    """What a training loop asks of a learning rate."""

    steps: int
    """Of the whole run."""

    def rate(self, step: int) -> float:
        """Return the rate of step `step`, which counts from 0."""
        ...

    def apply(self, step: int, optimisers: Sequence[torch.optim.Optimizer]) -> float:
        """Set the rate of step `step` in every optimiser and return it."""
        ...

    def change_end(self, step: int, steps: int) -> None:
        """Have the run end after `steps` steps, seen from step `step`; the rate never jumps up."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return all that must survive."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        ...


class LinearSchedule:
    """A rate that goes in a straight line from `first_rate` at step 0 to `last_rate` at the last step.

    It belongs to the state of a run, because a run may be prolonged: the rate then goes on from
    where it stands, so that it never jumps up.
    """

    def __init__(self, first_rate: float, last_rate: float, steps: int) -> None:
        self.steps = steps
        self._from_step, self._from_rate, self._to_rate = 0, first_rate, last_rate

    def rate(self, step: int) -> float:
        """Return the rate of step `step`, which counts from 0."""
        share = (step - self._from_step) / max(self.steps - 1 - self._from_step, 1)
        share = min(max(share, 0.0), 1.0)
        # So written that it ends at the last rate to the last bit, and never rises by rounding.
        return self._to_rate + (1.0 - share) * (self._from_rate - self._to_rate)

    def apply(self, step: int, optimisers: Sequence[torch.optim.Optimizer]) -> float:
        """Set the rate of step `step` in every optimiser and return it."""
        return _applied(self.rate(step), optimisers)

    def change_end(self, step: int, steps: int) -> None:
        """Have the run end after `steps` steps, seen from step `step`: the rest of the line is redrawn."""
        self._from_rate, self._from_step, self.steps = self.rate(step), step, steps

    def state_dict(self) -> dict[str, Any]:
        """Return the line as plain numbers."""
        return {
            "steps": self.steps,
            "from_step": self._from_step,
            "from_rate": self._from_rate,
            "to_rate": self._to_rate,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.steps, self._from_step = int(state["steps"]), int(state["from_step"])
        self._from_rate, self._to_rate = float(state["from_rate"]), float(state["to_rate"])


class CosineSchedule:
    """A short straight rise to `peak_rate`, then half a cosine down to `last_rate` at the last step.

    Source of the form: Loshchilov and Hutter, "SGDR" (ICLR 2017), without restarts.

    Args:
        peak_rate, last_rate: the highest and the last rate.
        steps: of the whole run.
        warm_up: share of the steps that the rise takes.
    """

    def __init__(self, peak_rate: float, last_rate: float, steps: int, warm_up: float) -> None:
        self.steps = steps
        self._rise = math.ceil(warm_up * steps)
        self._from_step, self._from_rate, self._last_rate = self._rise, peak_rate, last_rate

    def rate(self, step: int) -> float:
        """Return the rate of step `step`, which counts from 0."""
        if step < self._rise:
            return self._from_rate * (step + 1) / self._rise
        share = min((step - self._from_step) / max(self.steps - self._from_step, 1), 1.0)
        return self._last_rate + (self._from_rate - self._last_rate) * 0.5 * (1 + math.cos(math.pi * share))

    def apply(self, step: int, optimisers: Sequence[torch.optim.Optimizer]) -> float:
        """Set the rate of step `step` in every optimiser and return it."""
        return _applied(self.rate(step), optimisers)

    def change_end(self, step: int, steps: int) -> None:
        """Have the run end after `steps` steps, seen from step `step`: the cosine begins anew from here."""
        if step > self._rise:
            self._from_rate, self._from_step = self.rate(step), step
        self.steps = steps

    def state_dict(self) -> dict[str, Any]:
        """Return the curve as plain numbers."""
        return {
            "steps": self.steps,
            "rise": self._rise,
            "from_step": self._from_step,
            "from_rate": self._from_rate,
            "last_rate": self._last_rate,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.steps, self._rise = int(state["steps"]), int(state["rise"])
        self._from_step, self._from_rate = int(state["from_step"]), float(state["from_rate"])
        self._last_rate = float(state["last_rate"])


def _applied(rate: float, optimisers: Sequence[torch.optim.Optimizer]) -> float:
    """Set a rate; groups of parameters may have a `share` of it, which their checkpoints keep."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = rate * group.get("share", 1.0)
    return rate
