"""The two functions that convert between images outside and inside the networks.

Outside: uint8 (H, W, 3) RGB. Inside: float32 (B, 3, H, W) in [-1, 1].
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def to_network(images: Sequence[np.ndarray]) -> tuple[Tensor, Tensor | None]:
    """Stack uint8 images (H, W_i, 3) of one height into a batch and its column mask.

    Returns float (B, 3, H, W) with W the widest, and a mask (B, 1, 1, W), which is None when
    all widths are equal. Padding is zero, which is what masked convolutions expect.
    """
    widths = [image.shape[1] for image in images]
    height, width = images[0].shape[0], max(widths)
    batch = torch.zeros(len(images), 3, height, width).contiguous(memory_format=torch.channels_last)
    for index, image in enumerate(images):
        pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
        batch[index, :, :, : widths[index]] = pixels.float().div_(127.5).sub_(1.0)
    if min(widths) == width:
        return batch, None
    columns = torch.arange(width) < torch.tensor(widths)[:, None]
    return batch, columns[:, None, None, :].float()


def from_network(batch: Tensor, widths: Sequence[int] | None = None) -> list[np.ndarray]:
    """Turn a batch (B, 3, H, W) in [-1, 1] into uint8 (H, W_i, 3), cut to `widths` if given."""
    pixels = batch.detach().float().add(1.0).mul(127.5).round_().clamp_(0, 255)
    array = pixels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
    if widths is None:
        return list(array)
    return [image[:, :width] for image, width in zip(array, widths, strict=True)]
