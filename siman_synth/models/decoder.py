"""The lightweight decoder, symmetric to the encoder: restyled levels back to an image."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from siman_synth.models.blocks import Blur, Conv, PlainBlock, equal_phases_, upsample_to


class Decoder(nn.Module):
    """Fuse restyled levels from coarse to fine and paint an image.

    Args:
        level_channels: channels of the levels, coarse to fine.
        strides: horizontal strides of the levels.
        widths: channels inside the decoder at each level.
        blocks: residual blocks at each level.
        paint_width: channels at full resolution, where every channel costs most.
        smooth: start the phases of every pixel shuffle equal and blur what the last one makes, so
            that flat grounds hold no grid.
    """

    def __init__(
        self,
        level_channels: Sequence[int],
        strides: Sequence[int],
        widths: Sequence[int],
        blocks: Sequence[int],
        paint_width: int,
        smooth: bool = False,
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
            doubling = Conv(width, 4 * out)
            if smooth:
                equal_phases_(doubling.conv)
            self.doublings.append(doubling)
            width = out
        self.blur = Blur(width) if smooth else None
        self.paint = Conv(width, width)
        self.to_rgb = Conv(width, 3, gain=0.5)

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Map levels [(B, C_l, H_l, W_l)], coarse to fine, to images (B, 3, H, W) before their tanh."""
        x: Tensor | None = None
        for index, level in enumerate(levels):
            if x is not None:
                carried = self.leave[index - 1](x.relu_())
                level = torch.cat([level, upsample_to(carried, level)], dim=1)
            x = self.enter[index](level)
            for block in cast(nn.ModuleList, self.blocks[index]):
                x = block(x)
        assert x is not None
        for doubling in self.doublings:
            x = functional.pixel_shuffle(doubling(x.relu_()), 2)
        if self.blur is not None:
            x = self.blur(x)
        x = self.paint(x.relu_())
        image: Tensor = self.to_rgb(x.relu_())
        return image
