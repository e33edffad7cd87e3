"""From images to columns: what a recognizer's context and decoder read.

Shapes: B batch, H x W pixels, T columns, C channels.
"""

from typing import cast

import torch
from torch import Tensor, nn

from siman_synth.models.encoder import PyramidEncoder, ResNet29
from siman_synth.models.siman import instance_norm


class CrnnColumns(nn.Module):
    """A few small convolutions (Shi et al., TPAMI 2017), from images (B, 3, 32, W) to (B, W / 4, C).

    Args:
        widths: channels of the four stages, at strides (2, 2), (4, 2), (8, 4) and (16, 4).
        height_px: H, a multiple of 16.
    """

    def __init__(self, widths: tuple[int, int, int, int] = (24, 48, 96, 128), height_px: int = 32) -> None:
        super().__init__()
        first, second, third, self.channels = widths
        self.layers = nn.Sequential(
            *_convolution(3, first, stride=(2, 2)),
            *_convolution(first, second, stride=(2, 1)),
            *_convolution(second, third, stride=(2, 2)),
            *_convolution(third, self.channels, stride=(2, 1)),
            *_convolution(self.channels, self.channels, kernel=(height_px // 16, 1), padding=0),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return columns (B, T, C)."""
        return cast(Tensor, self.layers(images)).squeeze(2).transpose(1, 2)


class ResNetColumns(nn.Module):
    """The last level of a ResNet-29, the mean of its rows: (B, 3, 32, W) to (B, W / 4, 512)."""

    def __init__(self, encoder: ResNet29) -> None:
        super().__init__()
        self.encoder = encoder
        self.channels = encoder.channels[0]

    def forward(self, images: Tensor) -> Tensor:
        """Return columns (B, T, C)."""
        return cast(Tensor, self.encoder(images)[0]).mean(dim=2).transpose(1, 2)


class PyramidColumns(nn.Module):
    """Every level of a pyramid encoder, a column's rows side by side, mapped to C channels by one matrix.

    The levels are instance-normalised, as SimAN's queries are: what is left says which stroke is
    where, not in which colour. The matrix, and a normalisation over a word's columns after it, are all
    that stands between features and context, so that what is read there was in the features.

    Args:
        encoder: strides 4 and 2.
        channels: C.
        height_px: H.
    """

    def __init__(self, encoder: PyramidEncoder, channels: int = 256, height_px: int = 32) -> None:
        super().__init__()
        self.encoder = encoder
        self.channels = channels
        coarsest = max(encoder.strides)
        inputs = sum(
            width * (height_px // stride) * (coarsest // stride)
            for width, stride in zip(encoder.channels, encoder.strides, strict=True)
        )
        self.project = nn.Linear(inputs, channels, bias=False)
        # Without it an LSTM reads nothing for thousands of steps from features that are frozen.
        self.norm = nn.InstanceNorm1d(channels, affine=True)

    def forward(self, images: Tensor) -> Tensor:
        """Return columns (B, T, C)."""
        levels = [instance_norm(level) for level in self.encoder(images)]
        columns = min(level.shape[-1] for level in levels)
        stacked = [
            level.reshape(*level.shape[:-1], columns, -1).permute(0, 3, 1, 2, 4).flatten(2)
            for level in levels
        ]
        channels_first = self.project(torch.cat(stacked, dim=2)).transpose(1, 2)
        return cast(Tensor, self.norm(channels_first)).transpose(1, 2)


def _convolution(
    inputs: int,
    outputs: int,
    kernel: tuple[int, int] = (3, 3),
    stride: tuple[int, int] = (1, 1),
    padding: int = 1,
) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
