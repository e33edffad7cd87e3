"""Encoders: one network reads content and style alike (paper, section 3 and figure 2).

Or, where content is a plain render, a light one reads it.

All return feature levels from coarse to fine. `strides` are the horizontal strides of
the levels.
"""

from torch import Tensor, nn
from torch.nn import functional

from siman_synth.models.blocks import Conv, NormBlock, PlainBlock, upsample_to


class PyramidEncoder(nn.Module):
    """The `small` preset's encoder: strides 2, 4 and 8 with a top-down path.

    Most channels sit where positions are few, which is cheap on a CPU and gives every
    position the context it needs to tell ink from background. The top-down path carries
    that context to the fine levels, where the two SimAN modules act.
    """

    strides = (4, 2)
    height_px = None
    """Any multiple of 4."""

    def __init__(self, widths: tuple[int, int, int], blocks: tuple[int, int, int]) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.channels = (middle, fine)
        self.stem = Conv(3, fine, kernel=4, stride=2, pad=(1, 1, 1, 1))
        self.fine = nn.ModuleList(PlainBlock(fine) for _ in range(blocks[0]))
        self.to_middle = Conv(fine, middle, kernel=4, stride=2, pad=(1, 1, 1, 1))
        self.middle = nn.ModuleList(PlainBlock(middle) for _ in range(blocks[1]))
        self.to_coarse = Conv(middle, coarse, stride=2)
        self.coarse = nn.ModuleList(PlainBlock(coarse) for _ in range(blocks[2]))
        self.coarse_to_middle = Conv(coarse, middle, kernel=1, gain=0.5)
        self.middle_out = Conv(middle, middle)
        self.middle_to_fine = Conv(middle, fine, kernel=1, gain=0.5)
        self.fine_out = Conv(fine, fine)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map images (B, 3, H, W), H and W multiples of 4, to levels at strides 4 and 2."""
        fine = _run(self.fine, self.stem(images))
        middle = _run(self.middle, self.to_middle(functional.relu(fine)))
        coarse = _run(self.coarse, self.to_coarse(functional.relu(middle)))
        context = upsample_to(self.coarse_to_middle(coarse.relu_()), middle)
        middle = self.middle_out((middle + context).relu_())
        context = upsample_to(self.middle_to_fine(functional.relu(middle)), fine)
        fine = self.fine_out((fine + context).relu_())
        return middle, fine


class PlainRenderEncoder(nn.Module):
    """Content features of a plain render, for a fifth of what reading a photo costs.

    A plain render says outright what is ink. Its first channel alone is read: the three are equal.
    Levels and channels are those of the style encoder that it stands beside.
    """

    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        middle, fine = channels
        self.stem = Conv(1, fine, kernel=4, stride=2, pad=(1, 1, 1, 1))
        self.fine = Conv(fine, fine)
        self.to_middle = Conv(fine, middle, kernel=4, stride=2, pad=(1, 1, 1, 1))
        self.middle = PlainBlock(middle)
        self.middle_to_fine = Conv(middle, fine, kernel=1, gain=0.5)
        self.fine_out = Conv(fine, fine)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map images (B, 3, H, W), H and W multiples of 4, to levels at strides 4 and 2."""
        fine = self.fine(self.stem(images[:, :1]).relu_())
        middle = self.middle(self.to_middle(functional.relu(fine)))
        context = upsample_to(self.middle_to_fine(functional.relu(middle)), fine)
        return middle, self.fine_out((fine + context).relu_())


class ResNet29(nn.Module):
    """The recognition literature's ResNet-29, the `paper` preset's encoder.

    Source: Cheng et al., "Focusing Attention" (FAN), as used by the deep text recognition
    benchmark and by the paper (section 4.2). The layers and weight shapes are the same; the
    2 x 2 kernels that there add a column at each side add one at the right only here, so that
    the width stays W / 4 and a position of the last level still stands for four pixels.

    Levels: the output of the backbone, (B, 512, H/32, W/4), and that of the second stage,
    (B, 256, H/4, W/4). The last level alone has lost the vertical layout of strokes.
    """

    strides = (4, 4)
    channels = (512, 256)
    height_px = 32
    """Of others it makes no row, or more rows than it was made for."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0_1 = Conv(3, 32, norm=True)
        self.conv0_2 = Conv(32, 64, norm=True)
        self.layer1 = nn.ModuleList([NormBlock(64, 128)])
        self.conv1 = Conv(128, 128, norm=True)
        self.layer2 = nn.ModuleList([NormBlock(128, 256), NormBlock(256, 256)])
        self.conv2 = Conv(256, 256, norm=True)
        self.layer3 = nn.ModuleList(NormBlock(256 if i == 0 else 512, 512) for i in range(5))
        self.conv3 = Conv(512, 512, norm=True)
        self.layer4 = nn.ModuleList(NormBlock(512, 512) for _ in range(3))
        self.conv4_1 = Conv(512, 512, kernel=2, stride=(2, 1), pad=(0, 1, 0, 0), norm=True)
        self.conv4_2 = Conv(512, 512, kernel=2, stride=1, pad=(0, 1, 0, 0), norm=True)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map images (B, 3, 32, W), W a multiple of 4, to the two levels named above."""
        x = functional.relu(self.conv0_1(images))
        x = functional.max_pool2d(functional.relu(self.conv0_2(x)), 2)
        x = functional.relu(self.conv1(_run(self.layer1, x)))
        x = _run(self.layer2, functional.max_pool2d(x, 2))
        fine = functional.relu(self.conv2(x))
        x = functional.max_pool2d(functional.pad(fine, (0, 1, 0, 0)), 2, (2, 1))
        x = functional.relu(self.conv3(_run(self.layer3, x)))
        x = _run(self.layer4, x)
        x = functional.relu(self.conv4_1(x))
        coarse = functional.relu(self.conv4_2(x))
        return coarse, fine


def _run(blocks: nn.ModuleList, x: Tensor) -> Tensor:
    for block in blocks:
        x = block(x)
    return x
