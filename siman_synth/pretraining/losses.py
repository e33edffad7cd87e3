"""The three losses of section 3.3 and one on texture, each a pure function of tensors."""

import torch
from torch import Tensor
from torch.nn import functional


def reconstruction_loss(rebuilt: Tensor, target: Tensor) -> Tensor:
    """L2 between I_rec and I_c, both (B, 3, H, H), as a mean over pixels (equation 2)."""
    return functional.mse_loss(rebuilt.float(), target)


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """LSGAN for D: scores of I_s to 1, of I_rec to 0 (equation 3)."""
    return (real_scores.float() - 1).square().mean() + fake_scores.float().square().mean()


def generator_loss(fake_scores: Tensor) -> Tensor:
    """LSGAN for encoder and decoder: scores of I_rec to 1 (equation 4)."""
    return (fake_scores.float() - 1).square().mean()


def texture_loss(painted: Tensor, target: Tensor) -> Tensor:
    """Distance between local strengths of fine detail, both images (B, 3, H, W).

    The deviation of three high-pass bands (along x, along y, along both) and of a middle band in
    8 x 8 neighbourhoods, of each colour and of lightness, as a mean of absolute differences. It asks
    for as much grain as the target shows, wherever its single grains lie. Neighbourhoods that hold
    edges weigh less, down to a quarter: they are the rebuilding's and the adversary's business.
    """
    with torch.no_grad():
        theirs = _strengths(_with_lightness(target))
        edges = theirs[-1]
        weight = (0.08 / (0.08 + edges)).clamp_min(0.25)
    ours = _strengths(_with_lightness(painted.float()))
    return torch.stack(
        [(weight * (one - other).abs()).mean() for one, other in zip(ours, theirs, strict=True)]
    ).mean()


def _with_lightness(images: Tensor) -> Tensor:
    return torch.cat([images, images.mean(1, keepdim=True)], 1)


def _strengths(images: Tensor) -> list[Tensor]:
    along_x = _second_difference(images, -1)
    along_y = _second_difference(images, -2)
    both = _second_difference(along_x, -2)
    low = images - along_x - along_y + both  # the [1 2 1] blur
    middle = _second_difference(low[..., ::2, ::2], -1) + _second_difference(low[..., ::2, ::2], -2)
    return [
        *(_local_deviation(band, 8) for band in (along_x, along_y, 2.0 * both)),
        _local_deviation(middle, 4),
    ]


def _second_difference(images: Tensor, dim: int) -> Tensor:
    """What the blur [1 2 1] / 4 along `dim` takes away; zero at both ends."""
    length = images.shape[dim]
    inner = 0.5 * images.narrow(dim, 1, length - 2) - 0.25 * (
        images.narrow(dim, 0, length - 2) + images.narrow(dim, 2, length - 2)
    )
    padding = (1, 1) if dim == -1 else (0, 0, 1, 1)
    return functional.pad(inner, padding)


def _local_deviation(band: Tensor, window: int) -> Tensor:
    return (functional.avg_pool2d(band.square(), window, window // 2) + 1e-6).sqrt()
