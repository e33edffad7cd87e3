"""An opened font: which characters it really draws, glyph shapes, line metrics.

HarfBuzz maps characters to glyphs here exactly as it does when a word is shaped, so
what coverage promises is what the word gets. FreeType reads the outlines.
"""

import functools
import io
from dataclasses import dataclass
from pathlib import Path

import freetype
import numpy as np
import uharfbuzz as hb
from fontTools.ttLib import TTFont

from siman_synth.render.outlines import GlyphShape, fill, flatten

_LOAD_FLAGS = freetype.FT_LOAD_NO_SCALE | freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP
_MOST_GLYPHS = 4096
_PROBE_PX = 48
_PALEST_INK = 64
_SURE_AREA_EM = 0.002
_UNICASE_REACH = 0.15
"""Of the bundled fonts, those with real small letters reach 0.32 or more, the others 0.02 at most."""
_SYMBOL = freetype.FT_ENCODING_MS_SYMBOL
_EMPTY = GlyphShape(np.zeros((0, 2), np.float32), np.zeros(0, np.int64))


class UnusableFontError(Exception):
    """A font file that is skipped; the message is the reason that is counted."""


@dataclass(frozen=True, slots=True)
class LineMetrics:
    """Heights above the baseline in em: tops of tall letters, of small letters, bottoms of tails."""

    top: float
    x_height: float
    bottom: float


class Face:
    """One face of a font file, open for shaping and for reading outlines."""

    def __init__(self, path: Path, index: int = 0) -> None:
        """Open face `index` of a .ttf, .otf, .ttc or .woff file.

        Raises:
            UnusableFontError: broken file, bitmap-only, no Unicode character map, no glyph with ink.
        """
        try:
            if path.suffix.lower() == ".woff":
                data = _unpacked(path)
                self._face = freetype.Face(io.BytesIO(data), index)
                hb_face = hb.Face(hb.Blob(data), index)
            else:
                self._face = freetype.Face(str(path), index)
                hb_face = hb.Face(hb.Blob.from_file_path(str(path)), index)
        except Exception as error:  # fontTools alone raises a dozen types for broken files
            raise UnusableFontError("broken file") from error
        if not self._face.is_scalable:
            raise UnusableFontError("bitmap-only")
        if hb_face.glyph_count == 0:
            raise UnusableFontError("unsupported format")
        encodings = {charmap.encoding for charmap in self._face.charmaps or ()}
        if _SYMBOL in encodings or freetype.FT_ENCODING_UNICODE not in encodings:
            # HarfBuzz would draw dingbats for the letters of a symbol font.
            raise UnusableFontError("no Unicode character map")
        self.family = (self._face.family_name or b"").decode("utf-8", "replace")
        self.count = int(self._face.num_faces)
        self.units_per_em = int(self._face.units_per_EM)
        self.shaper = hb.Font(hb_face)
        self._shapes: dict[int, GlyphShape] = {}
        self._drawn: dict[str, bool] = {}
        if not any(self.draws(character) for character in self._first_characters(hb_face)):
            raise UnusableFontError("no glyph with ink")

    def glyph_id(self, character: str) -> int:
        """Return the glyph that the character map gives, 0 for none."""
        return int(self.shaper.get_nominal_glyph(ord(character)) or 0)

    def shape(self, glyph_id: int) -> GlyphShape:
        """Return the outline of a glyph; empty where it has none or it is damaged."""
        shape = self._shapes.get(glyph_id)
        if shape is None:
            if len(self._shapes) >= _MOST_GLYPHS:
                del self._shapes[next(iter(self._shapes))]
            shape = self._shapes[glyph_id] = self._read(glyph_id)
        return shape

    def draws(self, character: str) -> bool:
        """Tell whether the font draws this character with ink, as itself.

        A glyph does not count if it is `.notdef`, looks like `.notdef`, or leaves no ink. A
        small letter that looks like its capital does not count either (fonts of capitals
        only): the label would have the wrong case.
        """
        drawn = self._drawn.get(character)
        if drawn is None:
            drawn = self._drawn[character] = self._draws(character)
        return drawn

    @functools.cached_property
    def metrics(self) -> LineMetrics:
        """The line that words of this font stand in, measured on its letters where it has them."""
        em = self.units_per_em
        return LineMetrics(
            top=self._edges("dlH", max(self._face.ascender / em * 0.8, 0.5))[1],
            x_height=self._edges("xz", 0.5)[1],
            bottom=self._edges("gp", min(self._face.descender / em * 0.8, 0.0))[0],
        )

    def _edges(self, letters: str, otherwise: float) -> tuple[float, float]:
        drawn = [self.shape(self.glyph_id(letter)) for letter in letters if self.draws(letter)]
        if not drawn:
            return otherwise, otherwise
        heights = np.concatenate([shape.points[:, 1] for shape in drawn])
        return float(heights.min()), float(heights.max())

    def _draws(self, character: str) -> bool:
        glyph_id = self.glyph_id(character)
        if glyph_id == 0:
            return False
        shape = self.shape(glyph_id)
        if not _has_ink(shape) or shape.same_as(self.shape(0)):
            return False
        if not character.isascii() and not self._survives_shaping(character):
            return False
        return not (character.islower() and (self.unicase or self._same_as_capital(character, shape)))

    def _survives_shaping(self, character: str) -> bool:
        """Tell whether HarfBuzz keeps the character visible; a soft hyphen, say, it does not."""
        buffer = hb.Buffer()
        buffer.add_codepoints([ord(character)])
        buffer.guess_segment_properties()
        hb.shape(self.shaper, buffer)
        return any(len(self.shape(info.codepoint).points) for info in buffer.glyph_infos)

    def _same_as_capital(self, character: str, shape: GlyphShape) -> bool:
        capital = character.upper()
        if capital == character or len(capital) != 1:
            return False
        glyph_id = self.glyph_id(capital)
        return glyph_id != 0 and shape.same_as(self.shape(glyph_id))

    @functools.cached_property
    def unicase(self) -> bool:
        """Whether small letters are drawn as capitals, be it smaller or slightly different ones.

        Then no small letter rises above the others or reaches below them.
        """
        if not all(self.glyph_id(letter) for letter in "abcdeghklnpry"):
            return False
        bottom, top = self._mean_edges("acenr")
        risen, lowered = self._mean_edges("bdhkl")[1], self._mean_edges("gpy")[0]
        return (risen - top) + (bottom - lowered) < _UNICASE_REACH * (top - bottom)

    def _mean_edges(self, letters: str) -> tuple[float, float]:
        drawn = [self.shape(self.glyph_id(letter)).points[:, 1] for letter in letters]
        edges = [(heights.min(), heights.max()) for heights in drawn if len(heights)]
        if not edges:
            return 0.0, 0.0
        bottom, top = np.mean(edges, axis=0).tolist()
        return bottom, top

    def _read(self, glyph_id: int) -> GlyphShape:
        try:
            self._face.load_glyph(glyph_id, _LOAD_FLAGS)
            return flatten(self._face.glyph.outline, self.units_per_em)
        except freetype.FT_Exception:
            return _EMPTY

    @staticmethod
    def _first_characters(hb_face: "hb.Face") -> list[str]:
        likely = [chr(code) for code in (0x41, 0x61, 0x30)]
        return likely + [chr(code) for code in sorted(hb_face.unicodes)[:64]]


def _has_ink(shape: GlyphShape) -> bool:
    if not len(shape.points):
        return False
    if abs(shape.signed_area) > _SURE_AREA_EM:
        return True
    low, high = shape.points.min(0), shape.points.max(0)
    # Huge swashes would make a huge picture; shrinking them cannot hide that they have ink.
    scale = _PROBE_PX / max(1.0, float((high - low).max()) / 4)
    width, height = (np.ceil((high - low) * scale).astype(int) + 2).tolist()
    pixels = (shape.points - low).astype(np.float64) * scale + 1
    return int(fill(pixels, shape.contour_ends, height, width).max()) >= _PALEST_INK


def _unpacked(path: Path) -> bytes:
    packed = TTFont(path, lazy=False)
    packed.flavor = None
    plain = io.BytesIO()
    packed.save(plain)
    return plain.getvalue()
