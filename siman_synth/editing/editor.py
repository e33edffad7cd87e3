"""Another word in the place of one in a picture."""

import dataclasses
import itertools
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.editing.alignment import Align, Side, Standing, side_of
from siman_synth.editing.colours import unmixed_ink
from siman_synth.editing.errors import EditError
from siman_synth.editing.ink import mask_box
from siman_synth.editing.lettering import Lettering, Mask, Outline, scaling
from siman_synth.editing.looks import FontLooks
from siman_synth.editing.matching import FontMatcher, Match
from siman_synth.editing.painting import ALIKE, Layout, old_ink, paint
from siman_synth.editing.perspective import plane_of
from siman_synth.editing.placing import Placement, Width, place
from siman_synth.editing.quad import Image, Quad, frame_size, warped
from siman_synth.editing.room import free_room
from siman_synth.editing.target import Target
from siman_synth.extras import MissingPackageError
from siman_synth.imaging.resize import resize
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.ocr.recognizer import Ocr, Reading, agrees, can_judge
from siman_synth.render.font_files import Font
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.script_fonts import ScriptFonts
from siman_synth.synthesis.config import StyleConfig
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.text.languages import AUTO, is_language
from siman_synth.text.spaces import label_of, plain_spaces
from siman_synth.text.visible import needs_ink

_FRAME_PX = 48
"""Height of the level frame in which crops are compared and taken apart."""
_NETWORK_PX = 32
_PLANES, _PROBES = 3, 2
_PLANE_GAIN = 0.03
"""A word is set in perspective if that makes it so much more like the old one."""
_SURE = 0.5
"""Score from which what OCR reads is taken for the old word."""
_ANY_CROP = StyleConfig(min_aspect=0.0, min_contrast=0)

Colours = Literal["network", "shaded", "old"]


@dataclass(frozen=True, slots=True)
class EditResult:
    """A picture whose word was changed, and what was found on the way."""

    image: Image
    """uint8 (H, W, 3), RGB; outside the quadrilateral every pixel is as it was."""
    mask: Mask
    """uint8 (H, W): how far each pixel was painted anew; 0 where it is as it was."""
    word: Mask
    """uint8 (H, W): how far each pixel is ink of the new word."""
    text: str
    """The new word."""
    old: str | None
    """The word that was there, given or read."""
    font: Font
    """The font that was matched."""
    likeness: float
    """How well it explains the old word: 1 for entirely."""
    ranking: tuple[tuple[str, float], ...]
    """The fonts that came closest, with their likeness."""
    quad: Quad
    condensed: float
    """Width of the new word's letters, as a factor on that of the old one's."""
    side: Side
    """Which edge of the old word the new one keeps, or its middle."""
    reading: Reading | None
    """What OCR reads there now; None without OCR."""
    is_read: bool | None
    """Whether that is the new word, letter case and punctuation aside; None where OCR cannot tell, having no
    such letters."""

    @property
    def score(self) -> float | None:
        """How certain OCR is of its reading."""
        return None if self.reading is None else self.reading.score


class TextEditor:
    """Edits words in pictures.

    Args:
        synthesizer: the network, which paints the new word in the old one's style.
        fonts: the fonts to choose from; None for the bundled ones, with those of the words' scripts.
        ocr: reads the old word and judges the new one; None for no reading.
        colours: whose ink colours are used: the network's, or those of the old ink alone.
        tries: how often a word that OCR misreads is written: with the next likeliest ink, then with the next
            likeliest family. What is never read is written as at first.
        language: BCP 47 code of the words, which says how bundled fonts write Chinese characters.

    Raises:
        EditError: `language` is no such code.
    """

    def __init__(
        self,
        synthesizer: Synthesizer,
        fonts: FontLibrary | None = None,
        ocr: Ocr | None = None,
        colours: Colours = "old",
        tries: int = 3,
        language: str = AUTO,
    ) -> None:
        if not is_language(language):
            raise EditError(f"language must be a code such as ja or zh-Hans, or auto, found {language!r}.")
        self._synthesizer = synthesizer
        self._ocr = ocr
        self._colours = colours
        self._tries = tries
        self._fonts = ScriptFonts(fonts, self._matcher, language)

    @classmethod
    def load(
        cls,
        weights: str | Path | None = None,
        fonts: FontLibrary | None = None,
        device: str = "auto",
        ocr: Ocr | Literal["auto"] | None = "auto",
        language: str = AUTO,
    ) -> "TextEditor":
        """Load weights, as `weights_file` takes them (None: "small") and, where it is installed, PP-OCR.

        Raises:
            WeightsError: the weights cannot be used.
            EditError: `language` is no code of a language.
        """
        synthesizer = Synthesizer.load(weights, device, fonts)
        return cls(synthesizer, fonts, installed_ocr() if ocr == "auto" else ocr, language=language)

    def edit(
        self,
        image: Image,
        quad: Quad | Sequence[Sequence[float]] | npt.NDArray[np.float64] | None,
        text: str,
        *,
        old: str | None = None,
        width: Width = "natural",
        align: Align = "auto",
        font: str | None = None,
    ) -> EditResult:
        """Write `text` where the quadrilateral's word is.

        Args:
            image: uint8 (H, W, 3), RGB, of any size.
            quad: corners of the word, clockwise from its top left; None for the whole picture.
            text: the new word.
            old: the word that is there; without it OCR reads it.
            width: `natural`, as wide as its letters want or as there is room; `keep`, as wide as the old.
            align: which edge of the old word the new one keeps: `start`, where lines of its script begin;
                `end`; `center`; or `auto`, which looks at what stands beside, above and below.
            font: id of a font to use instead of the one that matches.

        Raises:
            EditError: the quadrilateral cannot be used, or the word does not fit.
            FontError: no font draws the new word.
        """
        if width not in get_args(Width):
            raise EditError(f"width must be one of {', '.join(get_args(Width))}, found {width!r}.")
        if align not in get_args(Align):
            raise EditError(f"align must be one of {', '.join(get_args(Align))}, found {align!r}.")
        image = _checked(image)
        label = _label(text)
        where = _as_quad(quad, image)
        view = _View.of(image, where, where)
        word = self._old_word(view.level, label) if old is None else _label(old)
        library, matcher = self._fonts.of(f"{label}{word or ''}")
        fonts = library.covering(label)
        if not fonts:
            raise EditError(library.explain(label))
        first: EditResult | None = None
        problem: EditError | None = None
        view, matches = _matched(view, matcher, library, word or "", {one.id for one in fonts}, font)
        for match in itertools.islice(matches, self._tries):
            try:
                result = self._written(library, view, match, label, width, align, word)
            except EditError as error:
                problem = problem or error
                continue
            if result.is_read is not False:
                return result
            first = first or result
        if first is None:
            raise problem or EditError(f"'{label}' cannot be written there.")
        return first

    def _matcher(self, fonts: FontLibrary) -> FontMatcher:
        return FontMatcher(fonts, FontLooks(fonts, self._synthesizer))

    def _written(
        self,
        library: FontLibrary,
        view: "_View",
        match: Match,
        label: str,
        width: Width,
        align: Align,
        word: str | None,
    ) -> EditResult:
        """Write the new word as one match says, and read it."""
        crop = view.crop
        outline = match.lettering.outline(label, library)
        rendered = match.rendered(library) if match.text else None
        hole = old_ink(crop, match.layers, match.mask, rendered, match.likeness)
        _, top, _, bottom = mask_box(match.mask) or (0, 0, 0, crop.shape[0])
        room = free_room(crop, match.layers.ground, hole, match.span, (top, bottom))
        size = crop.shape[1], crop.shape[0]
        standing = Standing.of(match.lettering.matrix, match.span)
        side = side_of(align, word or label, view.image, view.plane, match.layers, standing)
        placed = place(label, outline, match.lettering, match.span, size, width, room, side)
        ink, extra = self._ink(view.level, crop, match, placed)
        known = None
        if match.text and match.likeness >= ALIKE:
            known = match.lettering, match.lettering.outline(match.text, library)
        layout = Layout(
            view.plane, view.where, hole, match.layers, ink, placed.lettering, placed.outline, known, extra
        )
        painted = paint(view.image, layout)
        reading, is_read = None, None
        if self._ocr is not None:
            reading = self._ocr.read([view.plane.rectified(painted.image)])[0]
            is_read = agrees(self._ocr, label, reading.text)
        return EditResult(
            image=painted.image,
            mask=painted.changed,
            word=painted.word,
            text=label,
            old=word,
            font=library.font(match.lettering.font),
            likeness=match.likeness,
            ranking=match.ranking,
            quad=view.where,
            condensed=placed.condensed,
            side=side,
            reading=reading,
            is_read=is_read,
        )

    def _old_word(self, level: Image, label: str) -> str | None:
        """Return what OCR is sure to read in a level crop, if it can write words like the new one at all."""
        if self._ocr is None or not can_judge(self._ocr, label):
            return None
        reading = self._ocr.read([level])[0]
        word = unicodedata.normalize("NFC", plain_spaces(reading.text).strip())
        return word if reading.score >= _SURE and any(map(needs_ink, word)) else None

    def _ink(
        self, level: Image, crop: Image, match: Match, placed: Placement
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32] | None]:
        """Return the new ink's colours in the frame, and what the network paints around it."""
        height, width = crop.shape[:2]
        if self._colours == "old":
            return match.layers.ink, None
        style = Style.from_image(level, "the word", _NETWORK_PX, _ANY_CROP)
        columns = max(2, round(width * _NETWORK_PX / height / 4)) * 4
        to_small = scaling(columns / width, _NETWORK_PX / height)
        small = dataclasses.replace(placed.lettering, matrix=to_small @ placed.lettering.matrix)
        mask = small.mask(placed.outline, _NETWORK_PX, columns)
        picture = self._synthesizer.restyle([mask], [style])[0].astype(np.float32)
        alpha = mask.astype(np.float32) / np.float32(255)
        ground = resize(match.layers.ground, columns, _NETWORK_PX)
        ink = unmixed_ink(picture, ground, alpha, _NETWORK_PX / 6)
        if self._colours == "shaded":
            seen = (match.layers.ink * match.layers.alpha[..., None]).sum((0, 1)) / match.layers.alpha.sum()
            ink = ink + (seen - (ink * alpha[..., None]).sum((0, 1)) / alpha.sum())
        back = np.asarray(np.linalg.inv(to_small), np.float64)
        return warped(ink, back, width, height), None


@dataclass(frozen=True, slots=True)
class _View:
    """A word's plane, seen from the front."""

    image: Image
    where: Quad
    """What may be painted on."""
    plane: Quad
    """What the level frame shows: `where`, or the plane of a word that is in perspective there."""
    level: Image
    """As large as it is in the picture."""
    crop: Image
    """In the size in which words are compared."""

    @classmethod
    def of(cls, image: Image, where: Quad, plane: Quad) -> "_View":
        level = plane.rectified(image)
        return cls(image, where, plane, level, resize(level, *frame_size(plane, _FRAME_PX), cv2.INTER_CUBIC))


def _matched(
    view: _View, matcher: FontMatcher, fonts: FontLibrary, word: str, allowed: Set[str], font: str | None
) -> tuple[_View, Iterator[Match]]:
    """Return what the word may be set in, and in which plane it is more like that."""
    matches = matcher.matches(view.crop, word, allowed, font)
    first = next(matches)
    for _ in range(_PLANES):
        plane = _plane(view, first, fonts)
        if plane is None:
            break
        other = _View.of(view.image, view.where, plane)
        others = matcher.matches(other.crop, word, allowed, font)
        better = next(others)
        if better.likeness < first.likeness + (_PLANE_GAIN if view.plane is view.where else 0):
            break
        view, matches, first = other, others, better
    return view, itertools.chain([first], matches)


def _plane(view: _View, match: Match, fonts: FontLibrary) -> Quad | None:
    """Return a quadrilateral in which a word is likely to be level; None where the one at hand will do."""
    target = Target.of(match.layers.alpha * cv2.dilate(match.mask, np.ones((3, 3), np.uint8)))
    if target is None or not match.text:
        return None
    text, lettering = match.text, match.lettering

    def others() -> list[Outline]:
        drawing = fonts.covering(text)
        probes = drawing[:: max(1, len(drawing) // _PROBES)]
        return [Lettering(one.id, lettering.matrix).outline(text, fonts) for one in probes]

    size = view.crop.shape[1], view.crop.shape[0]
    return plane_of(view.where, view.plane, size, target, lettering, lettering.outline(text, fonts), others)


def installed_ocr() -> Ocr | None:
    """Return PP-OCR, None where it is not installed."""
    try:
        return PpOcr.load()
    except MissingPackageError:
        return None


def _checked(image: Image) -> Image:
    if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        found = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise EditError(f"An RGB picture is needed, uint8 (H, W, 3), found {found}.")
    return image


def _label(text: str) -> str:
    label = label_of(text)
    if not any(map(needs_ink, label)):
        raise EditError(f"There is nothing to write in {text!r}. Give a visible character.")
    return label


def _as_quad(quad: "Quad | Sequence[Sequence[float]] | npt.NDArray[np.float64] | None", image: Image) -> Quad:
    if quad is None:
        return Quad.of_box((0, 0, image.shape[1], image.shape[0]), image)
    return Quad.of(quad.corners if isinstance(quad, Quad) else quad, image)
