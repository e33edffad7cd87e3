"""The attention decoder and its loss against plain loops."""

import math

import pytest
import torch
from torch import Tensor

from siman_synth.recognition.attention import END, AttentionDecoder, attention_loss


def by_hand(decoder: AttentionDecoder, columns: Tensor, before: list[int]) -> list[list[float]]:
    """Return the probabilities of every class after each character, for columns (T, C)."""
    hidden = memory = torch.zeros(decoder.hidden)
    chances = []
    for number in before:
        asked = decoder.state_in.weight @ hidden + decoder.state_in.bias
        keys = [torch.tanh(decoder.columns_in.weight @ column + asked) for column in columns]
        energies = [float(decoder.score.weight[0] @ key) for key in keys]
        weights = [math.exp(energy) / sum(map(math.exp, energies)) for energy in energies]
        glimpse = torch.stack([w * column for w, column in zip(weights, columns, strict=True)]).sum(0)
        one_hot = torch.tensor([float(i == number) for i in range(decoder.classes)])
        cell = decoder.cell
        gates = cell.weight_ih @ torch.cat([glimpse, one_hot]) + cell.bias_ih + cell.weight_hh @ hidden
        into, forget, new, out = (gates + cell.bias_hh).chunk(4)
        memory = torch.sigmoid(forget) * memory + torch.sigmoid(into) * torch.tanh(new)
        hidden = torch.sigmoid(out) * torch.tanh(memory)
        chances.append((decoder.classify.weight @ hidden + decoder.classify.bias).softmax(0).tolist())
    return chances


@pytest.fixture
def decoder() -> AttentionDecoder:
    torch.manual_seed(0)
    return AttentionDecoder(channels=5, classes=4, hidden=6, longest=3)


def test_the_loss_is_that_of_a_plain_loop(decoder: AttentionDecoder) -> None:
    columns = torch.randn(2, 7, 5)
    labels = [[1, 3, 2], [2]]
    total, characters = 0.0, 0
    with torch.no_grad():
        for row, label in enumerate(labels):
            chances = by_hand(decoder, columns[row], [0, *label])
            for chance, number in zip(chances, [*label, END], strict=True):
                total -= math.log(chance[number])
                characters += 1
        assert float(attention_loss(decoder, columns, labels)) == pytest.approx(total / characters, rel=1e-5)


def test_reading_takes_the_best_class_of_a_plain_loop_until_the_end(decoder: AttentionDecoder) -> None:
    columns = 3 * torch.randn(6, 7, 5)
    classes, chances = decoder.read(columns)
    for row in range(len(columns)):
        before: list[int] = [0]
        expected: list[tuple[int, float]] = []
        with torch.no_grad():
            while len(expected) <= decoder.longest:
                last = by_hand(decoder, columns[row], before)[-1]
                number = max(range(len(last)), key=last.__getitem__)
                expected.append((number, last[number]))
                before.append(number)
                if number == END:
                    break
        found = list(zip(classes[row].tolist(), chances[row].tolist(), strict=True))
        assert [number for number, _ in found[: len(expected)]] == [number for number, _ in expected]
        assert [c for _, c in found[: len(expected)]] == pytest.approx([c for _, c in expected], rel=1e-4)
        assert all(one == (END, 1.0) for one in found[len(expected) :])


def test_it_has_the_published_size() -> None:
    decoder = AttentionDecoder(channels=256, classes=38, hidden=256)
    assert sum(parameter.numel() for parameter in decoder.parameters()) == 706_598
