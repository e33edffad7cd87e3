"""The whole generator: shapes, padding, both presets."""

import numpy as np
import pytest
import torch

from siman_synth.models.discriminator import Discriminator, DiscriminatorConfig
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.models.images import from_network, to_network

SMALL = GeneratorConfig(widths=(8, 12, 16), decoder_widths=(12, 8), paint_width=4)
PAPER = GeneratorConfig(encoder="resnet29", decoder_widths=(16, 16), paint_width=8, key_strides=(1, 1))


def build(config: GeneratorConfig) -> Generator:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Generator(config).eval()


def picture(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("config", [SMALL, PAPER], ids=["pyramid", "resnet29"])
@torch.inference_mode()
def test_padding_in_a_batch_changes_no_result(config: GeneratorConfig) -> None:
    generator = build(config).double()  # in double precision a difference is a mistake, not rounding
    contents = [picture(32, width, width) for width in (20, 36, 48)]
    styles = [picture(32, width, width + 1) for width in (44, 32, 60)]
    batch, mask = (part.double() for part in to_network(contents))
    style_batch, style_mask = (part.double() for part in to_network(styles))
    together = generator(batch, style_batch, mask, style_mask)
    for index, (content, style) in enumerate(zip(contents, styles, strict=True)):
        code = generator.encode_style(to_network([style])[0].double())
        alone = generator.restyle(to_network([content])[0].double(), code)
        width = content.shape[1]
        torch.testing.assert_close(together[index : index + 1, ..., :width], alone, atol=1e-9, rtol=1e-7)


@pytest.mark.parametrize("height", [32, 48, 64])
@torch.inference_mode()
def test_any_width_and_other_heights(height: int) -> None:
    generator = build(SMALL)
    for width in (4, 8, 12, 100):
        content, style = to_network([picture(height, width, 0)])[0], to_network([picture(height, 40, 1)])[0]
        assert generator(content, style).shape == (1, 3, height, width)


@torch.inference_mode()
def test_one_pass_over_equal_shapes_is_two_passes() -> None:
    generator = build(SMALL)
    content, style = to_network([picture(32, 32, 0)])[0], to_network([picture(32, 32, 1)])[0]
    torch.testing.assert_close(
        generator(content, style),
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
    originals = [picture(32, 12, 0), picture(32, 20, 1)]
    batch, mask = to_network(originals)
    assert mask is not None
    assert mask.sum().item() == 32
    for original, back in zip(originals, from_network(batch, [12, 20]), strict=True):
        np.testing.assert_array_equal(original, back)


def test_discriminator_scores_patches() -> None:
    scores = Discriminator(DiscriminatorConfig(widths=(8, 8)))(torch.zeros(2, 3, 32, 32))
    assert scores.shape == (2, 1, 8, 8)
