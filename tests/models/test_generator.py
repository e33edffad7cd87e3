"""The whole generator: shapes, padding, both presets."""

import numpy as np
import pytest
import torch

from siman_synth.models.discriminator import Discriminator, DiscriminatorConfig
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.models.images import from_network, to_network

SMALL = GeneratorConfig(widths=(8, 12, 16), decoder_widths=(12, 8), paint_width=4)
LIGHT = GeneratorConfig(
    widths=(8, 12, 16), decoder_widths=(12, 8), paint_width=4, content="plain", smooth=True, grain=True
)
PAPER = GeneratorConfig(encoder="resnet29", decoder_widths=(16, 16), paint_width=8, key_strides=(1, 1))


def build(config: GeneratorConfig) -> Generator:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Generator(config).eval()


def picture(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("config", [SMALL, LIGHT, PAPER], ids=["pyramid", "light", "resnet29"])
@torch.inference_mode()
def test_neighbours_in_a_batch_change_no_result(config: GeneratorConfig) -> None:
    generator = build(config).double()  # in double precision a difference is a mistake, not rounding
    contents = to_network([picture(32, 36, seed) for seed in (0, 1, 2)]).double()
    styles = to_network([picture(32, 60, seed) for seed in (3, 4, 5)]).double()
    together = generator(contents, styles).image
    for i in range(3):
        alone = generator.restyle(contents[i : i + 1], generator.encode_style(styles[i : i + 1]))
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-9, rtol=1e-7)


@pytest.mark.parametrize("height", [32, 48, 64])
@torch.inference_mode()
def test_any_width_and_other_heights(height: int) -> None:
    generator = build(SMALL)
    for width in (4, 8, 12, 100):
        content, style = to_network([picture(height, width, 0)]), to_network([picture(height, 40, 1)])
        assert generator(content, style).image.shape == (1, 3, height, width)


@torch.inference_mode()
def test_one_pass_over_equal_shapes_is_two_passes() -> None:
    generator = build(SMALL)
    content, style = to_network([picture(32, 32, 0)]), to_network([picture(32, 32, 1)])
    torch.testing.assert_close(
        generator(content, style).image,
        generator.restyle(content, generator.encode_style(style)),
        atol=1e-5,
        rtol=1e-4,
    )


def test_resnet29_has_the_published_layers() -> None:
    encoder = build(PAPER).encoder
    shapes = {tuple(p.shape) for name, p in encoder.named_parameters() if "conv.weight" in name}
    assert {(32, 3, 3, 3), (64, 32, 3, 3), (512, 512, 2, 2)} <= shapes
    convolutions = sum(
        "conv.weight" in name and "shortcut" not in name for name, _ in encoder.named_parameters()
    )
    assert convolutions == 29


def test_images_survive_the_trip_through_the_network_format() -> None:
    originals = [picture(32, 20, 0), picture(32, 20, 1)]
    for original, back in zip(originals, from_network(to_network(originals)), strict=True):
        np.testing.assert_array_equal(original, back)


def test_discriminator_scores_patches() -> None:
    scores = Discriminator(DiscriminatorConfig(widths=(8, 8)))(torch.zeros(2, 3, 32, 32))
    assert scores.shape == (2, 64)


def test_a_detail_branch_sees_grain_that_the_other_branch_does_not() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        discriminator = Discriminator(DiscriminatorConfig(widths=(8, 8), detail_widths=(8, 8)))
    for _ in range(5):  # spectral normalisation has to find its estimate
        discriminator(torch.zeros(1, 3, 32, 32))
    discriminator.eval()
    flat = torch.zeros(1, 3, 32, 32)
    grain = 0.02 * torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    change = (discriminator(grain) - discriminator(flat)).abs()
    assert change.shape == (1, 512)
    assert change[:, 256:].mean() > 1.5 * change[:, :256].mean()
