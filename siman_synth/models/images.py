"""The two functions that convert between images outside and inside the networks.

Outside: uint8 (H, W, 3) RGB. Inside: float32 (B, 3, H, W) in [-1, 1].
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def to_network(images: Sequence[np.ndarray]) -> Tensor:
    """Stack uint8 images (H, W, 3) of one size into a float batch (B, 3, H, W), channels last.

    Raises:
        ValueError: the images differ in size.
    """
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    return pixels.to(torch.float32, memory_format=torch.channels_last).div_(127.5).sub_(1.0)


def from_network(batch: Tensor) -> list[np.ndarray]:
    """Turn a batch (B, 3, H, W) in [-1, 1] into uint8 images (H, W, 3)."""
    pixels = batch.detach().float().add(1.0).mul(127.5).round_().clamp_(0, 255)
    return list(pixels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy())
