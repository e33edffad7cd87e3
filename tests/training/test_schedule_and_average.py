"""What a step is scaled by: the learning rate, and the moving average's length."""

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from siman_synth.training.average import MovingAverage
from siman_synth.training.schedule import LinearSchedule

STEPS = st.integers(1, 200)


def test_the_rate_falls_in_a_line() -> None:
    schedule = LinearSchedule(4e-4, 4e-5, 8_000)
    assert abs(schedule.rate(0) - 4e-4) < 1e-12
    assert schedule.rate(7_999) == 4e-5
    assert abs(schedule.rate(4_000) - (4e-4 - 3.6e-4 * 4_000 / 7_999)) < 1e-12
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    assert schedule.apply(4_000, [optimiser]) == optimiser.param_groups[0]["lr"] == schedule.rate(4_000)


@given(ends=st.lists(STEPS, min_size=1, max_size=5), stops=st.lists(STEPS, min_size=5, max_size=5))
def test_no_change_of_the_end_ever_raises_the_rate(ends: list[int], stops: list[int]) -> None:
    schedule, step, rates = LinearSchedule(4e-4, 4e-5, ends[0]), 0, []
    for end, stop in zip(ends, stops, strict=False):
        if end != schedule.steps:
            schedule.change_end(step, end)
        while step < min(end, stop):
            rates.append(schedule.rate(step))
            step += 1
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in itertools.pairwise(rates))
    assert all(4e-5 * (1 - 1e-9) <= rate <= 4e-4 for rate in rates)


def test_a_finished_run_goes_on_at_its_last_rate() -> None:
    schedule = LinearSchedule(4e-4, 4e-5, 8_000)
    schedule.change_end(8_000, 20_000)
    assert {round(schedule.rate(step), 12) for step in range(8_000, 20_000, 7)} == {4e-5}


def test_half_way_the_rate_goes_on_from_where_it_stands() -> None:
    schedule = LinearSchedule(4e-4, 4e-5, 8_000)
    before = schedule.rate(4_000)
    schedule.change_end(4_000, 20_000)
    assert abs(schedule.rate(4_000) - before) < 1e-12
    assert abs(schedule.rate(19_999) - 4e-5) < 1e-12


def test_the_line_survives_a_checkpoint() -> None:
    schedule = LinearSchedule(4e-4, 4e-5, 100)
    schedule.change_end(50, 300)
    other = LinearSchedule(1.0, 0.0, 1)
    other.load_state_dict(schedule.state_dict())
    assert [other.rate(step) for step in range(300)] == [schedule.rate(step) for step in range(300)]


def averaged(batch_size: int, half_life: int, images: int, before: int = 10**7) -> float:
    """Return what is left of a weight of 1 after so many images of a weight of 0."""
    network = nn.Linear(1, 1, bias=False)
    nn.init.ones_(network.weight)
    average = MovingAverage(network, half_life, batch_size)
    nn.init.zeros_(network.weight)
    for seen in range(batch_size, images + 1, batch_size):
        average.update(before + seen)
    module = average.module
    assert isinstance(module, nn.Linear)
    return module.weight.item()


def test_the_half_life_is_in_images_whatever_the_batch() -> None:
    for batch_size in (16, 64, 256, 1024):
        assert abs(averaged(batch_size, 65_536, 65_536) - 0.5) < 1e-3


def test_the_default_is_a_thousandth_a_step_at_batch_64() -> None:
    assert abs((1 - averaged(64, 44_000, 64)) - 1e-3) < 1e-5


def test_early_weights_are_forgotten_soon() -> None:
    """After n steps of batch 64 the share of the newest weights is about 9 / (n + 9), whatever the batch."""
    for batch_size in (16, 64, 256):
        assert averaged(batch_size, 44_000, 6_400, before=0) < 0.01
    assert abs((1 - averaged(64, 44_000, 64, before=64 * 99)) - 9 / 109) < 0.01


def test_buffers_are_those_of_now() -> None:
    network = nn.BatchNorm1d(1)
    average = MovingAverage(network, 44_000, 64)
    network(torch.randn(64, 1) + 5)
    average.update(64)
    assert torch.equal(dict(average.module.named_buffers())["running_mean"], network.running_mean)  # type: ignore[arg-type]
