"""The three losses of section 3.3, each a pure function of tensors."""

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
