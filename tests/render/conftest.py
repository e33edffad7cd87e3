from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from siman_synth.render.fonts import FontLibrary

Contour = list[tuple[int, int]]

BOX: Contour = [(50, 0), (50, 700), (450, 700), (450, 0)]
TRIANGLE: Contour = [(50, 0), (250, 700), (450, 0)]
SLIVER: Contour = [(50, 0), (50, 700)]


def build_font(
    path: Path, glyphs: Mapping[str, Contour], family: str = "Made", notdef: Contour = BOX
) -> Path:
    """Write a TrueType font, 1000 units an em, with one contour a character (none = listed but blank)."""
    names = {character: f"u{ord(character):04X}" for character in glyphs}
    outlines = {".notdef": notdef, **{names[character]: contour for character, contour in glyphs.items()}}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(outlines))
    builder.setupCharacterMap({ord(character): name for character, name in names.items()})
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
    builder.setupHorizontalMetrics(dict.fromkeys(outlines, (500, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture(scope="session")
def make_font() -> Callable[..., Path]:
    return build_font


@pytest.fixture(scope="session")
def bundled() -> FontLibrary:
    """All the fonts that ship with siman-synth."""
    return FontLibrary.open()


@pytest.fixture(scope="session")
def few() -> FontLibrary:
    """Some bundled fonts that differ: sans, serif, script, capitals only, mono."""
    return FontLibrary.open(["open-sans", "lora", "lobster", "bebas-neue", "courier-prime"])
