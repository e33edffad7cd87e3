"""What the main process does alone, told to the others."""

import os
import socket
from pathlib import Path

import pytest
import torch

from siman_synth import stopping
from siman_synth.errors import OutputError, TrainingError
from siman_synth.training.distributed import Processes, process_group, processes


def _fail(error: BaseException) -> int:
    raise error


def _rank(rank: int, store: str) -> None:
    with process_group("gloo", init_method=store, rank=rank, world_size=2):
        peers, called = Processes(rank, 2, torch.device("cpu")), list[int]()
        assert peers.on_main(lambda: called.append(1) or "value") == "value"  # type: ignore[func-returns-value]
        assert called == ([] if rank else [1])
        wanted = TrainingError if rank else OutputError
        with pytest.raises(wanted, match=r"(The main process could not go on: )?The disk is full\."):
            peers.on_main(lambda: _fail(OutputError("The disk is full.")))
        with pytest.raises(stopping.Stopped):
            peers.on_main(lambda: _fail(stopping.Stopped("SIGTERM")))
        assert peers.any(rank == 1)
        assert not peers.any(False)


@pytest.mark.slow
def test_values_errors_and_stops_reach_all(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(  # type: ignore[attr-defined]
        _rank, ((tmp_path / "store").as_uri(),), nprocs=2
    )


@pytest.mark.parametrize(("size", "world", "parts", "share"), [(64, 1, 1, 64), (64, 2, 4, 32), (6, 3, 2, 2)])
def test_shares_of_a_batch(size: int, world: int, parts: int, share: int) -> None:
    assert Processes(0, world, torch.device("cpu")).share_of(size, parts) == share


@pytest.mark.parametrize(("size", "world", "parts"), [(64, 3, 1), (64, 2, 64), (7, 1, 2)])
def test_a_batch_that_does_not_divide(size: int, world: int, parts: int) -> None:
    with pytest.raises(TrainingError, match=rf"batch_size {size} does not divide among {world} processes"):
        Processes(0, world, torch.device("cpu")).share_of(size, parts)


def _threads_of_a_group() -> list[str]:
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return [name for name in names if "gloo" in name]


def _wrapping_rank(rank: int, port: int) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with processes("cpu") as peers:
        linear = torch.nn.Linear(2, 1)
        wrapped = peers.wrap(linear)
        wrapped(torch.full((3, 2), float(rank))).sum().backward()
        assert _threads_of_a_group()
    # The module is still here, and in training it is in frames and tracebacks.
    assert wrapped is not linear
    assert linear.weight.grad is not None
    assert linear.weight.grad.tolist() == [[1.5, 1.5]]
    assert not _threads_of_a_group()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are listed on Linux alone")
def test_a_wrapped_module_does_not_keep_the_group() -> None:
    """The last to let go of a group waits for its threads: it must not be a reducer, which holds the GIL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(_wrapping_rank, (port,), nprocs=2)  # type: ignore[attr-defined]
