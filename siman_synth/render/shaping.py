"""From a word to one line of outlines: runs of one direction and script, each shaped by HarfBuzz."""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import uharfbuzz as hb

from siman_synth.bidi import visual_runs
from siman_synth.render.errors import RenderError
from siman_synth.render.face import EM_MIDDLE, Face, LineMetrics
from siman_synth.render.scripts import SIMPLE, joins, malformed, resolved_scripts, script_runs
from siman_synth.render.vertical import ACROSS, Writing, upright_characters
from siman_synth.text.visible import needs_ink

# Ligatures would give two characters one box; contextual alternates do the same in fonts
# for programmers. Other scripts get what the font does by default: they cannot be read without.
_SIMPLE_FEATURES = {"kern": True, "liga": False, "clig": False, "dlig": False, "hlig": False, "calt": False}
_LEAST_SPACE_EM = 0.05
"""However a font kerns a space."""
_SCALES = (0.6, 1.7)
"""How much a companion may be smaller or larger than designed."""
_NARROW_EM = 0.1
"""Advances below this are looked at."""
_LEAST_ADVANCE = 0.1
"""Of what a letter's advance is before kerning: below, letters would lie on each other."""
_EM_BOX = LineMetrics(top=EM_MIDDLE + 0.5, x_height=2 * EM_MIDDLE, bottom=EM_MIDDLE - 0.5)
"""The line in which letters stand below each other."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A shaped word in em, the pen starting at x = 0 on the baseline y = 0, y upwards.

    A *unit* is what keeps together under every layout: a character with its combining
    marks, or characters that the font draws as one.
    """

    points: npt.NDArray[np.float64]
    """(P, 2): the points of all contours."""
    contour_ends: npt.NDArray[np.int64]
    """(C,): where each contour ends in `points`, exclusive."""
    point_units: npt.NDArray[np.int64]
    """(P,): the unit of each point; units follow the text, points the pen."""
    unit_starts: npt.NDArray[np.float64]
    """(U,): pen x where each unit starts."""
    unit_ends: npt.NDArray[np.float64]
    """(U,): pen x where each unit ends."""
    unit_joined: npt.NDArray[np.bool_]
    """(U,): whether a unit joins those beside it, if they do too: layouts bend it, and move it with them."""
    character_units: npt.NDArray[np.int64]
    """(N,): the unit of each character of the text."""
    advance: float
    """How far the pen goes in all."""
    metrics: LineMetrics

    @property
    def centers(self) -> npt.NDArray[np.float64]:
        """(U,): pen x in the middle of each unit."""
        return (self.unit_starts + self.unit_ends) / 2

    @property
    def blocks(self) -> npt.NDArray[np.int64]:
        """(U,): what each unit may be moved with: numbers from left to right, equal where units join."""
        order = np.argsort(self.unit_starts, kind="stable")
        joined = self.unit_joined[order]
        numbers = np.zeros(len(order), np.int64)
        numbers[order[1:]] = np.cumsum(~(joined[1:] & joined[:-1]))
        return numbers


class _Glyph(NamedTuple):
    """A glyph with where it goes, in its font's units, and the first character that it belongs to."""

    face: Face
    id: int
    cluster: int
    advance: int
    x: int
    y: int
    upright: bool = False
    """On a page that is turned to the left: x is then to the right of the pen on the page, y above it."""


def shape_line(
    text: str,
    face: Face,
    font_name: str,
    word_space: float = 1.0,
    companion: Face | None = None,
    language: str = "",
    writing: Writing = ACROSS,
) -> TextLine:
    """Shape `text`: marks, kerning and, outside the Latin, Greek and Cyrillic scripts, ligatures.

    Spaces are `word_space` times as wide as the font's. Characters that `face` does not draw come from
    `companion`, as tall as beside them; `language` (BCP 47) chooses among a font's localized forms. A line
    that runs downwards is set on its side (`vertical`).

    Raises:
        RenderError: a character has no glyph, a mark no letter, or letters would lie on each other.
    """
    # Every kind of white space is drawn as a space: fonts rarely have the others.
    spaced = "".join(" " if character.isspace() else character for character in text)
    codes = [ord(character) for character in spaced]
    glyphs: list[_Glyph] = []
    narrow = _NARROW_EM * face.units_per_em
    faces = [face] * len(text) if companion is None else faces_of(spaced, face, companion)
    upright = None if writing == ACROSS else upright_characters(spaced, faces, writing)
    kinds: Sequence[object] = faces if upright is None else list(zip(faces, upright, strict=True))
    for start, end, script, direction in _runs(spaced, kinds):
        own = faces[start]
        stands = upright is not None and upright[start]
        if not text.isascii() and malformed(spaced, start, end, script, direction):
            raise RenderError(
                f"'{text}' holds a mark without a letter to stand on. Drop the word.", "mark without a letter"
            )
        buffer = hb.Buffer()
        buffer.add_codepoints(codes, start, end - start)
        buffer.script, buffer.direction = script, "ttb" if stands else direction
        if language:
            buffer.language = language
        hb.shape(own.shaper, buffer, _SIMPLE_FEATURES if script in SIMPLE else None)
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            character = spaced[info.cluster]
            advance = position.x_advance
            suspicious = info.codepoint == 0 or (advance < narrow and not stands)
            if suspicious and (problem := _problem(own, character, info.codepoint, advance, script)):
                raise RenderError(
                    f"Font '{font_name}' {problem[0]} {_named(text[info.cluster])} in '{text}'.", problem[1]
                )
            if stands:
                glyphs.append(_standing(own, info, position))
                continue
            x, y = position.x_offset, position.y_offset
            glyphs.append(_Glyph(own, info.codepoint, info.cluster, advance, x, y))
    return _line(spaced, glyphs, face, word_space)


def _standing(face: Face, info: "hb.GlyphInfo", position: "hb.GlyphPosition") -> _Glyph:
    """Return an upright glyph of a line that runs downwards."""
    advance = -position.y_advance
    if not face.has_vertical_metrics:
        # HarfBuzz would take the height of the font's lines.
        advance = face.units_per_em if face.advance(info.codepoint) > 0 else 0
    x, y = face.upright_move(info.codepoint)
    x, y = x + position.x_offset, y + position.y_offset
    return _Glyph(face, info.codepoint, info.cluster, advance, x, y, upright=True)


def faces_of(text: str, face: Face, companion: Face) -> list[Face]:
    """Return the font of each character: `companion` where `face` does not draw it.

    Marks, and what needs no ink, go with what stands before them, if that font has them.
    """
    found: list[Face] = []
    for character in text:
        before = found[-1] if found else face
        keeps = not needs_ink(character) or (
            unicodedata.category(character)[0] == "M" and before.draws(character)
        )
        drawn_by = face if face.draws(character) else companion
        found.append(before if keeps else drawn_by)
    return found


def _problem(face: Face, character: str, glyph_id: int, advance: int, script: str) -> tuple[str, str] | None:
    """Return what a font does wrong with a character, in words and as a reason, or None."""
    if glyph_id == 0:
        return ("has no glyph for", "missing glyph") if needs_ink(character) else None
    if script in SIMPLE and character.isalnum() and glyph_id == face.glyph_id(character):
        own = face.advance(glyph_id) * face.units_per_em
        if advance < _LEAST_ADVANCE * own:
            return "sets the next letter upon", "letters upon each other"
    return None


def _runs(text: str, kinds: Sequence[object]) -> Iterator[tuple[int, int, str, str]]:
    """Yield (start, end, script, direction) of the runs of `text`, from left to right on the line.

    A run has one font, and stands or lies: it is of one of `kinds`, which say so of each character.
    """
    for start, end, script, direction in _script_runs(text):
        parts = _parts(kinds, start, end)
        for first, last in reversed(parts) if direction == "rtl" else parts:
            yield first, last, script, direction


def _parts(kinds: Sequence[object], start: int, end: int) -> list[tuple[int, int]]:
    changes = [index for index in range(start + 1, end) if kinds[index] != kinds[index - 1]]
    return list(zip([start, *changes], [*changes, end], strict=True))


def _script_runs(text: str) -> Iterator[tuple[int, int, str, str]]:
    if text.isascii():
        yield 0, len(text), "Latn" if any(map(str.isalpha, text)) else "Zyyy", "ltr"
        return
    scripts = resolved_scripts(text)
    for first, last, level in visual_runs(text):
        runs = script_runs(scripts, first, last)
        for start, end, script in reversed(runs) if level % 2 else runs:
            yield start, end, script, "rtl" if level % 2 else "ltr"


def _line(text: str, glyphs: Sequence[_Glyph], face: Face, word_space: float) -> TextLine:
    """Set glyphs one after the other, and put together what belongs to one unit."""
    clusters = sorted({glyph.cluster for glyph in glyphs})
    unit_of_cluster = {cluster: unit for unit, cluster in enumerate(clusters)}
    starts, ends = [math.inf] * len(clusters), [-math.inf] * len(clusters)
    joined = [not text.isascii() and joins(text[cluster]) for cluster in clusters]
    points, contour_ends, counts, units = [], [], [], []
    pen, total = 0.0, 0
    for glyph in glyphs:
        unit = unit_of_cluster[glyph.cluster]
        space = text[glyph.cluster] == " "
        own, scale = glyph.face, 1.0 if glyph.face is face else _scale_beside(glyph.face, face)
        em = own.units_per_em
        advance = glyph.advance / em
        if space:
            advance = max(advance, _LEAST_SPACE_EM) if own.space is None else own.space
            advance *= word_space
        advance *= scale
        starts[unit] = min(starts[unit], pen)
        ends[unit] = max(ends[unit], pen + advance)
        shape = own.fine_shape(glyph.id) if joined[unit] else own.shape(glyph.id)
        if not space and len(shape.points):
            at = np.array([scale * glyph.x / em + (0.0 if glyph.upright else pen), scale * glyph.y / em])
            placed = (shape.points if scale == 1.0 else shape.points * scale) + at
            if glyph.upright:
                placed = np.stack([pen - placed[:, 1], placed[:, 0] + EM_MIDDLE], axis=1)
            points.append(placed)
            contour_ends.append(shape.contour_ends + total)
            counts.append(len(shape.points))
            units.append(unit)
            total += len(shape.points)
        pen += advance
    return TextLine(
        points=np.concatenate(points) if points else np.zeros((0, 2)),
        contour_ends=np.concatenate(contour_ends) if points else np.zeros(0, np.int64),
        point_units=np.repeat(np.array(units, np.int64), counts),
        unit_starts=np.array(starts, np.float64),
        unit_ends=np.array(ends, np.float64),
        unit_joined=np.array(joined, np.bool_),
        # What HarfBuzz takes out, such as a mark of direction, goes with what stands before it.
        character_units=np.maximum(np.searchsorted(clusters, np.arange(len(text)), side="right") - 1, 0),
        advance=pen,
        metrics=_EM_BOX if any(glyph.upright for glyph in glyphs) else face.metrics,
    )


def _scale_beside(companion: Face, face: Face) -> float:
    """Return by how much a font is scaled so that its tall letters are as tall as another's."""
    return min(max(face.tall / companion.tall, _SCALES[0]), _SCALES[1])


def _named(character: str) -> str:
    return f"'{character}' (U+{ord(character):04X})"
