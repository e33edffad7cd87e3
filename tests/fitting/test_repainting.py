"""What the network makes of a crop in its own style."""

from pathlib import Path

import numpy as np

from siman_synth.crops.pool import CropPool
from siman_synth.fitting.repainting import repainted
from siman_synth.imaging.resize import resize
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.runs.inputs import styles_path
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.style import Style
from tests.drawn_crops import drawn_crop


def test_a_crop_comes_back_much_as_it_was() -> None:
    pool = CropPool.open(styles_path("bundled"))
    crops = [pool.decode(index) for index in range(4)]
    images = repainted(crops, load_generator(weights_file("small")).generator, GenerateConfig())
    styles = [Style.from_image(crop).image for crop in crops]
    assert [image.shape for image in images] == [style.shape for style in styles]

    def apart(one: np.ndarray, other: np.ndarray) -> float:
        wide = resize(other, one.shape[1], one.shape[0])
        return float(np.abs(one.astype(int) - wide).mean())

    for number, (image, style) in enumerate(zip(images, styles, strict=True)):
        others = [apart(image, other) for place, other in enumerate(styles) if place != number]
        assert apart(image, style) < 0.4 * min(others)


def test_what_lends_no_style_is_left_out(tiny_weights: Path) -> None:
    upright = np.ascontiguousarray(drawn_crop(1, width=90).transpose(1, 0, 2))
    blank = np.full((32, 80, 3), 128, np.uint8)
    images = repainted(
        [drawn_crop(0), upright, blank], load_generator(tiny_weights).generator, GenerateConfig()
    )
    assert len(images) == 1


def test_a_network_that_reads_plain_renders_alone_repaints_nothing() -> None:
    light = load_generator(weights_file("light")).generator
    assert repainted([drawn_crop(0)], light, GenerateConfig()) == []
