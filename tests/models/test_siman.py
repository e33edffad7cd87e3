"""SimAN against plain loops over positions, values and gradients."""

import math

import pytest
import torch
from torch import Tensor

from siman_synth.models.siman import (
    SimilarityAwareNorm,
    StyleLevel,
    _align_fused,
    align,
    instance_norm,
    local_statistics,
)


def reference_local_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Equation 1, position by position, over the neighbours that exist."""
    mean, deviation = torch.zeros_like(x), torch.zeros_like(x)
    batch, channels, height, width = x.shape
    for b in range(batch):
        for c in range(channels):
            for i in range(height):
                for j in range(width):
                    patch = x[b, c, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]
                    mu = patch.sum() / patch.numel()
                    mean[b, c, i, j] = mu
                    deviation[b, c, i, j] = ((patch - mu).square().sum() / patch.numel() + 1e-5).sqrt()
    return mean, deviation


def reference_siman(content: Tensor, style: Tensor, scale: Tensor, key_stride: int) -> Tensor:
    """Section 3.2 for one image (C, H, W) and one style (C, h, w), with plain loops."""

    def normalised(x: Tensor) -> Tensor:
        mean = x.mean(dim=(1, 2), keepdim=True)
        variance = (x - mean).square().mean(dim=(1, 2), keepdim=True)
        return (x - mean) / (variance + 1e-5).sqrt()

    queries, keys = normalised(content), normalised(style)
    mean, deviation = (part[0] for part in reference_local_statistics(style[None]))
    places = [
        (p, q) for p in range(0, style.shape[1], key_stride) for q in range(0, style.shape[2], key_stride)
    ]
    columns = []
    for i in range(content.shape[1]):
        for j in range(content.shape[2]):
            scores = torch.stack([scale * (queries[:, i, j] * keys[:, p, q]).sum() for p, q in places])
            weights = torch.softmax(scores, 0)
            new_mean = sum(w * mean[:, p, q] for w, (p, q) in zip(weights, places, strict=True))
            new_deviation = sum(w * deviation[:, p, q] for w, (p, q) in zip(weights, places, strict=True))
            columns.append(queries[:, i, j] * new_deviation + new_mean)
    return torch.stack(columns, dim=1).reshape(content.shape)


def images(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_local_statistics_are_equation_1() -> None:
    x = images(2, 3, 4, 5)
    for found, wanted in zip(local_statistics(x), reference_local_statistics(x), strict=True):
        torch.testing.assert_close(found, wanted)


def test_statistics_of_every_second_position() -> None:
    x = images(2, 3, 4, 5)
    for found, every in zip(local_statistics(x, 2), local_statistics(x), strict=True):
        torch.testing.assert_close(found, every[..., ::2, ::2])


def test_bf16_features_keep_small_deviations_on_a_large_mean() -> None:
    x = (3.0 + 0.05 * images(2, 3, 8, 8)).bfloat16()
    for found, wanted in zip(local_statistics(x), local_statistics(x.double()), strict=True):
        torch.testing.assert_close(found, wanted.float(), rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(instance_norm(x), instance_norm(x.double()).float(), rtol=1e-3, atol=1e-3)


def test_inner_positions_match_the_paper_to_the_letter() -> None:
    x = images(1, 1, 3, 3)
    _, deviation = local_statistics(x)
    mu = x.mean()
    assert deviation[0, 0, 1, 1].item() == pytest.approx(
        math.sqrt((x - mu).square().sum().item()) / 3, rel=1e-4
    )


@pytest.mark.parametrize("key_stride", [1, 2])
def test_siman_equals_loops_with_gradients(key_stride: int) -> None:
    module = SimilarityAwareNorm(4, key_stride).double()
    content, style = images(2, 4, 3, 6).requires_grad_(), images(2, 4, 3, 5, seed=1).requires_grad_()
    upstream = images(2, 4, 3, 6, seed=2)

    found, _ = module(content, module.encode_style(style))
    inputs = [content, style, module.log_scale]
    found_gradients = torch.autograd.grad((found * upstream).sum(), inputs)

    scale = module.log_scale.exp()
    wanted = torch.stack(
        [reference_siman(c, s, scale, key_stride) for c, s in zip(content, style, strict=True)]
    )
    wanted_gradients = torch.autograd.grad((wanted * upstream).sum(), inputs)

    torch.testing.assert_close(found, wanted)
    for one, other in zip(found_gradients, wanted_gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-8)


def padded_level() -> StyleLevel:
    """Two styles of 7 and 5 positions that share a batch; rubbish lies beyond the shorter one."""
    keys, values = images(2, 7, 8, seed=1), images(2, 7, 16, seed=2)
    keys[1, 5:], values[1, 5:] = 9.0, 9.0
    valid = torch.arange(7) < torch.tensor([7, 5])[:, None]
    return StyleLevel(keys, values, valid)


def test_every_way_to_align_leaves_padding_out() -> None:
    queries, style = images(2, 6, 8), padded_level()
    alone = torch.cat(
        [
            align(queries[i : i + 1], StyleLevel(style.keys[i : i + 1, :n], style.values[i : i + 1, :n]))
            for i, n in enumerate((7, 5))
        ]
    )
    torch.testing.assert_close(align(queries, style), alone)
    torch.testing.assert_close(_align_fused(queries, style), alone)
    with torch.inference_mode():
        torch.testing.assert_close(align(queries, style), alone)
        lengths = StyleLevel(style.keys, style.values, lengths=(7, 5))
        torch.testing.assert_close(align(queries, lengths), alone)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_fused_kernel_of_the_gpu_takes_the_alignment() -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel

    queries, style = images(2, 6, 8).float().cuda(), padded_level()
    level = StyleLevel(style.keys.float().cuda(), style.values.float().cuda())
    with sdpa_kernel(SDPBackend.EFFICIENT_ATTENTION):  # raises where it cannot take the inputs
        assert _align_fused(queries, level).shape == (2, 6, 16)


def test_instance_norm_removes_gain_and_shift() -> None:
    x = images(2, 3, 4, 5)
    torch.testing.assert_close(instance_norm(3.0 * x + 2.0), instance_norm(x), rtol=1e-4, atol=1e-4)


def test_uniform_style_gives_its_own_mean() -> None:
    module = SimilarityAwareNorm(3).double()
    style = torch.ones(1, 3, 4, 4).double() * torch.tensor([1.0, -2.0, 0.5]).double()[:, None, None]
    result, _ = module(images(1, 3, 4, 8), module.encode_style(style))
    torch.testing.assert_close(
        result.mean(dim=(0, 2, 3)), torch.tensor([1.0, -2.0, 0.5]).double(), atol=0.02, rtol=0
    )
