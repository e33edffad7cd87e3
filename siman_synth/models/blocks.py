"""Convolutions that respect padding, and the few blocks built from them.

Images of different widths share a batch by padding at the right. A mask of shape
(B, 1, 1, W) holds 1 where a column is real; every convolution here zeroes what lies
beyond it, so that a padded image meets the same zeros at its right edge as it would
meet alone. That is what makes a result independent of its neighbours in the batch.

Shapes: B batch, C channels, H height, W width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


def mask_at(mask: Tensor | None, stride: int) -> Tensor | None:
    """Return the column mask at a feature level of horizontal `stride` (1 is the image)."""
    return None if mask is None else mask[..., ::stride]


def apply_mask(x: Tensor, mask: Tensor | None) -> Tensor:
    """Zero the columns of `x` (B, C, H, W) that lie beyond each image's own width."""
    return x if mask is None else x * mask


class Conv(nn.Module):
    """A convolution, optionally with batch normalisation, that keeps padding at zero.

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

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (B, C, H, W) to (B, C', H', W'); `mask` belongs to the *output* width."""
        if self.extra_pad is not None:
            x = functional.pad(x, self.extra_pad)
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return apply_mask(x, mask)


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

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (B, C, H, W) to the same shape."""
        inner = self.first(functional.relu(x), mask)
        residual: Tensor = self.second(inner.relu_(), mask)
        return residual.add_(x)


class NormBlock(nn.Module):
    """ResNet's basic block (3 x 3, batch normalisation, post-activation), as in ResNet-29."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.first = Conv(in_channels, channels, norm=True)
        self.second = Conv(channels, channels, norm=True)
        self.shortcut = Conv(in_channels, channels, kernel=1, norm=True) if in_channels != channels else None

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map (B, C, H, W) to (B, C', H, W)."""
        inner = self.second(functional.relu(self.first(x, mask)), mask)
        identity = x if self.shortcut is None else self.shortcut(x, mask)
        return functional.relu(identity + inner)


def upsample_to(x: Tensor, like: Tensor) -> Tensor:
    """Repeat `x` (nearest neighbour) to the height and width of `like`.

    Where a level has odd width the coarser one covers a column more; it is cut.
    """
    rows = -(-like.shape[-2] // x.shape[-2])
    columns = -(-like.shape[-1] // x.shape[-1])
    x = functional.interpolate(x, scale_factor=(float(rows), float(columns)), mode="nearest")
    return x[..., : like.shape[-2], : like.shape[-1]]
