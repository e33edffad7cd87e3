"""From a word to one line of outlines, with kerning and mark positions of the font."""

import unicodedata
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import uharfbuzz as hb

from siman_synth.render.errors import RenderError
from siman_synth.render.face import Face, LineMetrics

# Ligatures would give two characters one box; contextual alternates do the same in fonts
# for programmers. Scripts that need them (Arabic and others) keep their required features.
_FEATURES = {"kern": True, "liga": False, "clig": False, "dlig": False, "hlig": False, "calt": False}
_JOINING_FEATURES = {**_FEATURES, "calt": True, "clig": True}
_SIMPLE_SCRIPTS = frozenset({"Latn", "Grek", "Cyrl", "Zyyy", "Zinh", None})
_SPACE_EM = 0.28
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_LEFT_TO_RIGHT = frozenset({"L", "EN"})


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
    character_units: npt.NDArray[np.int64]
    """(N,): the unit of each character of the text."""
    advance: float
    """How far the pen goes in all."""
    metrics: LineMetrics

    @property
    def centers(self) -> npt.NDArray[np.float64]:
        """(U,): pen x in the middle of each unit."""
        return (self.unit_starts + self.unit_ends) / 2


def shape_line(text: str, face: Face, font_name: str) -> TextLine:
    """Shape `text` with HarfBuzz: kerning and marks, no ligatures.

    Raises:
        RenderError: a character has no glyph, or the text mixes writing directions.
    """
    if not text.isascii():
        _check_direction(text)
    # Every kind of white space is drawn as a space: fonts rarely have the others.
    spaced = "".join(" " if character.isspace() else character for character in text)
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(character) for character in spaced])
    buffer.guess_segment_properties()
    features = _FEATURES if buffer.script in _SIMPLE_SCRIPTS else _JOINING_FEATURES
    hb.shape(face.shaper, buffer, features)

    clusters = sorted({info.cluster for info in buffer.glyph_infos})
    unit_of_cluster = {cluster: unit for unit, cluster in enumerate(clusters)}
    starts, ends = np.full(len(clusters), np.inf), np.full(len(clusters), -np.inf)
    points, contour_ends, counts, units = [], [], [], []
    em = face.units_per_em
    pen, total = 0.0, 0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        unit = unit_of_cluster[info.cluster]
        space = spaced[info.cluster] == " "
        if info.codepoint == 0 and not space:
            raise RenderError(
                f"Font '{font_name}' has no glyph for {_named(text[info.cluster])} in '{text}'.",
                "missing glyph",
            )
        advance = _SPACE_EM if space and info.codepoint == 0 else position.x_advance / em
        starts[unit] = min(starts[unit], pen)
        ends[unit] = max(ends[unit], pen + advance)
        shape = face.shape(info.codepoint)
        if not space and len(shape.points):
            at = np.array([pen + position.x_offset / em, position.y_offset / em])
            points.append(shape.points + at)
            contour_ends.append(shape.contour_ends + total)
            counts.append(len(shape.points))
            units.append(unit)
            total += len(shape.points)
        pen += advance
    return TextLine(
        points=np.concatenate(points) if points else np.zeros((0, 2)),
        contour_ends=np.concatenate(contour_ends) if points else np.zeros(0, np.int64),
        point_units=np.repeat(np.array(units, np.int64), counts),
        unit_starts=starts,
        unit_ends=ends,
        character_units=np.searchsorted(clusters, np.arange(len(text)), side="right") - 1,
        advance=pen,
        metrics=face.metrics,
    )


def _check_direction(text: str) -> None:
    directions = {unicodedata.bidirectional(character) for character in text}
    if directions & _RIGHT_TO_LEFT and directions & _LEFT_TO_RIGHT:
        raise RenderError(
            f"'{text}' mixes right-to-left and left-to-right writing, whose order on the line is not "
            "settled by the label. Drop the word.",
            "mixed directions",
        )


def _named(character: str) -> str:
    return f"'{character}' (U+{ord(character):04X})"
