"""Lines that run downwards, against Pillow's libraqm, UAX #50 and the page that they are turned from."""

import itertools
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.render.boxes import Box
from siman_synth.render.face import Face
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line
from siman_synth.render.vertical import (
    ACROSS,
    DOWN,
    STACKED,
    Writing,
    draw_writing,
    runs_downwards,
    upright_characters,
    vertical_orientation,
)
from siman_synth.render.word import ContentPlan, RenderConfig, WordRenderer, plan_content
from tests.render.reference import agreement, font_file

ALIKE = 0.95
ORIENTATIONS = Path("/usr/share/unicode/VerticalOrientation.txt")
"""From the Debian package unicode-data."""


@cache
def bundled(family: str) -> Path:
    return FontLibrary.open([family]).fonts[0].path


@cache
def face() -> Face:
    return Face(bundled("Noto Sans JP"), bundled=True)


@pytest.mark.parametrize(
    ("family", "text"),
    [
        ("Noto Sans JP", "東京「都庁」、ラーメン。"),
        ("Noto Serif JP", "ーっ〜（一）ゃ…"),
        ("Noto Sans SC", "中国，上海！"),
        ("Noto Serif SC", "第一：北京？"),
        ("Noto Sans KR", "서울（강남）"),
        ("Noto Serif KR", "대한민국"),
    ],
)
def test_as_libraqm_draws_it(family: str, text: str) -> None:
    assert agreement(bundled(family), text, writing=DOWN) > ALIKE


@pytest.mark.parametrize("text", ["ABC東京12", "OK", "東A京b1"])
def test_stacked_letters_as_libraqm_draws_them(text: str) -> None:
    """It knows no letters that lie on their side, and stacks all."""
    assert agreement(bundled("Noto Sans JP"), text, writing=STACKED) > ALIKE


@settings(max_examples=12, deadline=None)
@given(st.text("あかさっゃー。、「」（）東京日本語一二三", min_size=2, max_size=8))
def test_any_japanese_line_is_as_libraqm_draws_it(text: str) -> None:
    assert agreement(bundled("Noto Sans JP"), text, writing=DOWN) > 0.9


def test_the_reference_tells_right_from_wrong() -> None:
    """It notices a dash that was not turned, a small letter for a large one, and another order."""
    path = bundled("Noto Sans JP")
    for right, wrong in (("ラーメ", "ラ一メ"), ("あっか", "あつか"), ("「都", "都「")):
        assert agreement(path, right, wrong, writing=DOWN) < ALIKE < agreement(path, right, writing=DOWN)


def test_letters_on_their_side_are_those_of_any_line() -> None:
    """Of a line that lies on its side they are what they are in others."""
    down, across = (shape_line("Bar 25", face(), "x", writing=writing) for writing in (DOWN, ACROSS))
    assert np.array_equal(down.points, across.points)
    mixed = shape_line("東Bar", face(), "x", writing=DOWN)
    letters = mixed.points[mixed.point_units > 0]
    alone = shape_line("Bar", face(), "x").points
    assert np.allclose(letters - [1.0, 0.0], alone)


@settings(max_examples=40, deadline=None)
@given(st.text("あ東ー、「」A1x .", min_size=1, max_size=9), st.sampled_from([DOWN, STACKED]))
def test_boxes_follow_the_text(text: str, writing: Writing) -> None:
    """Units follow each other without a gap, in the order of the text, each an em or what it takes lying."""
    line = shape_line(text, face(), "x", writing=writing)
    assert line.character_units.tolist() == list(range(len(text)))
    assert np.allclose(line.unit_ends[:-1], line.unit_starts[1:])
    assert (line.unit_ends > line.unit_starts).all()
    assert line.unit_ends[-1] == pytest.approx(line.advance)


def test_a_font_without_vertical_metrics_gets_the_em_box(tmp_path: Path) -> None:
    """And without `vert`, brackets and dashes lie on their side."""
    path = tmp_path / "plain.otf"
    font = TTFont(bundled("Noto Sans JP"))
    cut = Subsetter(Options(layout_features=[], drop_tables=["GSUB", "GPOS", "VORG", "vhea", "vmtx"]))
    cut.populate(text="東京ー「」、")
    cut.subset(font)
    font.save(path)
    plain, whole = Face(path), Face(bundled("Noto Sans JP"))
    assert not plain.has_vertical_metrics
    assert np.allclose(
        shape_line("東京", plain, "x", writing=DOWN).points,
        shape_line("東京", whole, "x", writing=DOWN).points,
    )
    assert upright_characters("東ー「、", [plain] * 4, DOWN) == [True, False, False, True]
    assert upright_characters("東ー「、", [whole] * 4, DOWN) == [True, True, True, True]
    lying, across = shape_line("ー", plain, "x", writing=DOWN), shape_line("ー", plain, "x")
    assert np.array_equal(lying.points, across.points)


def test_orientations_are_those_of_unicode() -> None:
    if not ORIENTATIONS.exists():
        pytest.skip(f"{ORIENTATIONS} is not here: apt install unicode-data")
    names = {"U": "upright", "Tu": "upright", "Tr": "transformed", "R": "sideways"}
    for line in ORIENTATIONS.read_text(encoding="utf-8").splitlines():
        codes, _, value = line.partition("#")[0].partition(";")
        if not value:
            continue
        first, _, last = codes.strip().partition("..")
        # Of a range that is one thing from end to end, its ends and its middle.
        ends = int(first, 16), int(last or first, 16)
        for code in {*ends, sum(ends) // 2}:
            assert vertical_orientation(chr(code)) == names[value.strip()], f"U+{code:04X}"


def test_some_orientations() -> None:
    assert {vertical_orientation(one) for one in "東あア한、。①！"} == {"upright"}
    assert {vertical_orientation(one) for one in "ー「」（）〜【："} == {"transformed"}
    assert {vertical_orientation(one) for one in "Aa1é-…—ᠮаα("} == {"sideways"}


def test_which_texts_run_downwards() -> None:
    assert all(map(runs_downwards, ("東京", "ABC東", "서울", "ᠮᠣᠩᠭᠣᠯ", "かな")))
    assert not any(map(runs_downwards, ("Harbour", "25", "שלום", "हिन्दी", "é", "、")))


def test_nothing_is_drawn_by_default() -> None:
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    assert draw_writing("東京", 0.0, 0.5, rng) == ACROSS
    assert draw_writing("Harbour", 1.0, 0.5, rng) == ACROSS
    assert rng.random() == other.random()


def test_shares() -> None:
    rng = np.random.default_rng(2)
    drawn = [draw_writing("東京", 0.6, 0.25, rng) for _ in range(4000)]
    assert sum(one != ACROSS for one in drawn) / 4000 == pytest.approx(0.6, abs=0.03)
    assert drawn.count(STACKED) / sum(one != ACROSS for one in drawn) == pytest.approx(0.25, abs=0.03)


def test_a_plan_remembers_how_it_is_written() -> None:
    library = FontLibrary.open(["Noto Sans JP"])
    config = RenderConfig(vertical=1.0)
    across = plan_content("東京", library.fonts[0], RenderConfig(), 32, 4, np.random.default_rng(3))
    down = plan_content("東京", library.fonts[0], config, 32, 4, np.random.default_rng(3))
    assert down.writing != ACROSS == across.writing
    assert (across.layout, across.framing) == (down.layout, down.framing)
    assert "writing" not in across.to_json()
    assert ContentPlan.from_json(down.to_json()) == down


def test_boxes_hold_the_ink_of_their_characters() -> None:
    library = FontLibrary.open(["Noto Sans JP"])
    renderer = WordRenderer(library)
    config = RenderConfig(vertical=1.0)
    for seed in range(12):
        plan = plan_content("東ー「A」、一", library.fonts[0], config, 64, 4, np.random.default_rng(seed))
        content = renderer.render(plan)
        covered = np.zeros_like(content.word)
        for box in content.boxes:
            inside = (
                slice(int(box.y0), int(np.ceil(box.y1)) + 1),
                slice(int(box.x0), int(np.ceil(box.x1)) + 1),
            )
            assert content.word[inside].max() > 100
            covered[inside] = content.word[inside]
        assert np.abs(covered.astype(int) - content.word).max() < 40
        firsts = [box.x0 for box in content.boxes]
        assert all(a < b for a, b in itertools.pairwise(firsts)), plan.layout


def test_a_box_is_turned_with_its_picture() -> None:
    picture = np.zeros((32, 100), np.uint8)
    picture[4:10, 20:50] = 255
    turned = np.rot90(picture, -1)
    rows, columns = np.flatnonzero(turned.max(axis=1)), np.flatnonzero(turned.max(axis=0))
    assert Box(20, 4, 50, 10).turned_right(32) == Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def test_mongolian_lies_as_its_fonts_draw_it() -> None:
    """Their letters lie on their side, and on the page the whole line is turned to the right."""
    face = Face(font_file("NotoSansMongolian-Regular.ttf"))
    down, across = (shape_line("ᠮᠣᠩᠭᠣᠯ", face, "x", writing=writing) for writing in (DOWN, ACROSS))
    assert np.array_equal(down.points, across.points)
