"""Grain and smooth doubling: noise that is asked for, and no grid that is not."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from siman_synth.models.blocks import Blur, Conv, equal_phases_
from siman_synth.models.checkpoint import load_generator, save_generator
from siman_synth.models.decoder import Decoder
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.models.grain import NoiseTile, training_noise
from siman_synth.pretraining.losses import texture_loss

GRAINY = GeneratorConfig(
    widths=(8, 16, 16), blocks=(0, 1, 1), decoder_widths=(16, 8), paint_width=8, key_strides=(1, 3),
    content="plain", smooth=True, grain=True,
)  # fmt: skip


def built(module: type[Any], *arguments: object) -> Any:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return module(*arguments).eval()


def test_noise_has_unit_deviation_and_is_the_same_for_the_same_seed() -> None:
    one, same, other = (training_noise(4, 32, 96, torch.Generator().manual_seed(s)) for s in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    torch.testing.assert_close(one.std(dim=(0, 2, 3)), torch.ones(4), atol=0.05, rtol=0)


def test_cuts_of_the_tile_follow_from_the_generator_and_differ() -> None:
    tile = NoiseTile()
    cuts = [tile.cut(32, 100, np.random.default_rng(seed)) for seed in (0, 0, 1, 2, 3)]
    np.testing.assert_array_equal(cuts[0], cuts[1])
    assert cuts[0].shape == (4, 32, 100)
    for other in cuts[2:]:
        assert abs(np.corrcoef(cuts[0].ravel(), other.ravel())[0, 1]) < 0.2
    assert tile.cut(128, 5000, np.random.default_rng(0)).shape == (4, 128, 5000)


@torch.inference_mode()
def test_grain_is_added_to_the_clean_image_only_where_noise_is_given() -> None:
    generator = built(Generator, GRAINY)
    content, style = (torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    noise = training_noise(2, 32, 40, torch.Generator().manual_seed(2))
    clean, grainy = generator(content, style), generator(content, style, noise)
    assert torch.equal(clean.image, clean.clean)
    assert torch.equal(grainy.clean, clean.clean)
    assert (grainy.image - grainy.clean).std() > 1e-4
    again = generator.restyle(content, generator.encode_style(style), noise)
    torch.testing.assert_close(again, grainy.image, atol=1e-5, rtol=1e-4)


def grid(smooth: bool) -> float:
    """How far the phases of a flat ground lie apart, in units of the image."""
    decoder = built(Decoder, (16, 8), (4, 2), (16, 8), (1, 1), 8, smooth)
    with torch.inference_mode():
        image = decoder([torch.full((1, 16, 24, 24), 0.5), torch.full((1, 8, 48, 48), 0.5)])
    inner = image[..., 44:52, 44:52]  # out of sight of the zeros beyond the borders
    return float((inner - inner.mean(dim=(2, 3), keepdim=True)).abs().max())


def test_a_flat_ground_is_flat_after_smooth_doubling_and_not_without() -> None:
    assert grid(smooth=True) < 1e-5
    assert grid(smooth=False) > 1e-2


def test_blur_makes_any_phases_of_flat_features_equal_and_keeps_their_mean() -> None:
    phases = torch.rand(1, 4 * 3, 1, 1, generator=torch.Generator().manual_seed(0)).expand(1, 12, 6, 6)
    blurred = Blur(3)(torch.nn.functional.pixel_shuffle(phases, 2))[..., 2:-2, 2:-2]
    wanted = phases.reshape(1, 3, 4, 6, 6).mean(2)[:, :, 0, 0]
    torch.testing.assert_close(blurred, wanted[..., None, None].expand_as(blurred))


def test_equal_phases_start_as_nearest_neighbour() -> None:
    conv = built(Conv, 4, 8)
    equal_phases_(conv.conv)
    x = torch.nn.functional.pixel_shuffle(conv(torch.rand(1, 4, 5, 5)), 2)
    torch.testing.assert_close(x[..., ::2, ::2], x[..., 1::2, 1::2])


def test_texture_loss_asks_for_as_much_grain_as_the_target_has_wherever_it_lies() -> None:
    draws = torch.Generator().manual_seed(0)
    target, same, more = (s * torch.randn(4, 3, 32, 32, generator=draws) for s in (0.1, 0.1, 0.2))
    flat = torch.zeros_like(target)
    assert float(texture_loss(target, target)) == 0
    assert float(texture_loss(same, target)) < 0.3 * float(texture_loss(flat, target))
    assert float(texture_loss(same, target)) < 0.3 * float(texture_loss(more, target))


@torch.inference_mode()
def test_a_grainy_network_paints_the_same_from_its_file(tmp_path: Path) -> None:
    """Constants that a file does not hold must be there all the same."""
    generator = built(Generator, GRAINY)
    save_generator(tmp_path / "grainy.safetensors", generator, {"step": 1})
    loaded = load_generator(tmp_path / "grainy.safetensors").generator
    content, style = (torch.rand(1, 3, 32, 40, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    noise = training_noise(1, 32, 40, torch.Generator().manual_seed(2))
    torch.testing.assert_close(loaded(content, style, noise).image, generator(content, style, noise).image)
