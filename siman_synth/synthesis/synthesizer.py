"""Words in borrowed styles: the trained network behind one verb."""

import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from siman_synth.errors import FontError, SimanError
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.models.device import resolve_device
from siman_synth.models.generator import Generator
from siman_synth.models.images import from_network, to_network
from siman_synth.models.siman import StyleLevel
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import Box, ContentPlan, WordRenderer
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.plan import plan_word
from siman_synth.synthesis.style_bank import Style

_STYLES_REMEMBERED = 128
_MARGIN_PX = 8
"""Ground added at both sides before the network and cut after it. A letter at the very edge
takes its style from the crop's edges, where real crops have margins and neighbours: without
this, first and last letters fade (300 words, PP-OCR: 93.3 % read without, 95.3 % with)."""


@dataclass(frozen=True, slots=True)
class Word:
    """A synthesized word."""

    image: np.ndarray
    """uint8 (H, W, 3), RGB."""
    label: str
    """What it says, NFC."""
    boxes: tuple[Box, ...]
    """One box a character, in pixels."""
    plan: ContentPlan
    """Font, layout and framing."""


class Synthesizer:
    """Paint plain renders in the styles of crops.

    A style is encoded alone and remembered, so that the same style gives the same numbers
    whatever was encoded before it.
    """

    def __init__(
        self,
        generator: Generator,
        device: torch.device,
        fonts: FontLibrary | None = None,
        config: GenerateConfig | None = None,
    ) -> None:
        self.config = config or GenerateConfig()
        self._generator = generator
        self._device = device
        self._fonts = fonts
        self._renderer: WordRenderer | None = None
        self._codes: OrderedDict[tuple[str, int], list[StyleLevel]] = OrderedDict()

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        device: str = "auto",
        fonts: FontLibrary | None = None,
        config: GenerateConfig | None = None,
    ) -> "Synthesizer":
        """Load a weights file, or the bundled weights.

        Raises:
            WeightsError: the file cannot be used.
            ConfigError: the device is not there.
        """
        where = resolve_device(device)
        return cls(load_generator(weights_file(weights), where).generator, where, fonts, config)

    def synthesize(self, text: str, style: Style, seed: int = 0) -> Word:
        """Write `text` in a style; font, layout and framing are drawn from `seed`.

        Raises:
            FontError: no font can draw the text, or there is none.
        """
        label = unicodedata.normalize("NFC", text.strip())
        if not label:
            raise FontError(f"There is nothing to draw in {text!r}. Give a visible character.")
        if self._fonts is None:
            self._fonts = FontLibrary.open()
        if self._renderer is None:
            self._renderer = WordRenderer(self._fonts, self.config.render)
        plan = plan_word(label, self._fonts, self.config, sample_rng(seed, "content"))
        content = self._renderer.render(plan)
        image = self.restyle([content.mask], [style])[0]
        return Word(image, label, content.boxes, plan)

    def restyle(self, masks: Sequence[np.ndarray], styles: Sequence[Style]) -> list[np.ndarray]:
        """Paint ink masks, uint8 (H, W_i), each in its style; returns uint8 (H, W_i, 3).

        All heights are equal; widths are multiples of the network's stride.
        """
        if len(masks) != len(styles):
            raise SimanError(f"restyle needs a style for each word, found {len(styles)} for {len(masks)}.")
        with torch.inference_mode():
            padded = [np.pad(mask, ((0, 0), (_MARGIN_PX, _MARGIN_PX))) for mask in masks]
            content, columns = to_network([plain_image(mask) for mask in padded])
            codes = _pad_styles([self._encode(style) for style in styles])
            painted = self._generator.restyle(
                content.to(self._device), codes, None if columns is None else columns.to(self._device)
            )
        images = from_network(painted, [mask.shape[1] for mask in padded])
        return [image[:, _MARGIN_PX:-_MARGIN_PX] for image in images]

    def _encode(self, style: Style) -> list[StyleLevel]:
        # The pixels are part of the key: two crops may share a name.
        key = (style.id, hash(style.image.tobytes()))
        code = self._codes.get(key)
        if code is None:
            code = self._generator.encode_style(to_network([style.image])[0].to(self._device))
            self._codes[key] = code
            if len(self._codes) > _STYLES_REMEMBERED:
                self._codes.popitem(last=False)
        else:
            self._codes.move_to_end(key)
        return code


def plain_image(mask: np.ndarray) -> np.ndarray:
    """Turn an ink mask, uint8 (H, W), into black ink on white, uint8 (H, W, 3).

    Which colours hardly matters: training content is broken into random ones, and instance
    normalisation of its features removes what is left.
    """
    return np.repeat((255 - mask)[..., None], 3, axis=2)


def _pad_styles(codes: Sequence[list[StyleLevel]]) -> list[StyleLevel]:
    return [_pad_level([code[level] for code in codes]) for level in range(len(codes[0]))]


def _pad_level(codes: Sequence[StyleLevel]) -> StyleLevel:
    lengths = [code.keys.shape[1] for code in codes]
    longest = max(lengths)
    valid: Tensor | None = None
    if min(lengths) < longest:
        positions = torch.arange(longest, device=codes[0].keys.device)
        valid = positions < torch.tensor(lengths, device=positions.device)[:, None]
    return StyleLevel(
        keys=torch.cat([_pad(code.keys, longest) for code in codes]),
        values=torch.cat([_pad(code.values, longest) for code in codes]),
        valid=valid,
    )


def _pad(x: Tensor, length: int) -> Tensor:
    return functional.pad(x, (0, 0, 0, length - x.shape[1]))
