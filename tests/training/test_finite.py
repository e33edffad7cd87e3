"""A loss that is not finite moves no optimiser, whether anybody looks or not."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from siman_synth.errors import TrainingError
from siman_synth.training.distributed import Processes, process_group
from siman_synth.training.finite import FiniteGuard

ALONE = Processes(0, 1, torch.device("cpu"))
GOOD, BAD = torch.tensor(0.5), torch.tensor(float("inf"))


class Trained:
    """One weight, its optimiser, and the guard between them."""

    def __init__(self, at_once: bool, peers: Processes = ALONE) -> None:
        self.weight = nn.Parameter(torch.zeros(1))
        self.optimiser = torch.optim.Adam([self.weight], fused=True)
        self.guard = FiniteGuard(peers, [self.optimiser], at_once)

    def step(self, number: int, loss: Tensor) -> float:
        """Take a step with a gradient of one and return the weight."""
        self.guard.watch(number, {"l2": loss})
        self.weight.grad = torch.ones(1)
        self.optimiser.step()
        return self.weight.item()


def test_raises_before_the_optimiser() -> None:
    trained = Trained(at_once=True)
    before = trained.step(1, GOOD)
    with pytest.raises(
        TrainingError,
        match=r"^Loss 'l2' is inf at step 2; no optimiser followed it\. The last checkpoint is good: resume "
        r"from it with a lower training\.learning_rate or precision = 'fp32'\.$",
    ):
        trained.step(2, BAD)
    assert trained.weight.item() == before != 0


def test_unread_it_keeps_the_weights_until_the_check_names_the_first_bad_step() -> None:
    trained = Trained(at_once=False)
    before = trained.step(1, GOOD)
    trained.guard.check()
    assert [trained.step(number, loss) for number, loss in ((2, BAD), (3, GOOD), (4, -BAD))] == [before] * 3
    with pytest.raises(TrainingError, match="Loss 'l2' is inf at step 2"):
        trained.guard.check()


def _threads() -> list[str]:
    return [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]


def _rank(rank: int, store: str) -> None:
    with process_group("gloo", init_method=store, rank=rank, world_size=2):
        trained = Trained(at_once=False, peers=Processes(rank, 2, torch.device("cpu")))
        before = trained.step(1, GOOD)
        assert trained.step(2, BAD if rank else GOOD) == before
        message = "Loss 'l2' is inf at step 2" if rank else "Another process had a loss not finite by step 2"
        with pytest.raises(TrainingError, match=message):
            trained.guard.check()
        assert any("gloo" in name for name in _threads())
    # A process that exits while the group's threads run may abort.
    assert not any("gloo" in name for name in _threads())


@pytest.mark.slow
def test_one_process_stops_all(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(  # type: ignore[attr-defined]
        _rank, ((tmp_path / "store").as_uri(),), nprocs=2
    )
