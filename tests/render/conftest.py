from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder

Contour = list[tuple[int, int]]

BOX: Contour = [(50, 0), (50, 700), (450, 700), (450, 0)]
TRIANGLE: Contour = [(50, 0), (250, 700), (450, 0)]
SLIVER: Contour = [(50, 0), (50, 700)]


def build_font(
    path: Path,
    glyphs: Mapping[str, Contour],
    family: str = "Made",
    notdef: Contour = BOX,
    *,
    names: Mapping[str, str] | None = None,
    advances: Mapping[str, int] | None = None,
    units: int = 1000,
    ascent: int = 800,
    others: Mapping[str, Contour] | None = None,
    features: str = "",
) -> Path:
    """Write a TrueType font with one contour a character (none = listed but blank).

    Glyphs are called u0041 and so on, or as `names` says, and go on by 500 units, or `advances`.
    `others` are glyphs by name that `features`, in the AFDKO's language, put in.
    """
    named = {character: (names or {}).get(character, f"u{ord(character):04X}") for character in glyphs}
    outlines = {".notdef": notdef, **{named[character]: contour for character, contour in glyphs.items()}}
    outlines |= others or {}
    advanced = {named[character]: advance for character, advance in (advances or {}).items()}
    widths = {
        name: (advanced.get(name, 500), min((x for x, _ in contour), default=0))
        for name, contour in outlines.items()
    }
    builder = FontBuilder(units, isTTF=True)
    builder.setupGlyphOrder(list(outlines))
    builder.setupCharacterMap({ord(character): name for character, name in named.items()})
    drawn = {}
    for name, contour in outlines.items():
        pen = TTGlyphPen(None)
        if contour:
            pen.moveTo(contour[0])
            for point in contour[1:]:
                pen.lineTo(point)
            pen.closePath()
        drawn[name] = pen.glyph()
    builder.setupGlyf(drawn)
    builder.setupHorizontalMetrics(widths)
    builder.setupHorizontalHeader(ascent=ascent, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=ascent, sTypoDescender=-200)
    builder.setupPost()
    if features:
        addOpenTypeFeaturesFromString(builder.font, features)
    builder.save(path)
    return path


def redrawn(path: Path, source: str, drawn_as: Mapping[str, tuple[str, float]]) -> Path:
    """Write a bundled font with some characters drawn as others, so many times as large."""
    font = TTFont(resource_folder("fonts") / source)
    names, glyphs = font.getBestCmap(), font.getGlyphSet()
    made = {}
    for character, (other, scale) in drawn_as.items():
        pen = TTGlyphPen(None)
        recording = DecomposingRecordingPen(glyphs)
        glyphs[names[ord(other)]].draw(recording)
        recording.replay(TransformPen(pen, (scale, 0, 0, scale, 0, 0)))
        advance, bearing = font["hmtx"][names[ord(other)]]
        made[names[ord(character)]] = (pen.glyph(), (round(advance * scale), round(bearing * scale)))
    for name, (glyph, width) in made.items():
        font["glyf"][name], font["hmtx"][name] = glyph, width
    for table in ("GPOS", "GSUB", "kern", "fpgm", "prep", "cvt "):
        if table in font:
            del font[table]
    font.save(path)
    return path


@pytest.fixture(scope="session")
def make_font() -> Callable[..., Path]:
    return build_font


@pytest.fixture(scope="session")
def redraw_font() -> Callable[..., Path]:
    return redrawn


@pytest.fixture(scope="session")
def bundled() -> FontLibrary:
    """All the fonts that ship with siman-synth."""
    return FontLibrary.open()


@pytest.fixture(scope="session")
def few() -> FontLibrary:
    """Some bundled fonts that differ: sans, serif, script, capitals only, mono."""
    return FontLibrary.open(["open-sans", "lora", "lobster", "bebas-neue", "courier-prime"])
