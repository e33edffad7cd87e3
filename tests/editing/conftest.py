"""Photos drawn by Pillow, so that what was there is known to the pixel."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from siman_synth.editing.editor import TextEditor
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder

FAMILIES = ("roboto", "lora", "oswald", "courier-prime", "lobster")
Drawn = tuple[np.ndarray, tuple[int, int, int, int]]


def drawn_photo(
    text: str = "OPEN",
    font: str = "roboto/Roboto_900Black.ttf",
    size: int = 60,
    ink: tuple[int, int, int] = (190, 30, 40),
    scale: int = 1,
    rotated: float = 0.0,
) -> Drawn:
    """Draw a word on a shaded, grainy sign before a wall; return it and the word's box x0, y0, x1, y1."""
    width, height = 460 * scale, 220 * scale
    across = np.linspace(0, 24, width)[None, :, None]
    sign = np.broadcast_to(np.array([205.0, 208.0, 200.0]) + across, (height, width, 3))
    picture = Image.fromarray(sign.astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    letters = ImageFont.truetype(resource_folder("fonts") / font, size * scale)
    place = (110 * scale, 70 * scale)
    draw.text(place, text, ink, letters)
    box = draw.textbbox(place, text, letters)
    if rotated:
        picture = picture.rotate(rotated, Image.Resampling.BICUBIC, fillcolor=(205, 208, 200))
    noise = np.random.default_rng(0).normal(0, 2, (height, width, 1))
    return np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8), tuple(map(round, box))  # type: ignore[return-value]


@pytest.fixture(scope="session")
def draw_photo() -> Callable[..., Drawn]:
    return drawn_photo


@pytest.fixture(scope="session")
def editing_fonts() -> FontLibrary:
    return FontLibrary.open(FAMILIES)


@pytest.fixture(scope="session")
def editor(editing_fonts: FontLibrary, tiny_weights: Path) -> TextEditor:
    """An editor with a few fonts and the real OCR."""
    return TextEditor.load(tiny_weights, editing_fonts, "cpu", PpOcr.load())


def around(box: tuple[int, int, int, int], margin: int) -> list[tuple[int, int]]:
    x0, y0, x1, y1 = box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


@pytest.fixture(scope="session")
def corners_around() -> Callable[..., list[tuple[int, int]]]:
    return around
