"""A network without memory for its numbers: what it would hold, known before anything is read."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_RANDOM_STARTS = (Tensor.normal_, Tensor.uniform_)


@contextmanager
def skeletons() -> Iterator[None]:
    """Let modules that are built in the block have shapes and types only (torch's device "meta").

    Random starts are passed over. On that device they have no effect, and the first one would import
    all of torch's compiler: 800 modules, 70 to 150 MB and nearly 2 s of every process.
    """
    with torch.device("meta"), _NoRandomStart():
        yield


@contextmanager
def as_started() -> Iterator[None]:
    """Let modules that are built in the block hold whatever was in memory instead of random numbers.

    For networks whose tensors are read next; what is computed when they are built is computed.
    """
    with _NoRandomStart():
        yield


class _NoRandomStart(TorchFunctionMode):
    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if function in _RANDOM_STARTS:
            return args[0]
        return function(*args, **(kwargs or {}))
