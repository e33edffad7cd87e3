"""Connectionist temporal classification: the loss (Graves et al., ICML 2006).

Shapes: T steps, B images, C classes; class 0 is the blank.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from siman_synth.recognition.charset import BLANK


def ctc_loss(log_probs: Tensor, labels: Sequence[Sequence[int]]) -> Tensor:
    """Return the mean over images of -log p(label) by character.

    Labels that do not fit into T steps count as zero and teach nothing; `fits` tells them.

    Args:
        log_probs: (T, B, C).
        labels: B labels as classes, without blanks.
    """
    return _loss(log_probs, labels, "mean")


def ctc_total(log_probs: Tensor, labels: Sequence[Sequence[int]]) -> Tensor:
    """Return the sum over images of -log p(label), otherwise as `ctc_loss`."""
    return _loss(log_probs, labels, "sum")


def _loss(log_probs: Tensor, labels: Sequence[Sequence[int]], reduction: str) -> Tensor:
    steps, count, _ = log_probs.shape
    flat = torch.tensor([number for label in labels for number in label], device=log_probs.device)
    lengths = torch.tensor([len(label) for label in labels])
    every_step = torch.full((count,), steps)
    return functional.ctc_loss(
        log_probs, flat.long(), every_step, lengths, BLANK, reduction=reduction, zero_infinity=True
    )


def fits(label: Sequence[int], steps: int) -> bool:
    """Whether a label can be written in so many steps; equal neighbours need a blank between them."""
    return len(label) + sum(a == b for a, b in pairwise(label)) <= steps
