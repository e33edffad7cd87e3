"""Fixed plain renders whose restyling shows, step by step, what a run has learned."""

import numpy as np

from siman_synth.models.generator import Generator
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import RenderConfig, WordRenderer, plan_content
from siman_synth.seeding import sample_rng

WORDS = ("Harbour", "SALE", "Coffee", "2026", "market", "EXIT", "Station", "garden", "OPEN", "Queen")
"""Upper, lower and mixed case, round and straight letters, digits."""

_COUNT = 40


def probe_words(height_px: int, count: int = _COUNT) -> list[np.ndarray]:
    """Return `count` plain renders, black on white, uint8 (H, W, 3), the same at every call."""
    fonts = FontLibrary.open()
    config = RenderConfig()
    renderer = WordRenderer(fonts, config)
    renders = []
    for index in range(count):
        text = WORDS[index % len(WORDS)]
        rng = sample_rng(0, "probe words", index)
        font = fonts.choose(text, rng)
        mask = renderer.render(plan_content(text, font, config, height_px, Generator.stride, rng)).mask
        renders.append(np.repeat((255 - mask)[..., None], 3, axis=2))
    return renders
