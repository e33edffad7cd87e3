"""CTC against plain enumeration of all paths."""

import itertools
import math

import pytest
import torch

from siman_synth.recognition.ctc import ctc_loss, ctc_total, fits


def collapsed(path: tuple[int, ...]) -> list[int]:
    return [number for number, _ in itertools.groupby(path) if number]


def test_the_loss_is_that_of_all_paths_together() -> None:
    log_probs = torch.randn(4, 2, 3, generator=torch.Generator().manual_seed(0)).log_softmax(2)
    labels = [[1, 2], [2, 2]]
    expected = []
    for image, label in enumerate(labels):
        total = sum(
            math.exp(sum(float(log_probs[step, image, number]) for step, number in enumerate(path)))
            for path in itertools.product(range(3), repeat=4)
            if collapsed(path) == label
        )
        expected.append(-math.log(total) / len(label))
    assert float(ctc_loss(log_probs, labels)) == pytest.approx(sum(expected) / 2, rel=1e-5)
    whole_words = sum(one * len(label) for one, label in zip(expected, labels, strict=True))
    assert float(ctc_total(log_probs, labels)) == pytest.approx(whole_words, rel=1e-5)


def test_a_label_that_does_not_fit_teaches_nothing() -> None:
    log_probs = torch.zeros(2, 1, 3).log_softmax(2).requires_grad_()
    loss = ctc_loss(log_probs, [[1, 1]])
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 0.0
    assert log_probs.grad is not None
    assert not log_probs.grad.any()


@pytest.mark.parametrize(
    ("label", "steps", "answer"), [([1, 2], 2, True), ([1, 1], 2, False), ([1, 1], 3, True), ([], 0, True)]
)
def test_equal_neighbours_need_a_step_between_them(label: list[int], steps: int, answer: bool) -> None:
    assert fits(label, steps) is answer
