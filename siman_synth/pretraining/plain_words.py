"""Plain renders of words, as generation draws them: the content that a teacher paints."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from siman_synth.errors import ConfigError, FontError
from siman_synth.models.generator import Generator
from siman_synth.pretraining.config import DistillationConfig
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import WordRenderer
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.painter import with_margins
from siman_synth.synthesis.plan import plan_word
from siman_synth.tally import Tally
from siman_synth.text.mixture import CorpusMixture
from siman_synth.text.writing import writing_systems

_FEWEST_DRAWN = 0.5


def plain_words(
    config: DistillationConfig,
    height_px: int,
    seed: int,
    skipped: Tally,
    pulse: Callable[[], None] = lambda: None,
) -> list[np.ndarray]:
    """Render words with all bundled fonts and the default recipe's layouts.

    Args:
        config: which words, and how many.
        height_px: of the renders.
        seed: decides words, fonts and layouts.
        skipped: counts what no font draws.
        pulse: called between words; what it raises ends the work.

    Returns:
        Ink masks, uint8 (H, W_i), with the margins that words have when they are painted, and at least
        `config.width_px` wide.

    Raises:
        CorpusError: there are no words.
        ConfigError: fonts can draw less than half of them.
    """
    generation = replace(GenerateConfig(), height_px=height_px)
    mixture = CorpusMixture.open(config.corpora, generation.text)
    fonts = FontLibrary.open(scripts=writing_systems(mixture.characters(), mixture.language("auto")))
    renderer = WordRenderer(fonts, generation.render)
    masks = []
    for index in range(config.words):
        pulse()
        text = mixture.draw(sample_rng(seed, "plain words, text", index)).text
        try:
            plan = plan_word(text, fonts, generation, sample_rng(seed, "plain words, look", index))
            mask = renderer.render(plan).mask
        except FontError as error:
            skipped.add("word that no font draws", f"{text}: {error}")
            continue
        framed = with_margins(mask, Generator.stride)
        masks.append(np.pad(framed, ((0, 0), (0, max(0, config.width_px - framed.shape[1])))))
    if len(masks) < _FEWEST_DRAWN * config.words:
        raise ConfigError(
            f"Fonts could draw {len(masks)} of {config.words} words of {', '.join(config.corpora)} "
            f"({'; '.join(skipped.lines())}). Name other words in distillation.corpora."
        )
    return masks
