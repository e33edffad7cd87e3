"""One process or several: what `torchrun` sets up, and what a single process needs."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn

from siman_synth import stopping
from siman_synth.errors import TrainingError
from siman_synth.models.device import resolve_device
from siman_synth.torchrun import announced, number

Value = TypeVar("Value")

_HOST = torch.device("cpu")


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among its peers."""

    rank: int
    world_size: int
    device: torch.device
    _wrapped: list[nn.parallel.DistributedDataParallel] = field(
        default_factory=list, compare=False, repr=False
    )

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def share_of(self, batch_size: int, parts: int = 1) -> int:
        """Return how many images of a batch this process takes.

        Raises:
            TrainingError: the batch does not divide evenly among the processes and `parts`.
        """
        if batch_size % (self.world_size * parts):
            raise TrainingError(
                f"training.batch_size {batch_size} does not divide among {self.world_size} processes"
                + (f" and training.accumulate = {parts} parts." if parts > 1 else ".")
            )
        return batch_size // self.world_size

    def wrap(self, module: nn.Module) -> nn.Module:
        """Return the module that averages gradients over processes, or the module itself."""
        if self.world_size == 1:
            return module
        devices = [self.device.index] if self.device.type == "cuda" else None
        wrapped = nn.parallel.DistributedDataParallel(module, device_ids=devices)
        self._wrapped.append(wrapped)
        return wrapped

    def let_go(self) -> None:
        """Let what `wrap` returned forget the process group, which is about to end; it is of no use then.

        Its reducer would keep the group. The last to let go of a group waits for its threads, and the
        reducer does so while it holds the interpreter's lock, which such a thread may need: both
        would wait for ever.
        """
        for wrapped in self._wrapped:
            wrapped.reducer = wrapped.logger = wrapped.process_group = None  # type: ignore[assignment]
        self._wrapped.clear()

    def barrier(self) -> None:
        """Wait until every process is here."""
        if self.world_size > 1:
            distributed.barrier()

    def on_main(self, action: Callable[[], Value]) -> Value:
        """Call `action` in the main process alone and return what it returned, in all of them.

        Raises:
            Stopped: in all processes, when the action was stopped.
            TrainingError: in the other processes, when the action failed in the main one.
        """
        if self.world_size == 1:
            return action()
        if not self.is_main:
            answer: list[Any] = [None, None]
            distributed.broadcast_object_list(answer, 0, device=_HOST)
            value, error = answer
            if error is not None:
                raise error
            return value  # type: ignore[no-any-return]
        try:
            value = action()
        except BaseException as error:  # nobody may be left waiting
            stopped = isinstance(error, stopping.Stopped)
            told = error if stopped else TrainingError(f"The main process could not go on: {error}")
            distributed.broadcast_object_list([None, told], 0, device=_HOST)
            raise
        distributed.broadcast_object_list([value, None], 0, device=_HOST)
        return value

    def any(self, flag: bool) -> bool:
        """Return whether `flag` is true in any process, the same answer in all of them."""
        # On the host, so that nobody waits for a GPU.
        return bool(self.maximum(torch.tensor(float(flag))) > 0)

    def maximum(self, value: Tensor) -> Tensor:
        """Return the largest `value` of all processes, on its device; changes `value`."""
        if self.world_size > 1:
            distributed.all_reduce(value, op=distributed.ReduceOp.MAX)
        return value


@contextmanager
def process_group(backend: str, **where: Any) -> Iterator[None]:
    """Be in the default process group, and leave nothing of it behind.

    Args:
        backend, where: what `torch.distributed.init_process_group` takes.
    """
    # This module keeps the group of the moment of its import as a default argument. Imported later,
    # as an optimiser's first step does, it would keep ours and its threads until the interpreter
    # ends, and a thread that then lets go of a tensor aborts the process.
    importlib.import_module("torch.distributed.nn")
    distributed.init_process_group(backend, **where)
    try:
        yield
    finally:
        distributed.destroy_process_group()


@contextmanager
def processes(device: str) -> Iterator[Processes]:
    """Join the process group that torchrun announced, if any, and leave it at the end."""
    _, world_size = announced()
    if world_size == 1:
        yield Processes(0, 1, resolve_device(device))
        return
    local = resolve_device(device)
    if local.type == "cuda":
        local = torch.device("cuda", number("LOCAL_RANK"))
        torch.cuda.set_device(local)
    with process_group("cpu:gloo,cuda:nccl" if local.type == "cuda" else "gloo"):
        peers = Processes(distributed.get_rank(), world_size, local)
        try:
            yield peers
        finally:
            peers.let_go()
