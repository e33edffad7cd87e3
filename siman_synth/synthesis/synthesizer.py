"""Words in borrowed styles: the trained network behind one verb."""

from pathlib import Path

import torch

from siman_synth.errors import FontError
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.models.device import resolve_device
from siman_synth.models.generator import Generator
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.script_fonts import ScriptFonts
from siman_synth.render.word import WordRenderer
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.painter import Painter
from siman_synth.synthesis.plan import plan_finish, plan_word
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.word_maker import Word, WordMaker, WordPlan
from siman_synth.text.spaces import label_of
from siman_synth.text.visible import needs_ink


class Synthesizer(Painter):
    """Writes any text in the styles of crops.

    One call does it all (`synthesize`), or each step is taken alone: `encode_style`, `align` and
    `decode`, or the last two at once (`paint`).
    """

    def __init__(
        self,
        generator: Generator,
        device: torch.device,
        fonts: FontLibrary | None = None,
        config: GenerateConfig | None = None,
    ) -> None:
        self.config = config or GenerateConfig()
        generator.check_height(self.config.height_px)
        super().__init__(generator, device, self.config.execution)
        self._fonts = ScriptFonts(fonts, self._maker, self.config.text.language)

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        device: str = "auto",
        fonts: FontLibrary | None = None,
        config: GenerateConfig | None = None,
    ) -> "Synthesizer":
        """Load weights, as `weights_file` takes them; None is the bundled "small".

        Raises:
            WeightsError: the file cannot be used.
            ConfigError: the device is not there.
        """
        where = resolve_device(device)
        return cls(load_generator(weights_file(weights), where).generator, where, fonts, config)

    def like(self, fonts: FontLibrary | None = None, config: GenerateConfig | None = None) -> "Synthesizer":
        """Return one with the same network, and with these fonts and settings.

        Args:
            fonts: None for the bundled ones of each text's scripts.
            config: None for the same settings.

        Raises:
            ConfigError: the network does not read images of the height that the settings ask for.
        """
        return Synthesizer(self._generator, self._device, fonts, config or self.config)

    def synthesize(self, text: str, style: Style, seed: int = 0, finish: bool = False) -> Word:
        """Write `text` in a style; font, layout and framing are drawn from `seed`.

        With `finish`, noise and encoding are drawn, too, as for a sample of a data set.

        Raises:
            FontError: no font can draw the text, there is none, or it is no single line.
        """
        label = label_of(text)
        if not any(map(needs_ink, label)):
            raise FontError(f"There is nothing to draw in {text!r}. Give a visible character.")
        fonts, maker = self._fonts.of(label)
        plan = plan_word(label, fonts, self.config, sample_rng(seed, "content"))
        finished = plan_finish(seed, 0, 0, self.config.finish) if finish else None
        return maker.make([maker.draft(WordPlan(plan, style, finished))])[0]

    def _maker(self, fonts: FontLibrary) -> WordMaker:
        return WordMaker(WordRenderer(fonts, self.config.render), self, self.config.finish)
