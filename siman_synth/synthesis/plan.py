"""The plan of a sample: every decision, as a pure function of (seed, index, attempt)."""

from dataclasses import dataclass

import numpy as np

from siman_synth.models.generator import Generator
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import ContentPlan, plan_content
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import FinishConfig, GenerateConfig
from siman_synth.text.mixture import CorpusMixture


@dataclass(frozen=True, slots=True)
class FinishPlan:
    """How a finished image is degraded and stored."""

    jpeg_quality: int
    full_chroma: bool
    noise_sigma: float
    noise_seed: int


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """One sample, decided."""

    seed: int
    index: int
    attempt: int
    content: ContentPlan
    corpus: str
    style: int
    finish: FinishPlan


class Planner:
    """Decides samples from a corpus, fonts and a number of styles."""

    def __init__(
        self, seed: int, mixture: CorpusMixture, fonts: FontLibrary, style_count: int, config: GenerateConfig
    ) -> None:
        self._seed = seed
        self._mixture = mixture
        self._fonts = fonts
        self._style_count = style_count
        self._config = config

    def plan(self, index: int, attempt: int = 0) -> SamplePlan:
        """Decide sample `index`, try `attempt`. Word, look, style and finish have streams of
        their own, so that a change of one setting does not reshuffle the others.

        Raises:
            FontError: no font can draw the word that was drawn.
        """
        drawn = self._mixture.draw(sample_rng(self._seed, "text", index, attempt))
        look = sample_rng(self._seed, "content", index, attempt)
        content = plan_word(drawn.text, self._fonts, self._config, look)
        style = sample_rng(self._seed, "style", index, attempt).integers(self._style_count)
        return SamplePlan(
            seed=self._seed,
            index=index,
            attempt=attempt,
            content=content,
            corpus=drawn.corpus,
            style=int(style),
            finish=plan_finish(self._seed, index, attempt, self._config.finish),
        )


def plan_word(text: str, fonts: FontLibrary, config: GenerateConfig, rng: np.random.Generator) -> ContentPlan:
    """Decide font, layout and framing of a given text.

    Raises:
        FontError: no font can draw it; the message names the character.
    """
    font = fonts.choose(text, rng, config.render.kind_weights)
    return plan_content(text, font, config.render, config.height_px, Generator.stride, rng)


def plan_finish(seed: int, index: int, attempt: int, config: FinishConfig) -> FinishPlan:
    """Decide noise and encoding of a sample."""
    rng = sample_rng(seed, "finish", index, attempt)
    low, high = config.jpeg_quality
    return FinishPlan(
        jpeg_quality=int(rng.integers(low, high + 1)),
        full_chroma=bool(rng.random() < config.full_chroma),
        noise_sigma=float(rng.uniform(*config.noise_sigma)),
        noise_seed=int(rng.integers(2**31)),
    )
