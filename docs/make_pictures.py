"""Draw the README's pictures from bundled crops, fonts and weights.

    python docs/make_pictures.py --weights siman_synth/assets/weights/small.safetensors

Only crops that ship with siman-synth are shown: no image of the training data is in the
repository.
"""

from pathlib import Path

import click
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from siman_synth.crops.pool import CropPool
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import WordRenderer
from siman_synth.runs.inputs import styles_path
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.painter import plain_image
from siman_synth.synthesis.plan import plan_word
from siman_synth.synthesis.style_bank import StyleBank
from siman_synth.synthesis.synthesizer import Synthesizer

_WORDS = ("Harbour", "SALE 50%", "Coffee", "Platform 9", "bakery", "EXIT", "Open 24h", "€12.90")
_SCALE = 2
_COLUMN_PX = (200, 230, 230)
_ROW_PX = 32 * _SCALE + 10


@click.command()
@click.option("--weights", type=click.Path(path_type=Path), help="A model  [default: bundled]")
@click.option("--out", type=click.Path(path_type=Path), default=Path("docs/style-content-result.png"))
@click.option("--seed", default=8, show_default=True)
def main(weights: Path | None, out: Path, seed: int) -> None:
    """Draw rows of style, content and result, two rows side by side."""
    config = GenerateConfig()
    fonts = FontLibrary.open()
    renderer = WordRenderer(fonts, config.render)
    synthesizer = Synthesizer.load(weights, "cpu", fonts, config)
    bank = StyleBank.build(CropPool.open(styles_path("bundled")), config.style)
    chosen = sample_rng(seed, "picture").permutation(len(bank))[: len(_WORDS)]
    cells = []
    for index, (word, style_index) in enumerate(zip(_WORDS, chosen, strict=True)):
        style = bank[int(style_index)]
        plan = plan_word(word, fonts, config, sample_rng(seed, "picture", index))
        mask = renderer.render(plan).mask
        cells.append((style.image, plain_image(mask), synthesizer.restyle([mask], [style])[0]))
    half = (len(cells) + 1) // 2
    width, header = sum(_COLUMN_PX), 26
    sheet = Image.new("RGB", (2 * width, half * _ROW_PX + header), (250, 250, 248))
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(15)
    for side in range(2):
        for column, title in enumerate(("style: a real crop", "content: a plain render", "result")):
            draw.text((side * width + sum(_COLUMN_PX[:column]) + 8, 5), title, (60, 60, 60), font)
    for index, row in enumerate(cells):
        left, top = (index // half) * width, header + (index % half) * _ROW_PX
        for column, image in enumerate(row):
            sheet.paste(_enlarged(image, _COLUMN_PX[column] - 14), (left + sum(_COLUMN_PX[:column]) + 8, top))
    sheet.save(out)
    click.echo(f"picture in {out}")


def _enlarged(image: np.ndarray, room_px: int) -> Image.Image:
    picture = Image.fromarray(image)
    scale = min(_SCALE, room_px / picture.width)
    return picture.resize(
        (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.BICUBIC
    )


if __name__ == "__main__":
    main()
