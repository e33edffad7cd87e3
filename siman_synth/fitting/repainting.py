"""What painting alone costs: crops that the network repaints, each in its own style.

Words, fonts and layouts of a repainted crop are right to the pixel. How far it is from other crops is what no
recipe mends, and pretraining does.
"""

from collections.abc import Sequence

import torch

from siman_synth import stopping
from siman_synth.errors import CropError
from siman_synth.imaging.sharpness import soften
from siman_synth.models.generator import Generator
from siman_synth.models.images import from_network, to_network
from siman_synth.ocr.recognizer import Image
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.style import Style


def repainted(crops: Sequence[Image], generator: Generator, config: GenerateConfig) -> list[Image]:
    """Return crops as the network paints them in their own style, as sharp as they are themselves.

    Crops that cannot lend a style are left out. None is returned of a network that reads plain renders
    alone (`model.content = "plain"`).

    Args:
        crops: uint8 (H, W, 3).
        generator: the network, in evaluation mode.
        config: height and style, as for words.

    Returns:
        uint8 (H', W', 3), H' as high as the network reads styles.
    """
    if generator.config.content == "plain":
        return []
    place = next(generator.parameters()).device
    images: list[Image] = []
    with torch.inference_mode():
        for crop in crops:
            stopping.check()
            try:
                style = Style.from_image(crop, "crop", config.height_px, config.style)
            except CropError:
                continue
            pixels = to_network([style.image]).to(place)
            painted = generator.restyle(pixels, generator.encode_style(pixels))
            images.append(soften(from_network(painted)[0], style.sharpness))
    return images
