"""Fixed plain renders whose restyling shows, step by step, what a run has learned."""

import functools

import numpy as np

from siman_synth.models.generator import Generator
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import RenderConfig, WordRenderer, plan_content
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.painter import plain_image

WORDS = ("Harbour", "SALE", "Coffee", "2026", "market", "EXIT", "Station", "garden", "OPEN", "Queen")
"""Upper, lower and mixed case, round and straight letters, digits."""

_COUNT = 40


@functools.cache
def preview_words(height_px: int, count: int = _COUNT) -> tuple[np.ndarray, ...]:
    """Return `count` plain renders, black on white, uint8 (H, W, 3), the same at every call; read-only."""
    fonts = FontLibrary.open()
    config = RenderConfig()
    renderer = WordRenderer(fonts, config)
    renders = []
    for index in range(count):
        text = WORDS[index % len(WORDS)]
        rng = sample_rng(0, "preview words", index)
        font = fonts.choose(text, rng)
        mask = renderer.render(plan_content(text, font, config, height_px, Generator.stride, rng)).mask
        render = plain_image(mask)
        render.setflags(write=False)
        renders.append(render)
    return tuple(renders)
