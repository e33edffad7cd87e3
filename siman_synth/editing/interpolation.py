"""A word in looks between two crops and letters between two fonts, in even steps.

docs/editing.md defines the procedure.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from siman_synth.editing.errors import EditError
from siman_synth.editing.morphing import Morph, framed
from siman_synth.models.generator import Generator
from siman_synth.ocr.recognizer import Ocr, Reading, agrees, can_judge
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line
from siman_synth.synthesis.painter import StyleCode, StyledContent, blended
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.synthesizer import Synthesizer

_PROBES = 33
"""Steps that are tried to find even ones."""

Way = Literal["auto", "outlines", "features"]


@dataclass(frozen=True, slots=True)
class Strip:
    """A word on its way from one look to another."""

    images: tuple[np.ndarray, ...]
    """uint8 (H, W, 3), from the first look to the last."""
    shares: tuple[float, ...]
    """How far along each is, 0 to 1."""
    steps: tuple[float, ...]
    """Distance of each from the one before, in the encoder's features."""
    across: float
    """Distance of the last from the first."""
    outlines: bool | None
    """Whether letters were mixed as outlines; None where there is one font."""
    readings: tuple[Reading, ...]
    """What OCR reads; empty without OCR, and where it has no such letters."""
    are_read: tuple[bool, ...]
    """Whether each reading is the word, as OCR separates letters."""

    @property
    def unevenness(self) -> float:
        """The longest step over the mean step: 1 for even steps."""
        return max(self.steps) / max(float(np.mean(self.steps)), 1e-9)

    @property
    def detour(self) -> float:
        """Length of the way over the distance of its ends: 1 for straight."""
        return sum(self.steps) / max(self.across, 1e-9)


class Interpolator:
    """Paints words between two styles and two fonts."""

    def __init__(self, synthesizer: Synthesizer, fonts: FontLibrary, ocr: Ocr | None = None) -> None:
        self._synthesizer = synthesizer
        self._fonts = fonts
        self._ocr = ocr

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        fonts: FontLibrary | None = None,
        device: str = "auto",
        ocr: Ocr | None = None,
    ) -> "Interpolator":
        """Load weights, as `weights_file` takes them (None: "small").

        Raises:
            WeightsError: it cannot be used.
        """
        library = fonts or FontLibrary.open()
        return cls(Synthesizer.load(weights, device, library), library, ocr)

    def can_judge(self, text: str) -> bool:
        """Whether there is an OCR that can write a text."""
        return self._ocr is not None and can_judge(self._ocr, text)

    @property
    def height_px(self) -> int:
        """Height of the words."""
        return self._synthesizer.config.height_px

    def strip(
        self,
        text: str,
        styles: tuple[Style, Style],
        fonts: tuple[str, str],
        steps: int = 8,
        way: Way = "auto",
        even: bool = True,
    ) -> Strip:
        """Paint `text` in `steps` looks from the first style and font to the second.

        Args:
            text: the word.
            styles: two crops' looks; twice the same for letters alone.
            fonts: ids of two fonts; twice the same for looks alone.
            steps: how many pictures, with both ends.
            way: how letters are mixed: as outlines, as features of the network, or as outlines where
                both fonts' are compatible.
            even: choose shares so that neighbours are equally far apart, instead of equal shares.

        Raises:
            EditError: outlines were asked for and are not compatible.
            FontError: there is no such font, or it does not draw the text.
        """
        codes = self._synthesizer.encode_style(styles)
        morph = self._morph(text, fonts)
        outlines = None if morph is None else way == "outlines" or (way == "auto" and morph.compatible)
        if outlines and morph is not None and not morph.compatible:
            raise EditError(
                f"The outlines of '{text}' differ too much between '{fonts[0]}' and '{fonts[1]}' to be "
                "mixed. Mix their features."
            )
        shares = np.linspace(0, 1, steps)
        if even:
            probes = np.linspace(0, 1, _PROBES)
            for count in (_PROBES, steps):  # the second look is close where the first saw haste
                trial = self._painted(text, fonts[0], morph, bool(outlines), codes, probes)
                way_there = np.concatenate([[0.0], np.cumsum(_steps(self._features(trial)))])
                shares = np.interp(np.linspace(0, way_there[-1], count), way_there, probes)
                probes = shares
        images = self._painted(text, fonts[0], morph, bool(outlines), codes, shares)
        features = self._features(images)
        ocr = self._ocr if self.can_judge(text) else None
        readings = [] if ocr is None else ocr.read(images)
        return Strip(
            images=tuple(images),
            shares=tuple(round(float(share), 4) for share in shares),
            steps=tuple(_steps(features)),
            across=_distance(features[0], features[-1]),
            outlines=outlines,
            readings=tuple(readings),
            are_read=() if ocr is None else tuple(bool(agrees(ocr, text, one.text)) for one in readings),
        )

    def _morph(self, text: str, fonts: tuple[str, str]) -> Morph | None:
        lines = []
        for name in fonts:
            font = self._fonts.font(name)
            lines.append(shape_line(text, self._fonts.face(font), font.family))
        if any(not len(line.points) for line in lines):
            raise EditError(f"There is nothing to draw in '{text}'. Give a visible character.")
        return None if fonts[0] == fonts[1] else Morph(lines[0], lines[1])

    def _painted(
        self,
        text: str,
        font: str,
        morph: Morph | None,
        outlines: bool,
        codes: Sequence[StyleCode],
        shares: np.ndarray,
    ) -> list[np.ndarray]:
        height = self.height_px
        if morph is None:
            face = self._fonts.face(self._fonts.font(font))
            plain = Morph(*(2 * [shape_line(text, face, font)]))
            masks = framed([plain.ends(0.0)[0]], height, Generator.stride) * len(shares)
        elif outlines:
            masks = framed([morph.outline(share) for share in shares], height, Generator.stride)
        else:
            both = [side for share in shares for side in morph.ends(share)]
            sides = framed(both, height, Generator.stride)
            return self._synthesizer.decode(
                [
                    self._between(sides[2 * i], sides[2 * i + 1], float(share), codes)
                    for i, share in enumerate(shares)
                ]
            )
        first = self._synthesizer.align(masks, [codes[0]] * len(masks))
        last = self._synthesizer.align(masks, [codes[1]] * len(masks))
        mixed = [blended(a, b, float(share)) for a, b, share in zip(first, last, shares, strict=True)]
        return self._synthesizer.decode(mixed)

    def _between(
        self, one: np.ndarray, other: np.ndarray, share: float, codes: Sequence[StyleCode]
    ) -> StyledContent:
        sides = [self._synthesizer.align_between(one, other, share, code) for code in codes]
        return blended(sides[0], sides[1], share)

    def _features(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        return self._synthesizer.features(images)


def _steps(features: Sequence[np.ndarray]) -> list[float]:
    return [_distance(one, other) for one, other in itertools.pairwise(features)]


def _distance(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.sqrt(((one - other) ** 2).mean()))
