"""Small font files that would take gigabytes or minutes, and files that are no fonts by their size."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables._g_l_y_f import Glyph, GlyphComponent

from siman_synth.errors import FontError
from siman_synth.render import font_bytes
from siman_synth.render.errors import UnusableFontError
from siman_synth.render.face import Face
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder

MakeFont = Callable[..., Path]
PeakMemory = Callable[..., tuple[int, str]]
TRIANGLE = [(50, 0), (250, 700), (450, 0)]
SETUP = """
from pathlib import Path
from siman_synth.render.errors import UnusableFontError
from siman_synth.render.face import Face
"""
WORK = """
try:
    print(Face(Path(sys.argv[1])).draws('a'))
except UnusableFontError as error:
    print(error)
"""


def zeros(length: int) -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(length >> 20)) + packer.flush()


def woff(unpacked: int, table: int, packed: bytes) -> bytes:
    """Return a WOFF of one table that says how long it, and the whole font, is unpacked."""
    start = 44 + 20
    header = struct.pack(">4sIIHHIHHIIIII", b"wOFF", 0x10000, start + len(packed), 1, 0, unpacked, *[0] * 7)
    return header + struct.pack(">4sIIII", b"glyf", start, len(packed), table, 0) + packed


@pytest.mark.parametrize("name", ["font.woff", "font.ttf", "font.ttc"])
@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ((3_300_000_000, 3_299_999_972), "too large"),
        ((1000, 3_299_999_972), "broken file"),
        ((1000, 972), "broken file"),
        ((50_000_000, 49_999_972), "broken file"),
    ],
)
def test_a_woff_unpacks_to_what_is_of_use(
    says: tuple[int, int], reason: str, name: str, tmp_path: Path, peak_memory: PeakMemory
) -> None:
    (tmp_path / name).write_bytes(woff(*says, zeros(200 << 20)))
    added_mb, output = peak_memory(SETUP, WORK, tmp_path / name)
    assert output == reason
    assert added_mb < 130
    with pytest.raises(FontError, match=f"1 {reason} "):
        FontLibrary.open([tmp_path])


def test_a_woff_is_known_by_its_content_and_draws_the_same(tmp_path: Path) -> None:
    plain = resource_folder("fonts") / "lobster" / "Lobster_400Regular.ttf"
    font = TTFont(plain)
    font.flavor = "woff"
    font.save(tmp_path / "packed.ttf")
    one, other = Face(plain), Face(tmp_path / "packed.ttf")
    for character in "AgÉß&9":
        number = one.glyph_id(character)
        assert other.glyph_id(character) == number
        assert np.array_equal(one.shape(number).points, other.shape(number).points)
    assert one.metrics == other.metrics


def test_woff2_and_enormous_files(tmp_path: Path) -> None:
    (tmp_path / "web.woff2").write_bytes(b"wOF2" + bytes(100))
    with pytest.raises(UnusableFontError, match=r"^broken file$"):
        Face(tmp_path / "web.woff2")
    with (tmp_path / "huge.ttf").open("wb") as file:
        file.truncate(font_bytes.MAX_FILE_BYTES + 1)  # takes no room on the disk
    with pytest.raises(UnusableFontError, match=r"^too large$"):
        Face(tmp_path / "huge.ttf")


def test_a_collection_of_a_thousand_million_faces(tmp_path: Path) -> None:
    path = tmp_path / "many.ttc"
    path.write_bytes(b"ttcf\0\1\0\0" + (10**9).to_bytes(4, "big") + bytes(4000))
    with pytest.raises(FontError) as caught:
        FontLibrary.open([path])
    assert f"{10**9 - 256} beyond the first 256 faces of a collection (many.ttc" in str(caught.value)


def nested(make_font: MakeFont, path: Path, levels: int, parts: int, cycle: bool = False) -> Path:
    """Save a font whose 'a' is made of `parts` of a glyph that is made of `parts` of…"""
    font = TTFont(make_font(path, {"A": TRIANGLE, "a": TRIANGLE}))
    table, order = font["glyf"], list(font.getGlyphOrder())
    names = [font.getBestCmap()[ord("a")], *(f"level{n}" for n in range(levels))]
    glyphs = {name: table[name] for name in order}
    for name, part in zip(names, [*names[1:], names[0] if cycle else None], strict=True):
        glyph = Glyph()
        glyph.numberOfContours = -1 if part else 0
        glyph.xMin = glyph.yMin = glyph.xMax = glyph.yMax = 0
        if part:
            glyph.components = []
            for _ in range(parts):
                component = GlyphComponent()
                component.glyphName, component.x, component.y, component.flags = part, 0, 0, 0x2
                glyph.components.append(component)
        glyphs[name] = glyph
    font = TTFont(path, recalcBBoxes=False)
    for name in names[1:]:
        order.append(name)
        font["hmtx"][name] = (500, 0)
    font.setGlyphOrder(order)
    font["glyf"] = made = newTable("glyf")
    made.glyphs, made.glyphOrder = glyphs, order
    font["maxp"].recalc = lambda _: None
    font["maxp"].numGlyphs = len(order)
    font.save(path)
    return path


@pytest.mark.parametrize(("levels", "parts"), [(7, 20), (30, 2), (2, 200)])
def test_glyphs_of_millions_of_parts_are_told_without_making_them(
    levels: int, parts: int, make_font: MakeFont, tmp_path: Path, peak_memory: PeakMemory
) -> None:
    path = nested(make_font, tmp_path / "nested.ttf", levels, parts)
    assert path.stat().st_size < 10_000
    added_mb, output = peak_memory(SETUP, WORK, path)
    assert output == "a glyph of endless parts"
    assert added_mb < 60


def test_parts_in_moderation_and_parts_of_themselves(make_font: MakeFont, tmp_path: Path) -> None:
    Face(nested(make_font, tmp_path / "few.ttf", 3, 5))
    with pytest.raises(UnusableFontError, match=r"^a glyph of endless parts$"):
        Face(nested(make_font, tmp_path / "cycle.ttf", 2, 1, cycle=True))


def test_a_named_pipe_is_no_font(tmp_path: Path) -> None:

    os.mkfifo(tmp_path / "pipe.ttf")
    with pytest.raises(FontError, match=r"No usable font in .*: no font file there"):
        FontLibrary.open([tmp_path])
