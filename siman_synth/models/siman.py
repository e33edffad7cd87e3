"""Similarity-aware normalisation (paper, section 3.2): the right style to the right place.

Shapes: B batch, C channels, H x W content positions, N style positions.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

_EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class StyleLevel:
    """What one feature level of a style crop contributes; computed once, used for any content."""

    keys: Tensor
    """(B, N, C): instance-normalised style features."""
    values: Tensor
    """(B, N, 2C): local mean, then local deviation (equation 1)."""
    valid: Tensor | None = None
    """(B, N) bool, False on padding; None when nothing is padded."""
    lengths: tuple[int, ...] | None = None
    """B numbers of valid positions, where all padding is at the end."""


class SimilarityAwareNorm(nn.Module):
    """Denormalise content features with the local statistics of similar style features.

    Queries are instance-normalised content features, keys instance-normalised style
    features, values the mean and deviation of the style features over 3 x 3
    neighbourhoods (equation 1). The softmax of the scaled dot products aligns the values
    with the content's positions; they become its new mean and deviation.

    Args:
        channels: C.
        key_stride: take every `key_stride`-th style position in both directions. A value
            covers 3 x 3 positions, so that a stride of 2 still sees all of the style, at a
            quarter of the cost.

    The scale of the dot products starts at 1/sqrt(C) and is learned: the paper is silent,
    and how sharp an alignment should be depends on the level.
    """

    def __init__(self, channels: int, key_stride: int = 1) -> None:
        super().__init__()
        self.key_stride = key_stride
        self.log_scale = nn.Parameter(torch.tensor(-0.5 * math.log(channels)))

    def encode_style(self, features: Tensor) -> StyleLevel:
        """Turn style features (B, C, h, w) into keys and values."""
        step = self.key_stride
        keys = _positions(instance_norm(features)[..., ::step, ::step])
        values = _positions(torch.cat(local_statistics(features, step), dim=1))
        return StyleLevel(keys, values)

    def forward(self, content: Tensor, style: StyleLevel) -> tuple[Tensor, Tensor]:
        """Restyle content features (B, C, H, W); returns them and the deviation aligned with them."""
        batch, channels, height, width = content.shape
        queries = _positions(instance_norm(content))
        mean, deviation = align(queries * self.log_scale.exp(), style).chunk(2, dim=-1)
        restyled, deviation = (
            x.transpose(1, 2).reshape(batch, channels, height, width)
            for x in (queries * deviation + mean, deviation)
        )
        return restyled, deviation


def align(queries: Tensor, style: StyleLevel) -> Tensor:
    """Return the values that belong to scaled queries (B, L, C): (B, L, 2C)."""
    if queries.device.type == "cpu" and not torch.is_grad_enabled():
        return _align_one_by_one(queries, style)
    if queries.device.type == "cpu":  # torch has no fused kernel for values wider than keys there
        scores = queries @ style.keys.transpose(1, 2)
        if style.valid is not None:
            scores = scores.masked_fill(~style.valid[:, None], float("-inf"))
        return torch.softmax(scores, dim=-1) @ style.values
    return _align_fused(queries, style)


def _align_fused(queries: Tensor, style: StyleLevel) -> Tensor:
    """One call of torch's own attention: with a dimension for the one head, or no fused kernel takes it."""
    mask = None if style.valid is None else style.valid[:, None, None]
    aligned = functional.scaled_dot_product_attention(
        queries[:, None], style.keys[:, None], style.values[:, None], attn_mask=mask, scale=1.0
    )
    return aligned[:, 0]


def _align_one_by_one(queries: Tensor, style: StyleLevel) -> Tensor:
    """Twice as fast on a CPU: the weights of one image (L x N) stay in its cache, and padding is left out."""
    aligned = []
    for index, query in enumerate(queries):
        keys, values = style.keys[index], style.values[index]
        if style.lengths is not None:
            keys, values = keys[: style.lengths[index]], values[: style.lengths[index]]
        elif style.valid is not None:
            keys, values = keys[style.valid[index]], values[style.valid[index]]
        aligned.append(torch.softmax(query @ keys.T, dim=-1) @ values)
    return torch.stack(aligned)


def instance_norm(x: Tensor) -> Tensor:
    """Normalise every channel of every image (B, C, H, W) over its positions."""
    x = _at_least_float(x)
    # torch's own would copy channels-last features to and fro.
    centred = x - x.mean(dim=(-2, -1), keepdim=True)
    variance = centred.square().mean(dim=(-2, -1), keepdim=True)
    return centred * torch.rsqrt(variance + _EPSILON)


def local_statistics(x: Tensor, stride: int = 1) -> tuple[Tensor, Tensor]:
    """Return mean and deviation over 3 x 3 neighbourhoods (equation 1) of every `stride`-th position.

    At edges a neighbourhood holds only the positions that exist: what is beyond the crop is
    not part of its style.
    """
    x = _at_least_float(x)
    mean = functional.avg_pool2d(x, 3, stride, 1, count_include_pad=False)
    square = functional.avg_pool2d(x * x, 3, stride, 1, count_include_pad=False)
    variance = (square - mean * mean).clamp_min(0.0)
    return mean, torch.sqrt(variance + _EPSILON)


def _at_least_float(x: Tensor) -> Tensor:
    # bf16 has too few digits for a variance that is a difference of squares.
    return x.to(torch.promote_types(x.dtype, torch.float32))


def _positions(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)
