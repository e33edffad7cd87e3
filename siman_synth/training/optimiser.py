"""The optimiser of every training."""

import torch
from torch import nn

from siman_synth.training.config import OptimisationConfig


def adam(module: nn.Module, config: OptimisationConfig) -> torch.optim.Adam:
    """Return Adam for all parameters; fused, because `FiniteGuard` stops only fused optimisers."""
    return torch.optim.Adam(module.parameters(), lr=config.learning_rate, betas=config.betas, fused=True)
