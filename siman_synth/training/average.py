"""A moving average of weights, whose length is counted in images."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

_WARM_UP = 0.077
"""Share of the images seen so far that the half-life never exceeds: early weights are forgotten soon."""


class MovingAverage:
    """The exponential moving average of a module's parameters; buffers are those of the module.

    The half-life is counted in images, so that another batch size averages over the same images.

    Args:
        source: the module that is trained.
        half_life_images: after so many images a set of weights counts half.
        batch_size: images between two updates.
    """

    def __init__(self, source: nn.Module, half_life_images: int, batch_size: int) -> None:
        self.module = copy.deepcopy(source).requires_grad_(False).eval()
        self._source = source
        self._half_life, self._batch_size = half_life_images, batch_size

    @torch.no_grad()
    def update(self, images_seen: int) -> None:
        """Move the average towards the weights of now, after `images_seen` images of training."""
        half_life = min(self._half_life, _WARM_UP * images_seen)
        share: float = 1.0 - 0.5 ** (self._batch_size / half_life)
        ours: list[Tensor] = list(self.module.parameters())
        theirs: list[Tensor] = list(self._source.parameters())
        torch._foreach_lerp_(ours, theirs, share)
        for buffer, source in zip(self.module.buffers(), self._source.buffers(), strict=True):
            buffer.copy_(source)

    def restart(self) -> None:
        """Begin again from the module's weights of now."""
        self.module.load_state_dict(self._source.state_dict())

    def state_dict(self) -> dict[str, Any]:
        """Return the averaged weights."""
        return self.module.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.module.load_state_dict(state)
