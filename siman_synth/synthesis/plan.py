"""The plan of a sample: every decision, as a pure function of (seed, index, attempt)."""

import math
from dataclasses import dataclass, replace

import numpy as np

from siman_synth.models.generator import Generator
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.scripts import SIMPLE, script_of
from siman_synth.render.word import ContentPlan, plan_content
from siman_synth.seeding import sample_rng, uniform
from siman_synth.synthesis.as_scene import drawn_as_scene
from siman_synth.synthesis.config import FinishConfig, GenerateConfig
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.style_bank import StyleBank
from siman_synth.text.languages import AUTO
from siman_synth.text.mixture import CorpusMixture, DrawnText

_FITS = 0.2
"""Natural logarithm of the ratio of two widths that pass for alike."""
_LETTER_ASPECT, _MARGIN_ASPECT = 0.5, 0.5
"""Widths in heights of the image of a character and of both margins: least squares over 2,834 words
of the default recipe. The same for all characters, or narrow ones would be drawn more often."""

_ADVANCE_ASPECT = 0.6
"""The same of an advance, in lines, in other scripts, whose letters differ more: least squares over 50
words of nine scripts."""


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
    other_style: int | None = None
    """A second crop, if the sample is painted between the looks of two."""
    style_share: float = 0.0
    """How far its look is from the first crop's to the second's."""


class Planner:
    """Decides samples from a corpus, fonts and styles."""

    def __init__(
        self, seed: int, mixture: CorpusMixture, fonts: FontLibrary, styles: StyleBank, config: GenerateConfig
    ) -> None:
        self._seed = seed
        self._mixture = mixture
        self._fonts = fonts
        self._styles = styles
        self._config = config
        self._scene = drawn_as_scene(config) if config.scene_share else config

    def plan(self, index: int, attempt: int = 0) -> SamplePlan:
        """Decide sample `index`, try `attempt`. Word, look, style and finish have streams of
        their own, so that a change of one setting does not reshuffle the others.

        Raises:
            FontError: no font can draw the word that was drawn.
            CropError: the crop that was drawn cannot lend its style.
        """
        style = self._styles.draw(sample_rng(self._seed, "style", index, attempt))
        drawn = self._draw_text(self._styles[style], sample_rng(self._seed, "text", index, attempt))
        look = sample_rng(self._seed, "content", index, attempt)
        config = self._drawn_as(index)
        content = plan_word(drawn.text, self._fonts, config, look)
        other, share = self._draw_blend(index, attempt)
        return SamplePlan(
            seed=self._seed,
            index=index,
            attempt=attempt,
            content=content,
            corpus=drawn.corpus,
            style=style,
            finish=plan_finish(self._seed, index, attempt, config.finish),
            other_style=other,
            style_share=share,
        )

    def _drawn_as(self, index: int) -> GenerateConfig:
        """Return the settings that draw a sample, the same at each attempt: what the gate rejects more often
        does not become rarer."""
        share = self._config.scene_share
        as_scene = share > 0 and sample_rng(self._seed, "scene", index).random() < share
        return self._scene if as_scene else self._config

    def _draw_blend(self, index: int, attempt: int) -> tuple[int | None, float]:
        """Draw a second style and how much of it, for a share of the samples."""
        blend = self._config.style.blend
        if not blend:
            return None, 0.0
        rng = sample_rng(self._seed, "blend", index, attempt)
        if rng.random() >= blend:
            return None, 0.0
        return self._styles.draw(rng), uniform(rng, (0.0, 1.0))

    def _draw_text(self, style: Style, rng: np.random.Generator) -> DrawnText:
        """Draw words until one would be about as wide as the crop; after the last draw take the nearest.

        Words are then as long as those of the crops, which few word lists are, and letters as
        wide as those that lend their style.
        """
        config = self._config.text
        if rng.random() >= config.fit_share:
            return self._mixture.draw(rng)
        height, width = style.image.shape[:2]
        if config.fit_lines:
            width = style.aspect * height

        def misfit(text: str) -> float:
            return abs(math.log(self._typical_aspect(text) * height / width))

        return self._mixture.draw_fitting(rng, misfit, _FITS, config.fit_draws)

    def _typical_aspect(self, text: str) -> float:
        """Return about how many heights wide a word is drawn; fonts and layouts differ by a third."""
        if text.isascii() or all(script_of(character) in SIMPLE for character in text):
            return _MARGIN_ASPECT + _LETTER_ASPECT * len(text)
        return _MARGIN_ASPECT + _ADVANCE_ASPECT * sum(map(self._fonts.typical_width, text))


def plan_word(text: str, fonts: FontLibrary, config: GenerateConfig, rng: np.random.Generator) -> ContentPlan:
    """Decide font, layout and framing of a given text.

    Raises:
        FontError: no font can draw it; the message names the character.
    """
    font, companion = fonts.choose_pair(text, rng, config.render.font_weight)
    plan = plan_content(text, font, config.render, config.height_px, Generator.stride, rng)
    language = "" if config.text.language == AUTO else config.text.language
    return replace(plan, companion=companion.id if companion else "", language=language)


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
