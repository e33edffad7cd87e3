"""Which patches are cut."""

import numpy as np
import torch

from siman_synth.crops.cache import CropCache
from siman_synth.pretraining.augmentation import StyleAugmentation
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.patches import PatchSampler

CPU = torch.device("cpu")


def test_patches_are_neighbours_and_depend_on_the_step_alone(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 3, CPU)
    one, again = sampler.draw(7, 8), sampler.draw(7, 8)
    assert torch.equal(one.style, again.style)
    assert torch.equal(one.content, again.content)
    assert not torch.equal(one.content, sampler.draw(8, 8).content)
    pixels = torch.from_numpy(np.array(cache.columns.swapaxes(0, 1))).permute(2, 0, 1).float() / 127.5 - 1
    for style, content in zip(one.style, one.content, strict=True):
        pairs = (torch.cat(order, dim=2) for order in ((style, content), (content, style)))
        windows = pixels.unfold(2, 64, 1).permute(2, 0, 1, 3)
        assert any(((windows - pair).abs().amax(dim=(1, 2, 3)) < 1e-6).any() for pair in pairs)


def test_patches_are_channels_last_for_the_convolutions(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 0, CPU)
    pair = sampler.draw(0, 4)
    augmented = StyleAugmentation(PretrainConfig().augmentation)(
        pair.content, pair.content, sampler.generator(CPU, 0)
    )
    for images in (pair.style, pair.content, augmented):
        assert images.is_contiguous(memory_format=torch.channels_last)


def test_every_crop_once_an_epoch(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 0, CPU)
    drawn = np.concatenate([sampler._crops_at(np.arange(step * 8, step * 8 + 8)) for step in range(3)])
    assert sorted(drawn) == list(range(24))
