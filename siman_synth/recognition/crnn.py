"""A small CRNN (Shi et al., TPAMI 2017): convolutions, a bidirectional LSTM, a class for each step.

About 380,000 parameters: it trains on two cores in a quarter of an hour, and is meant to compare
training sets, not to be the best reader.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from siman_synth.recognition.charset import Charset
from siman_synth.recognition.ctc import best_path
from siman_synth.recognition.images import HEIGHT_PX, WIDTH_PX, to_batch

STEPS = WIDTH_PX // 4
"""Steps that an image of 100 px gives; a word needs one for each character."""


class Crnn(nn.Module):
    """From images (B, 3, 32, W) in [-1, 1] to log-probabilities (W / 4, B, classes).

    Args:
        classes: how many, CTC's blank included.
        widths: channels of the four stages, at strides (2, 2), (4, 2), (8, 4) and (16, 4).
        hidden: units of the LSTM in each direction.
    """

    def __init__(
        self, classes: int, widths: tuple[int, int, int, int] = (24, 48, 96, 128), hidden: int = 96
    ) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.features = nn.Sequential(
            *_convolution(3, first, stride=(2, 2)),
            *_convolution(first, second, stride=(2, 1)),
            *_convolution(second, third, stride=(2, 2)),
            *_convolution(third, fourth, stride=(2, 1)),
            *_convolution(fourth, fourth, kernel=(HEIGHT_PX // 16, 1), padding=0),
        )
        self.context = nn.LSTM(fourth, hidden, bidirectional=True)
        self.classify = nn.Linear(2 * hidden, classes)
        # Convolutions on the CPU are faster so.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return log-probabilities (T, B, C), time first as CTC wants them."""
        columns = self.features(images).squeeze(2).permute(2, 0, 1)
        return functional.log_softmax(self.classify(self.context(columns)[0]), dim=2)


def read_words(
    crnn: Crnn, images: Sequence[np.ndarray], charset: Charset, batch_size: int = 128
) -> list[str]:
    """Read uint8 (H, W, 3) word images of any size, greedily."""
    device = crnn.classify.weight.device
    was_training = crnn.training
    crnn.eval()
    words: list[str] = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = to_batch(images[start : start + batch_size]).to(device)
            words += map(charset.decode, best_path(crnn(batch)))
    crnn.train(was_training)
    return words


def _convolution(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: int = 1,
) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
