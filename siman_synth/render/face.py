"""An opened font: which characters it really draws, glyph shapes, line metrics.

HarfBuzz maps characters to glyphs here exactly as it does when a word is shaped, so
what coverage promises is what the word gets. FreeType reads the outlines.
"""

import functools
import io
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import freetype
import numpy as np
import uharfbuzz as hb

from siman_synth.render.claims import Claims
from siman_synth.render.composites import has_endless_parts
from siman_synth.render.errors import UnusableFontError
from siman_synth.render.font_bytes import unpacked
from siman_synth.render.outlines import GlyphShape, fill, flatten, stroke_width, subdivided
from siman_synth.render.scripts import script_of, table_tags

_LOAD_FLAGS = freetype.FT_LOAD_NO_SCALE | freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP
_MOST_GLYPHS = 4096
_PROBE_PX = 48
_PALEST_INK = 64
_SURE_AREA_EM = 0.002
_LEAST_ADVANCE, _LEAST_OVERLAP = 0.05, 0.1
"""Of the bundled fonts, advances are 0.2 of the ink's width or more, and overlap it by 0.4 or more."""
_PLACED = frozenset({"Lu", "Ll", "Lt", "Lo", "Nd"})
_SPACE_EM = 0.28
_SPACES_EM = (0.1, 1.5)
"""Spaces of the bundled fonts are 0.12 to 1 em wide."""
_LEAST_EM, _MOST_EM = 0.1, 3.0
"""Tall letters of the bundled fonts are 0.56 to 1.04 em high."""
_LETTERS_MEASURED = 48
_LONGEST_EDGE_EM = 0.1
_STRANGEST_EM = 0.5
"""Further than this from the font's own letters, what it says of its line is wrong."""
_SYMBOL = freetype.FT_ENCODING_MS_SYMBOL
EM_MIDDLE = 0.38
"""How high above the baseline the middle of the em box of Chinese, Japanese and Korean letters is, in em."""
NO_GLYPH, BLANK = "it has no glyph", "its glyph is blank"
_EMPTY = GlyphShape(np.zeros((0, 2), np.float32), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class LineMetrics:
    """Heights above the baseline in em: tops of tall letters, of small letters, bottoms of tails."""

    top: float
    x_height: float
    bottom: float


class Face:
    """One face of a font file, open for shaping and for reading outlines."""

    def __init__(self, path: Path, index: int = 0, *, bundled: bool = False) -> None:
        """Open face `index` of a .ttf, .otf, .ttc or .woff file.

        A bundled one was looked at when it was added (`fonts/check_fonts.py`), and is opened without
        what costs time.

        Raises:
            UnusableFontError: broken file, too large, bitmap-only, no Unicode character map, no glyph
                with ink.
        """
        try:
            data = unpacked(path)
            if data is not None:
                self._face = freetype.Face(io.BytesIO(data), index)
                hb_face = hb.Face(hb.Blob(data), index)
            else:
                self._face = freetype.Face(str(path), index)
                hb_face = hb.Face(hb.Blob.from_file_path(str(path)), index)
        except UnusableFontError:
            raise
        except Exception as error:  # FreeType and HarfBuzz have types of their own
            raise UnusableFontError("broken file") from error
        if not self._face.is_scalable:
            raise UnusableFontError("bitmap-only")
        if hb_face.glyph_count == 0:
            raise UnusableFontError("unsupported format")
        if not bundled and has_endless_parts(hb_face):
            raise UnusableFontError("a glyph of endless parts")
        encodings = {charmap.encoding for charmap in self._face.charmaps or ()}
        if _SYMBOL in encodings or freetype.FT_ENCODING_UNICODE not in encodings:
            # HarfBuzz would draw dingbats for the letters of a symbol font.
            raise UnusableFontError("no Unicode character map")
        self.family = (self._face.family_name or b"").decode("utf-8", "replace")
        self.count = int(self._face.num_faces)
        self.units_per_em = int(self._face.units_per_EM)
        self.shaper = hb.Font(hb_face)
        self._reading = threading.Lock()
        self._shapes: dict[int, GlyphShape] = {}
        self._problems: dict[str, str | None] = {}
        self._vertical_forms: dict[str, bool] = {}
        self._claims = Claims(self)
        if self.units_per_em != hb_face.upem:
            # HarfBuzz takes 1000 for sizes that the format forbids.
            raise UnusableFontError("units an em that no font may have")
        if not bundled:
            self._require_letters()

    def glyph_id(self, character: str) -> int:
        """Return the glyph that the character map gives, 0 for none."""
        return int(self.shaper.get_nominal_glyph(ord(character)) or 0)

    def glyph_name(self, glyph_id: int) -> str:
        """Return what the font calls a glyph; empty where it keeps no names."""
        if not self._face.has_glyph_names:
            return ""
        try:
            return str(self._face.get_glyph_name(glyph_id).decode("ascii", "replace"))
        except freetype.FT_Exception:
            return ""

    def size(self, glyph_id: int) -> tuple[int, int]:
        """Return width and height of a glyph's ink in the font's units; equal outlines have equal sizes."""
        extents = self.shaper.get_glyph_extents(glyph_id)
        return (0, 0) if extents is None else (extents.width, extents.height)

    def advance(self, glyph_id: int) -> float:
        """Return how far the pen goes, in em, before kerning."""
        return float(self.shaper.get_glyph_h_advance(glyph_id)) / self.units_per_em

    @functools.cached_property
    def space(self) -> float | None:
        """The width of a space in em where the font's own is none that divides words, else None."""
        glyph_id = self.glyph_id(" ")
        own = self.advance(glyph_id) if glyph_id else 0.0
        return None if _SPACES_EM[0] <= own <= _SPACES_EM[1] else _SPACE_EM

    def shape(self, glyph_id: int) -> GlyphShape:
        """Return the outline of a glyph; empty where it has none or it is damaged."""
        shape = self._shapes.get(glyph_id)
        if shape is None:
            if len(self._shapes) >= _MOST_GLYPHS:
                del self._shapes[next(iter(self._shapes))]
            shape = self._shapes[glyph_id] = self._read(glyph_id)
        return shape

    def fine_shape(self, glyph_id: int) -> GlyphShape:
        """Return the outline of a glyph without long edges."""
        return subdivided(self.shape(glyph_id), _LONGEST_EDGE_EM)

    def has_vertical_form(self, character: str) -> bool:
        """Tell whether the font has another glyph for this character in lines that run downwards (`vert`)."""
        if character not in self._vertical_forms:
            buffer = hb.Buffer()
            buffer.add_codepoints([ord(character)])
            buffer.guess_segment_properties()
            buffer.direction = "ttb"
            hb.shape(self.shaper, buffer)
            glyphs = [info.codepoint for info in buffer.glyph_infos]
            self._vertical_forms[character] = glyphs not in ([], [0], [self.glyph_id(character)])
        return self._vertical_forms[character]

    def upright_move(self, glyph_id: int) -> tuple[int, int]:
        """Return by how much, in the font's units, an upright glyph is moved after HarfBuzz set it downwards.

        A glyph hangs from its vertical origin. HarfBuzz knows that of tables named VORG. Other fonts say it
        by the room above a glyph (`vmtx`), or not at all; then it is that of the em box.
        """
        if "VORG" in self._tags:
            return 0, 0
        x, y = self.shaper.get_glyph_v_origin(glyph_id)
        if self.has_vertical_metrics:
            extents = self.shaper.get_glyph_extents(glyph_id)
            top = self._room_above(glyph_id) + (0 if extents is None else extents.y_bearing)
            return 0, y - top
        across = self.shaper.get_glyph_h_advance(glyph_id)
        return round(x - across / 2), round(y - (0.5 + EM_MIDDLE) * self.units_per_em)

    @functools.cached_property
    def has_vertical_metrics(self) -> bool:
        """Whether the font says how far glyphs reach downwards."""
        return "vmtx" in self._tags

    def _room_above(self, glyph_id: int) -> int:
        """Return from `vmtx` how far below its vertical origin a glyph begins."""
        table, longest = self._vertical_bearings
        at = 4 * glyph_id + 2 if glyph_id < longest else 4 * longest + 2 * (glyph_id - longest)
        return int.from_bytes(table[at : at + 2], "big", signed=True)

    @functools.cached_property
    def _vertical_bearings(self) -> tuple[bytes, int]:
        """The table `vmtx`, and how many of its entries hold an advance, too."""
        face = self.shaper.face
        tables = [bytes(face.reference_table(tag).data) for tag in ("vmtx", "vhea")]
        return tables[0], int.from_bytes(tables[1][34:36], "big")

    def draws(self, character: str) -> bool:
        """Tell whether the font draws this character with ink, as itself, in a place of its own."""
        return self.problem(character) is None

    def problem(self, character: str) -> str | None:
        """Return why the font does not draw this character, None if it does.

        A glyph does not count if it is `.notdef`, looks like `.notdef`, leaves no ink, or shows
        another character (`Claims`): the label would be wrong.
        """
        if character not in self._problems:
            self._problems[character] = self._find_problem(character)
        return self._problems[character]

    @functools.cached_property
    def metrics(self) -> LineMetrics:
        """The line that words of this font stand in, measured on its letters."""
        tall, small, tails = (self._edges(letters) for letters in ("dlH", "xz", "gp"))
        top = max(high for _, high in tall) if tall else self._likely_top
        return LineMetrics(
            top=top,
            x_height=max(high for _, high in small) if small else min(0.5, top),
            bottom=min(low for low, _ in tails) if tails else self._likely_bottom,
        )

    @functools.cached_property
    def tall(self) -> float:
        """The height of capitals in em, or what letters without capitals have in its place."""
        capitals = [high for _, high in self._edges("HEI")]
        return max(capitals) if capitals else max(self._likely_top, 0.1)

    @functools.cached_property
    def stroke(self) -> float:
        """About how wide strokes are, as a share of the height of capitals."""
        letters = list("Hno") if self.draws("H") else self._sample
        widths = [
            stroke_width(shape.points.astype(float), shape.contour_ends) for shape in self._drawn(letters)
        ]
        return float(np.median(widths)) / self.tall if widths else 0.0

    def _drawn(self, letters: Iterable[str]) -> list[GlyphShape]:
        return [self.shape(self.glyph_id(letter)) for letter in letters if self.draws(letter)]

    @property
    def _likely_top(self) -> float:
        """Return what the file says, or, where its ascender is ten em, what most letters do."""
        said = max(float(self._face.ascender) / self.units_per_em * 0.8, 0.5)
        found = float(np.quantile([high for _, high in self._edges(self._sample)] or [said], 0.9))
        return said if abs(said - found) <= _STRANGEST_EM else found

    @property
    def _likely_bottom(self) -> float:
        said = min(float(self._face.descender) / self.units_per_em * 0.8, 0.0)
        found = float(np.quantile([low for low, _ in self._edges(self._sample)] or [said], 0.1))
        return said if abs(said - found) <= _STRANGEST_EM else min(found, 0.0)

    def _edges(self, letters: Iterable[str]) -> list[tuple[float, float]]:
        """Return bottom and top, in em, of those letters that the font draws."""
        heights = [shape.points[:, 1] for shape in self._drawn(letters)]
        return [(float(points.min()), float(points.max())) for points in heights]

    @property
    def _sample(self) -> list[str]:
        """Return a few dozen letters from all over the character map."""
        letters = [chr(code) for code in sorted(self.shaper.face.unicodes) if chr(code).isalpha()]
        return letters[:: -(-len(letters) // _LETTERS_MEASURED) or 1]

    def _require_letters(self) -> None:
        """Refuse a font that draws nothing, or letters far larger or smaller than an em."""
        first = [chr(code) for code in sorted(self.shaper.face.unicodes)[:64]]
        problems = set()
        for character in ("A", "a", "0", *first):
            if (problem := self.problem(character)) is None:
                break
            problems.add(problem)
        else:
            blank = problems <= {NO_GLYPH, BLANK}
            raise UnusableFontError("no glyph with ink" if blank else "no character drawn as itself")
        heights = self._edges([character])
        if character.isalpha() and not _LEAST_EM <= heights[0][1] - heights[0][0] <= _MOST_EM:
            raise UnusableFontError("letters of an odd size")

    def _find_problem(self, character: str) -> str | None:
        glyph_id = self.glyph_id(character)
        if glyph_id == 0:
            return NO_GLYPH
        shape = self.shape(glyph_id)
        if not _has_ink(shape):
            return BLANK
        if shape.same_as(self.shape(0)):
            return "its glyph is the sign for missing ones"
        if not character.isascii() and not self._survives_shaping(character):
            return "it leaves no ink"
        if not self._has_tables(character):
            return "the font has no layout tables for its script"
        return self._width_problem(character, glyph_id, shape) or self._claims.doubt(
            character, glyph_id, shape
        )

    def _width_problem(self, character: str, glyph_id: int, shape: GlyphShape) -> str | None:
        """Return what is wrong with the place that a character takes, if it should take some."""
        if unicodedata.category(character) not in _PLACED or "\u1160" <= character <= "\u11ff":
            return None  # marks stand on others, and so do vowels of Korean
        left, right = shape.points[:, 0].min(), shape.points[:, 0].max()
        advance = self.advance(glyph_id)
        if advance < _LEAST_ADVANCE * (right - left):
            return "it takes no place on the line"
        if min(right, advance) - max(left, 0) < _LEAST_OVERLAP * min(right - left, advance):
            return "it stands beside its place on the line"
        return None

    def _has_tables(self, character: str) -> bool:
        """Tell whether the font can put a character together with others as its script asks."""
        tags = table_tags(script_of(character))
        if not tags or unicodedata.category(character)[0] not in "LM":
            return True
        return bool(tags & self._tables) or "morx" in self._tables  # Apple's tables name no script

    @functools.cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(self.shaper.face.get_table_script_tags("GSUB")) | self._tags

    @functools.cached_property
    def _tags(self) -> frozenset[str]:
        return frozenset(self.shaper.face.table_tags)

    def _survives_shaping(self, character: str) -> bool:
        """Tell whether HarfBuzz keeps the character visible; a soft hyphen, say, it does not."""
        buffer = hb.Buffer()
        buffer.add_codepoints([ord(character)])
        buffer.guess_segment_properties()
        hb.shape(self.shaper, buffer)
        return any(len(self.shape(info.codepoint).points) for info in buffer.glyph_infos)

    def _read(self, glyph_id: int) -> GlyphShape:
        try:
            with self._reading:  # FreeType has one place in a face for the glyph that was read last
                self._face.load_glyph(glyph_id, _LOAD_FLAGS)
                return flatten(self._face.glyph.outline, self.units_per_em)
        except freetype.FT_Exception:
            return _EMPTY


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
