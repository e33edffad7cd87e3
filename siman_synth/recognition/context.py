"""What stands beside a column: bidirectional LSTMs over the columns of a word.

Shapes: B batch, T columns, C channels.
"""

from torch import Tensor, nn


class Context(nn.Module):
    """Bidirectional LSTMs, each followed by a linear layer (deep text recognition benchmark).

    Args:
        channels: C of the columns that are given.
        hidden: units in each direction.
        layers: how many; 0 leaves the columns as they are.
        project: whether a linear layer follows each LSTM. `channels` of the result are `hidden`
            with it, twice as many without.
    """

    def __init__(self, channels: int, hidden: int = 256, layers: int = 2, project: bool = True) -> None:
        super().__init__()
        self.lstms = nn.ModuleList()
        self.projections = nn.ModuleList()
        for _ in range(layers):
            self.lstms.append(nn.LSTM(channels, hidden, bidirectional=True, batch_first=True))
            self.projections.append(nn.Linear(2 * hidden, hidden) if project else nn.Identity())
            channels = hidden if project else 2 * hidden
        self.channels = channels

    def forward(self, columns: Tensor) -> Tensor:
        """Map columns (B, T, C) to columns that know their neighbours, (B, T, C')."""
        for lstm, projection in zip(self.lstms, self.projections, strict=True):
            columns = projection(lstm(columns)[0])
        return columns
