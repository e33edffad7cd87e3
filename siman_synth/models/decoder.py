"""The lightweight decoder, symmetric to the encoder: restyled levels back to an image."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from siman_synth.models.blocks import Conv, PlainBlock, mask_at, upsample_to


class Decoder(nn.Module):
    """Fuse restyled levels from coarse to fine and paint an image.

    Args:
        level_channels: channels of the levels, coarse to fine.
        strides: horizontal strides of the levels.
        widths: channels inside the decoder at each level.
        blocks: residual blocks at each level.
        paint_width: channels at full resolution, where every channel costs most.
    """

    def __init__(
        self,
        level_channels: Sequence[int],
        strides: Sequence[int],
        widths: Sequence[int],
        blocks: Sequence[int],
        paint_width: int,
    ) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.enter = nn.ModuleList()
        self.blocks = nn.ModuleList()
        self.leave = nn.ModuleList()
        carried = 0
        for index, (channels, width, count) in enumerate(zip(level_channels, widths, blocks, strict=True)):
            self.enter.append(Conv(channels + carried, width))
            self.blocks.append(nn.ModuleList(PlainBlock(width) for _ in range(count)))
            if index + 1 < len(level_channels):
                carried = max(width // 2, 16)
                self.leave.append(Conv(width, carried, kernel=1))
        self.doublings = nn.ModuleList()
        width, stride = widths[-1], self.strides[-1]
        while stride > 1:
            stride //= 2
            out = paint_width if stride == 1 else max(width // 2, paint_width)
            self.doublings.append(Conv(width, 4 * out))
            width = out
        self.paint = Conv(width, width)
        self.to_rgb = Conv(width, 3, gain=0.5)

    def forward(self, levels: Sequence[Tensor], mask: Tensor | None = None) -> Tensor:
        """Map levels [(B, C_l, H_l, W_l)], coarse to fine, to images (B, 3, H, W) in [-1, 1]."""
        x: Tensor | None = None
        for index, level in enumerate(levels):
            level_mask = mask_at(mask, self.strides[index])
            if x is not None:
                carried = self.leave[index - 1](x.relu_(), mask_at(mask, self.strides[index - 1]))
                level = torch.cat([level, upsample_to(carried, level)], dim=1)
                if level_mask is not None:
                    level = level * level_mask
            x = self.enter[index](level, level_mask)
            for block in cast(nn.ModuleList, self.blocks[index]):
                x = block(x, level_mask)
        assert x is not None
        stride = self.strides[-1]
        for doubling in self.doublings:
            x = functional.pixel_shuffle(doubling(x.relu_(), mask_at(mask, stride)), 2)
            stride //= 2
        x = self.paint(x.relu_(), mask)
        return torch.tanh(self.to_rgb(x.relu_(), mask))
