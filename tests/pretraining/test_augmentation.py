"""Content loses its style and keeps its strokes."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.crops.cache import CropCache
from siman_synth.pretraining.augmentation import AugmentationConfig, StyleAugmentation, two_colours
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.patches import PatchSampler

CPU = torch.device("cpu")


def test_augmentation_moves_nothing_and_keeps_the_range(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 0, CPU)
    augmentation = StyleAugmentation(PretrainConfig().augmentation)
    pair = sampler.draw(0, 24)
    content, style = pair.content, pair.style
    augmented = augmentation(content, style, sampler.generator(CPU, 0))
    assert augmented.shape == content.shape
    assert augmented.abs().max() <= 1
    assert torch.equal(augmented, augmentation(content, style, sampler.generator(CPU, 0)))
    grey, augmented_grey = content.mean(1).flatten(1), augmented.mean(1).flatten(1)
    correlation = torch.stack(
        [torch.corrcoef(torch.stack(pair))[0, 1].abs() for pair in zip(grey, augmented_grey, strict=True)]
    )
    assert correlation.median() > 0.7


@pytest.mark.parametrize("dark_ink", [True, False])
def test_plain_content_is_black_ink_on_white_whatever_the_crop(dark_ink: bool) -> None:
    """Two strokes that touch no border, on a ground of another colour."""
    ink, ground = (-0.6, 0.7) if dark_ink else (0.7, -0.6)
    patch = torch.full((4, 3, 32, 32), ground)
    patch[:, :, 8:24, 6:10] = patch[:, :, 8:24, 20:24] = ink
    config = AugmentationConfig(plain=1, blur=0, noise=0, softness=(0.02, 0.05))
    augmented = StyleAugmentation(config)(patch, patch, torch.Generator().manual_seed(0))
    assert torch.equal(augmented[:, 0], augmented[:, 1])
    assert augmented[:, :, 8:24, 6:10].max() < -0.9
    assert augmented[:, :, :, 12:18].min() > 0.9


@pytest.mark.parametrize("min_contrast", [0.0, 0.2, 0.4, 0.7, 0.9, 1.0])
def test_two_colours_are_as_far_apart_as_asked(min_contrast: float) -> None:
    draws = torch.Generator().manual_seed(0)
    first, second = (torch.rand(20_000, 3, 1, 1, generator=draws) * 2 - 1 for _ in range(2))
    first[:4], second[:4] = 0.0, torch.tensor([0.0, 1e-9, -1e-9, 1.0])[:, None, None, None]
    one, other = two_colours(first, second, min_contrast)
    assert (other - one).abs().mean(1).min() >= min_contrast - 1e-6
    assert other.abs().max() <= 1
    far = (second - first).abs().mean(1, keepdim=True).expand_as(first) >= min_contrast
    assert torch.equal(other[far], second[far])


@given(contrast=st.floats(0, 1), seed=st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_binarised_content_shows_the_contrast(contrast: float, seed: int) -> None:
    """Through the whole augmentation: a patch of two tones comes out with two colours that far apart."""
    patch = torch.full((16, 3, 32, 32), -0.8)
    patch[..., 12:20] = 0.7
    plain = AugmentationConfig(
        binarise=1.0, blur=0.0, noise=0.0, min_contrast=contrast, softness=(1e-3, 1e-3)
    )
    changed = StyleAugmentation(plain)(patch, patch, torch.Generator().manual_seed(seed))
    distance = (changed[..., 16, 16] - changed[..., 16, 2]).abs().mean(1)
    assert distance.min() >= contrast - 1e-4


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"min_contrast": 1.1}, "min_contrast must be between 0 and 1, found 1.1"),
        ({"min_contrast": float("nan")}, "min_contrast must be a finite number, found nan"),
        ({"softness": (0.1, float("inf"))}, "softness must be a finite number"),
        ({"softness": (0.2, 0.1)}, "softness must be two values from 0.0001 to 10, low then high"),
        ({"gain": (float("nan"), 1.0)}, "gain must be a finite number"),
        ({"shift": float("inf")}, "shift must be a finite number, found inf"),
        ({"noise": float("nan")}, "noise must be a finite number"),
    ],
)
def test_settings_that_cannot_be_honoured_are_refused(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AugmentationConfig(**settings_)
