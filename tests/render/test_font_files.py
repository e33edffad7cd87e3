"""Which file a name means, and fonts in packed formats."""

import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fontTools.ttLib import TTFont

from siman_synth.errors import FontError
from siman_synth.render import woff2
from siman_synth.render.fonts import FontLibrary

MakeFont = Callable[..., Path]

TRIANGLE = [(50, 0), (250, 700), (450, 0)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which names are looked up."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["roboto", "Open Sans", "all"])
def test_a_folder_goes_before_what_ships_under_its_name(here: Path, make_font: MakeFont, name: str) -> None:
    (here / name).mkdir()
    make_font(here / name / "mine.ttf", {"A": TRIANGLE}, family="Mine")
    fonts = FontLibrary.open([name]).fonts
    assert [(font.family, font.bundled) for font in fonts] == [("Mine", False)]


def test_a_group_is_several_families_and_all_leaves_out_what_has_to_be_named() -> None:
    printers, everything = (
        {font.family for font in FontLibrary.open(name).fonts} for name in ("printers", "all")
    )
    assert {"Courier Prime", "Inconsolata", "Jersey 15"} <= printers
    assert "Courier Prime" in everything
    assert not {"Inconsolata", "Jersey 15"} & everything
    assert {font.family for font in FontLibrary.open("inconsolata").fonts} == {"Inconsolata"}
    assert {font.kind for font in FontLibrary.open("inconsolata").fonts} == {"mono"}


def test_the_home_folder_is_known(here: Path, make_font: MakeFont, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(here))
    make_font(here / "mine.ttf", {"A": TRIANGLE}, family="Mine")
    assert [font.family for font in FontLibrary.open(["~/mine.ttf"]).fonts] == ["Mine"]


def test_links_are_followed_once_and_hidden_files_passed_over(here: Path, make_font: MakeFont) -> None:
    for folder in ("fonts/a", "elsewhere", "fonts/.git"):
        (here / folder).mkdir(parents=True)
    make_font(here / "fonts/a/one.ttf", {"A": TRIANGLE})
    make_font(here / "elsewhere/two.ttf", {"A": TRIANGLE})
    make_font(here / "fonts/.git/x.ttf", {"A": TRIANGLE})
    (here / "fonts/a/._one.ttf").write_bytes(b"a file that macOS leaves")
    os.symlink(here / "fonts", here / "fonts/a/up")
    os.symlink(here / "elsewhere", here / "fonts/more")
    library = FontLibrary.open(["fonts"])
    assert [font.id for font in library.fonts] == ["fonts/a/one", "fonts/more/two"]
    assert library.skipped.total == 0


@pytest.mark.parametrize("spec", ["Roboto,Lato", '["Roboto", "Lato"]'])
def test_a_list_in_one_name_is_answered_with_what_is_wanted(spec: str) -> None:
    with pytest.raises(FontError) as caught:
        FontLibrary.open([spec])
    assert str(caught.value) == (
        f"No font '{spec}': it is neither a bundled family, a font file nor a folder. "
        "It looks like a list: give each name by itself, without commas, brackets or quotes."
    )


def test_a_name_longer_than_names_can_be(here: Path) -> None:
    with pytest.raises(FontError, match=r"^No font 'xxx"):
        FontLibrary.open(["x" * 5000])


def test_woff_is_told_by_its_content(here: Path, make_font: MakeFont) -> None:
    font = TTFont(make_font(here / "plain.ttf", {"A": TRIANGLE}, family="Packed"))
    font.flavor = "woff"
    for name in ("packed.woff", "packed.ttf"):
        font.save(here / name)
        library = FontLibrary.open([name])
        assert library.fonts[0].family == "Packed"
        plain = FontLibrary.open(["plain.ttf"])
        shapes = [one.face(one.fonts[0]).shape(1) for one in (library, plain)]
        assert shapes[0].same_as(shapes[1])


def test_woff2_where_it_can_be_read(here: Path, make_font: MakeFont) -> None:
    pytest.importorskip("brotli", reason="WOFF2 takes the package brotli: pip install brotli")
    font = TTFont(make_font(here / "plain.ttf", {"A": TRIANGLE}, family="Packed"))
    font.flavor = "woff2"
    font.save(here / "packed.woff2")
    assert {font.family for font in FontLibrary.open([here]).fonts} == {"Packed"}
    (here / "packed.woff2").write_bytes((here / "packed.woff2").read_bytes()[:-40])
    with pytest.raises(FontError, match="1 broken file"):
        FontLibrary.open(["packed.woff2"])


def test_woff2_where_it_cannot_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("brotli", "brotlicffi"):
        monkeypatch.setitem(sys.modules, name, None)
    (here / "packed.woff2").write_bytes(b"wOF2" + bytes(100))
    with pytest.raises(FontError) as caught:
        FontLibrary.open(["packed.woff2"])
    assert str(caught.value).startswith(
        "No usable font in packed.woff2: 1 WOFF2, which takes the package brotli (pip install brotli) "
        "(packed.woff2). "
    )


def unpacks(brotli: Any, data: bytearray) -> bool:
    try:
        return len(brotli.decompress(bytes(data))) > 100
    except brotli.error:
        return False


def test_a_woff2_that_holds_gigabytes_is_not_unpacked(here: Path, make_font: MakeFont) -> None:
    brotli = pytest.importorskip("brotli", reason="WOFF2 takes the package brotli: pip install brotli")
    font = TTFont(make_font(here / "plain.ttf", {"A": TRIANGLE}))
    font.flavor = "woff2"
    font.save(here / "bomb.woff2")
    packed = bytearray((here / "bomb.woff2").read_bytes())
    said, bomb = len(packed), brotli.compress(bytes(4 * woff2.MOST_BYTES))
    stored = int.from_bytes(packed[20:24], "big")
    start = next(at for at in range(said - stored - 3, said) if unpacks(brotli, packed[at : at + stored]))
    packed[start:] = bomb
    packed[20:24] = len(bomb).to_bytes(4, "big")
    (here / "bomb.woff2").write_bytes(packed)
    tracemalloc.start()
    with pytest.raises(FontError, match=r"1 too large"):
        FontLibrary.open(["bomb.woff2"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * woff2.MOST_BYTES
