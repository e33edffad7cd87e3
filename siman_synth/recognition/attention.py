"""The attention decoder: one character after the other, each looking for its columns.

Source: Bahdanau attention as in the deep text recognition benchmark: the character before enters
as one-hot, not as an embedding.

Shapes: B batch, T columns, C channels, S characters, K classes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

START = END = 0
"""Class 0 begins a word when it is read, and ends it when it is written."""


class AttentionDecoder(nn.Module):
    """Write a word from its columns.

    Args:
        channels: C of the columns.
        classes: K, the class that begins and ends a word included.
        hidden: units of the LSTM cell.
        longest: the most characters that a word may have.
    """

    def __init__(self, channels: int, classes: int, hidden: int = 256, longest: int = 25) -> None:
        super().__init__()
        self.classes, self.hidden, self.longest = classes, hidden, longest
        self.columns_in = nn.Linear(channels, hidden, bias=False)
        self.state_in = nn.Linear(hidden, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.cell = nn.LSTMCell(channels + classes, hidden)
        self.classify = nn.Linear(hidden, classes)

    def forward(self, columns: Tensor, before: Tensor) -> Tensor:
        """Return logits (B, S, K) of each character, given the true one before it, (B, S) int64."""
        state = self._start(columns)
        keys = self.columns_in(columns)
        outputs = []
        for step in range(before.shape[1]):
            state = self._step(columns, keys, state, before[:, step])
            outputs.append(state[0])
        logits: Tensor = self.classify(torch.stack(outputs, dim=1))
        return logits

    @torch.no_grad()
    def read(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        """Read greedily; returns classes (B, longest + 1) and their probabilities, both filled after END."""
        batch = len(columns)
        state = self._start(columns)
        keys = self.columns_in(columns)
        before = torch.full((batch,), START, device=columns.device)
        done = torch.zeros(batch, dtype=torch.bool, device=columns.device)
        classes = torch.full((batch, self.longest + 1), END, device=columns.device)
        chances = torch.ones(batch, self.longest + 1, device=columns.device)
        for step in range(self.longest + 1):
            state = self._step(columns, keys, state, before)
            chance, before = self.classify(state[0]).softmax(dim=1).max(dim=1)
            classes[:, step] = before.masked_fill(done, END)
            chances[:, step] = chance.float().masked_fill(done, 1.0)
            done |= before == END
            if bool(done.all()):
                break
        return classes, chances

    def _start(self, columns: Tensor) -> tuple[Tensor, Tensor]:
        zeros = columns.new_zeros(len(columns), self.hidden)
        return zeros, zeros

    def _step(
        self, columns: Tensor, keys: Tensor, state: tuple[Tensor, Tensor], before: Tensor
    ) -> tuple[Tensor, Tensor]:
        energy = self.score(torch.tanh(keys + self.state_in(state[0])[:, None]))
        glimpse = (torch.softmax(energy, dim=1) * columns).sum(dim=1)
        written = functional.one_hot(before, self.classes).to(glimpse.dtype)
        found: tuple[Tensor, Tensor] = self.cell(torch.cat([glimpse, written], dim=1), state)
        return found


def attention_loss(decoder: AttentionDecoder, columns: Tensor, labels: Sequence[Sequence[int]]) -> Tensor:
    """Return the mean over characters, the end included, of -log p(character | those before it)."""
    steps = max(map(len, labels)) + 1
    before = torch.full((len(labels), steps), START, device=columns.device)
    target = torch.full((len(labels), steps), -1, device=columns.device)
    for row, label in enumerate(labels):
        numbers = torch.tensor(label, dtype=torch.int64, device=columns.device)
        before[row, 1 : len(label) + 1] = numbers
        target[row, : len(label)] = numbers
        target[row, len(label)] = END
    logits = decoder(columns, before)
    return functional.cross_entropy(logits.flatten(0, 1).float(), target.flatten(), ignore_index=-1)
