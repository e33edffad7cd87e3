"""Stopping at a loss that is not finite before it does damage, without waiting for the device."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from siman_synth.errors import TrainingError
from siman_synth.training.distributed import Processes

_ADVICE = (
    "no optimiser followed it. The last checkpoint is good: resume from it with a lower "
    "training.learning_rate or precision = 'fp32'."
)


class FiniteGuard:
    """From the first loss on that is not finite no optimiser moves, and `check` says so.

    A flag on the device is what fused optimisers take as `found_inf`, by which gradient scalers
    have them skip an update. The host would have to wait for a GPU to read it.

    Args:
        peers: a loss of any of these processes stops all of them.
        optimisers: fused optimisers.
        at_once: check at every `watch`. Free on a CPU; for a GPU, call `check` now and then.
    """

    def __init__(self, peers: Processes, optimisers: Sequence[torch.optim.Adam], at_once: bool) -> None:
        self._peers, self._at_once = peers, at_once
        self._tripped = torch.zeros((), device=peers.device)
        self._unread: list[tuple[int, str, Tensor]] = []
        for optimiser in optimisers:
            optimiser.found_inf = self._tripped  # type: ignore[attr-defined]

    def watch(self, step: int, losses: Mapping[str, Tensor]) -> None:
        """Take note of the losses (scalars) of step `step`, before the optimiser that they drive.

        Raises:
            TrainingError: `at_once` is set and one is not finite.
        """
        values = {name: loss.detach().float() for name, loss in losses.items()}
        self._unread += [(step, name, value) for name, value in values.items()]
        finite = torch.isfinite(torch.stack(list(values.values()))).all()
        self._tripped.copy_(torch.maximum(self._tripped, self._peers.maximum(1.0 - finite.float())))
        if self._at_once:
            self.check()

    def check(self) -> None:
        """Wait for the device and look at every loss since the last check.

        Raises:
            TrainingError: one was not finite; names the first, its value and its step.
        """
        if not self._unread:
            return
        numbers = torch.stack([value for _, _, value in self._unread] + [self._tripped]).tolist()
        unread, self._unread = self._unread, []
        for (step, name, _), number in zip(unread, numbers, strict=False):
            if not math.isfinite(number):
                raise TrainingError(f"Loss '{name}' is {number} at step {step}; {_ADVICE}")
        if numbers[-1]:
            raise TrainingError(f"Another process had a loss not finite by step {unread[-1][0]}; {_ADVICE}")
