"""A convolution and the few blocks built from it.

Images of a batch are equally wide: nothing is padded for a neighbour's sake, so that a result
never depends on the batch. Shapes: B batch, C channels, H height, W width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Conv(nn.Module):
    """A convolution, optionally with batch normalisation.

    `pad` is (left, right, top, bottom); by default it keeps the size (odd kernels).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int = 3,
        stride: int | tuple[int, int] = 1,
        pad: tuple[int, int, int, int] | None = None,
        norm: bool = False,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        half = kernel // 2
        left, right, top, bottom = pad or (half, half, half, half)
        symmetric = left == right and top == bottom
        self.extra_pad = None if symmetric else (left, right, top, bottom)
        self.conv = nn.Conv2d(
            in_channels,
            out_channels,
            kernel,
            stride,
            (top, left) if symmetric else 0,
            bias=not norm,
        )
        self.norm = nn.BatchNorm2d(out_channels) if norm else None
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)
        with torch.no_grad():
            self.conv.weight.mul_(gain)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H', W')."""
        if self.extra_pad is not None:
            x = functional.pad(x, self.extra_pad)
        x = self.conv(x)
        return x if self.norm is None else self.norm(x)


class PlainBlock(nn.Module):
    """A pre-activation residual block without normalisation.

    Without normalisation there is no gap between training on patches and running on whole
    words, nothing to fold before inference and less memory traffic on a CPU. The second
    convolution starts small, which keeps a stack of blocks near the identity at first.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Conv(channels, channels)
        self.second = Conv(channels, channels, gain=0.25)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        inner = self.first(functional.relu(x))
        residual: Tensor = self.second(inner.relu_())
        return residual.add_(x)


class NormBlock(nn.Module):
    """ResNet's basic block (3 x 3, batch normalisation, post-activation), as in ResNet-29."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.first = Conv(in_channels, channels, norm=True)
        self.second = Conv(channels, channels, norm=True)
        self.shortcut = Conv(in_channels, channels, kernel=1, norm=True) if in_channels != channels else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H, W)."""
        inner = self.second(functional.relu(self.first(x)))
        identity = x if self.shortcut is None else self.shortcut(x)
        return functional.relu(identity + inner)


class Blur(nn.Module):
    """A fixed [1 2 1] blur along both axes, channel by channel.

    After a pixel shuffle it makes the four phases of flat features equal, so that no grid can
    arise: all that follows treats every pixel alike.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape; edges are repeated."""
        padded = functional.pad(x, (1, 1, 1, 1), mode="replicate")
        # Made here and no buffer: a network that is built without memory and filled from a file
        # would never get a buffer that the file does not hold.
        taps = torch.tensor([0.25, 0.5, 0.25], device=x.device, dtype=x.dtype)
        kernel = (taps[:, None] * taps).repeat(self.channels, 1, 1, 1)
        return functional.conv2d(padded, kernel, groups=self.channels)


def equal_phases_(conv: nn.Conv2d) -> None:
    """Start the four sub-pixel phases that a pixel shuffle makes of `conv` equal (ICNR)."""
    with torch.no_grad():
        conv.weight.copy_(conv.weight[::4].repeat_interleave(4, 0))


def upsample_to(x: Tensor, like: Tensor) -> Tensor:
    """Repeat `x` (nearest neighbour) to the height and width of `like`.

    Where a level has odd width the coarser one covers a column more; it is cut.
    """
    rows = -(-like.shape[-2] // x.shape[-2])
    columns = -(-like.shape[-1] // x.shape[-1])
    x = functional.interpolate(x, scale_factor=(float(rows), float(columns)), mode="nearest")
    return x[..., : like.shape[-2], : like.shape[-1]]
