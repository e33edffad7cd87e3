import itertools
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.config import from_mapping, to_mapping
from siman_synth.errors import ConfigError, FontError
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing, FramingConfig, draw_framing
from siman_synth.render.layouts import LAYOUTS, Layout, LayoutConfig, draw_layout
from siman_synth.render.layouts.curved import Curved, CurvedSettings
from siman_synth.render.layouts.letter_spaced import LetterSpaced
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.letters import Letters
from siman_synth.render.word import ContentImage, ContentPlan, RenderConfig, WordRenderer, plan_content
from siman_synth.text.visible import needs_ink

TIGHT = Framing(0.0, 0.0, 0.0, 0.0, "ink")
CONFIG = RenderConfig()


def draw(library: FontLibrary, text: str, layout: Layout | None = None, **fields: object) -> ContentImage:
    font = library.covering(text)[0]
    values = {"framing": TIGHT, "height_px": 64, "width_multiple": 4, **fields}
    plan = ContentPlan(text, font.id, layout or Straight(), **values)  # type: ignore[arg-type]
    return WordRenderer(library).render(plan)


def only(kind: str) -> LayoutConfig:
    weights = {name: {"weight": float(name == kind)} for name in LAYOUTS}
    return from_mapping(LayoutConfig, weights, f"only {kind}")


@settings(max_examples=120, deadline=None)
@given(
    text=st.text("abcgyAQW0149$€.,-'/&é ", min_size=1, max_size=25).filter(str.strip),
    seed=st.integers(0, 2**40),
    height=st.sampled_from([16, 32, 48]),
    multiple=st.sampled_from([1, 4, 16]),
)
def test_plan_and_render_are_pure_and_keep_their_promises(
    few: FontLibrary, text: str, seed: int, height: int, multiple: int
) -> None:
    rng = np.random.default_rng(seed)
    font = few.choose(text, rng)
    plan = plan_content(text, font, CONFIG, height, multiple, rng)
    again = np.random.default_rng(seed)
    assert plan == plan_content(text, few.choose(text, again), CONFIG, height, multiple, again)
    assert ContentPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    image = WordRenderer(few).render(plan)
    assert np.array_equal(image.mask, WordRenderer(few).render(plan).mask)
    assert image.mask.dtype == np.uint8
    rows, columns = image.mask.shape
    assert rows == height
    assert columns % multiple == 0
    assert len(image.boxes) == len(text)
    for character, box in zip(text, image.boxes, strict=True):
        assert 0 <= box.x0 <= box.x1 <= columns
        assert 0 <= box.y0 <= box.y1 <= rows
        if not character.isspace():
            inside = image.mask[int(box.y0) : math.ceil(box.y1), int(box.x0) : math.ceil(box.x1)]
            assert inside.max() > 0


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs"]), min_size=1, max_size=6))
def test_a_font_that_covers_a_word_draws_ink_that_is_not_notdef(few: FontLibrary, text: str) -> None:
    for font in few.covering(text):
        face = few.face(font)
        for character in filter(needs_ink, text):
            shape = face.shape(face.glyph_id(character))
            assert face.glyph_id(character) != 0
            assert not shape.same_as(face.shape(0))
        image = WordRenderer(few).render(ContentPlan(text, font.id, Straight(), TIGHT, 48, 1))
        assert image.mask.max() > 0


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_nothing_is_cut_off_under_any_layout(few: FontLibrary, kind: str) -> None:
    framing = Framing(0.1, 0.1, 0.1, 0.1, "ink")
    for seed in range(12):
        rng = np.random.default_rng(seed)
        layout = draw_layout("Typography", only(kind), rng)
        assert layout.kind == kind
        mask = draw(few, "Typography", layout, framing=framing).mask
        sides = (mask[:3], mask[-3:], mask[:, :3], mask[:, -3:])
        border = np.concatenate([side.ravel() for side in sides])
        assert border.max() == 0
        # Margins of a tenth: the ink spans the rest.
        inked = np.flatnonzero(mask.max(axis=1))
        assert inked[0] == pytest.approx(6.4, abs=1.5)
        assert inked[-1] == pytest.approx(64 - 6.4, abs=1.6)


def test_framing_on_ink_and_on_the_line(few: FontLibrary) -> None:
    tight = draw(few, "sea").mask
    assert tight[1].max() > 100
    assert tight[-2].max() > 100
    line = draw(few, "sea", framing=Framing(0.0, 0.0, 0.0, 0.0, "line")).mask
    rows = np.flatnonzero(line.max(axis=1))
    assert rows[0] > 10
    assert rows[-1] < 54


@pytest.mark.parametrize("text", ["-", ".", "'", "_", "..."])
def test_a_small_mark_does_not_fill_the_height(few: FontLibrary, text: str) -> None:
    box = draw(few, text).boxes[0]
    assert box.y1 - box.y0 < 40


def test_kerning_brings_letters_together(few: FontLibrary) -> None:
    def gap(text: str) -> float:
        boxes = draw(few, text).boxes
        return (boxes[1].x0 - boxes[0].x1) / (boxes[0].x1 - boxes[0].x0)

    assert gap("To") < gap("Ti")
    assert gap("AV") < gap("AH") - 0.05


def test_boxes_follow_the_letters(few: FontLibrary) -> None:
    boxes = draw(few, "Til il").boxes
    assert all(left.x0 < right.x0 for left, right in itertools.pairwise(boxes))
    assert boxes[0].x0 == pytest.approx(0, abs=4)
    assert boxes[3].x1 > boxes[3].x0  # the space


@pytest.mark.parametrize("text", ["office", "fi", "ffl", "www->"])
def test_no_ligatures(bundled: FontLibrary, text: str) -> None:
    for font in bundled.covering(text)[::4]:
        plan = ContentPlan(text, font.id, Straight(), TIGHT, 32, 1)
        boxes = WordRenderer(bundled).render(plan).boxes
        assert len(set(boxes)) == len(text), font.id


def test_combining_marks_stay_on_their_letter(tmp_path: Path, make_font: Callable[..., Path]) -> None:
    glyphs = {"x": [(50, 0), (250, 400), (450, 0)], "\u0302": [(100, 600), (200, 700), (300, 600)]}
    library = FontLibrary.open([make_font(tmp_path / "marks.ttf", glyphs)])
    image = draw(library, "x\u0302x", LetterSpaced(0.5))
    assert image.boxes[0] == image.boxes[1]
    assert image.boxes[2].x0 > image.boxes[0].x1
    assert image.boxes[0].y0 < image.boxes[2].y0


def test_curved_words_rise_in_the_middle_or_at_the_ends(few: FontLibrary) -> None:
    def bottoms(up: bool) -> list[float]:
        return [box.y1 for box in draw(few, "nnnnnnn", Curved(60.0, up)).boxes]

    up, down = bottoms(True), bottoms(False)
    assert up[3] < up[0] - 5
    assert down[3] > down[0] + 5
    assert up[0] == pytest.approx(up[-1], abs=2.5)


def test_long_words_get_flat_arcs() -> None:
    settings, rng = CurvedSettings(arc_deg=(80, 80)), np.random.default_rng(0)
    arcs = [settings.draw("x" * length, LayoutConfig(), rng).arc_deg for length in (2, 8, 25)]
    assert arcs[0] == 80
    assert arcs[0] >= arcs[1] > arcs[2]


def test_errors_have_reasons_and_exact_text(tmp_path: Path, make_font: Callable[..., Path]) -> None:
    hair = [(50, 0), (50, 700), (51, 700), (51, 0)]
    wide = [(0, 0), (0, 100), (30_000, 100), (30_000, 0)]
    arabic = [(0, 0), (200, 500), (400, 0)]
    glyphs = {"A": [(50, 0), (250, 700), (450, 0)], "l": hair, "W": wide, "\u0627": arabic}
    path = make_font(tmp_path / "made.ttf", glyphs)
    library = FontLibrary.open([path])
    renderer = WordRenderer(library)

    def refuse(text: str) -> RenderError:
        with pytest.raises(RenderError) as caught:
            renderer.render(ContentPlan(text, "made", Straight(), TIGHT, 32, 4))
        return caught.value

    assert (refuse("AZ").reason, str(refuse("AZ"))) == (
        "missing glyph",
        "Font 'Made' has no glyph for 'Z' (U+005A) in 'AZ'.",
    )
    assert refuse("WWW").reason == "too wide"
    assert str(refuse("WWW")).endswith("the most is 32. Drop the word or raise render.max_aspect.")
    assert (refuse("l").reason, str(refuse("l"))) == (
        "no ink",
        "Font 'Made' leaves no visible ink for 'l' (U+006C) in 'l' at 32 px. "
        "Use another font or a greater height.",
    )
    assert refuse("A\u0301").reason == "missing glyph"
    assert pickle.loads(pickle.dumps(refuse("WWW"))).reason == "too wide"
    with pytest.raises(FontError, match=r"^No font 'absent'"):
        renderer.render(ContentPlan("A", "absent", Straight(), TIGHT, 32, 4))


def test_odd_white_space_is_drawn_as_a_space(few: FontLibrary) -> None:
    assert np.array_equal(draw(few, "a\u3000b").mask, draw(few, "a b").mask)


def test_framings_vary_from_tight_to_loose() -> None:
    rng = np.random.default_rng(0)
    framings = [draw_framing(FramingConfig(), rng) for _ in range(500)]
    tightest, loosest = FramingConfig().vertical
    assert min(framing.top for framing in framings) == pytest.approx(tightest, abs=0.01)
    assert max(framing.top for framing in framings) == pytest.approx(loosest, abs=0.01)
    assert max(framing.left for framing in framings) == pytest.approx(FramingConfig().horizontal[1], abs=0.01)
    assert {framing.extent for framing in framings} == {"ink", "line"}


def test_config_from_a_recipe() -> None:
    values = {"layout": {"slanted": {"weight": 1, "angle_deg": [-5, 5]}}, "framing": {"line_share": 0.0}}
    config = from_mapping(RenderConfig, values, "recipe")
    assert config.layout.slanted.angle_deg == (-5.0, 5.0)
    assert from_mapping(RenderConfig, to_mapping(config), "again") == config
    with pytest.raises(
        ConfigError, match=r"layout\.curved\.weight must be between 0 and 1000, found -1\.0\."
    ):
        from_mapping(RenderConfig, {"layout": {"curved": {"weight": -1}}}, "recipe")


@pytest.mark.parametrize("key", sorted(LayoutConfig.moved))
def test_settings_of_earlier_versions_are_told_their_new_names(key: str) -> None:
    new = LayoutConfig.moved[key]
    with pytest.raises(ConfigError) as caught:
        from_mapping(RenderConfig, {"layout": {key: 1.0}}, "recipe")
    assert str(caught.value) == f"recipe: 'layout.{key}' has moved. Set 'layout.{new}' instead."
    table, name = new.split(".")
    assert name in to_mapping(LayoutConfig())[table]


def test_a_layout_and_its_settings_have_one_name() -> None:
    assert {name: layout.kind for name, layout in LAYOUTS.items()} == {name: name for name in LAYOUTS}


def test_some_layout_must_be_left() -> None:
    none = {name: {"weight": 0} for name in LAYOUTS}
    with pytest.raises(ConfigError, match=r"the weights of straight, .* must not all be 0\.$"):
        from_mapping(LayoutConfig, none, "recipe")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: CurvedSettings(arc_deg=(90, 10)),
            "arc_deg must be two values from 0 to 180, low then high, found (90, 10).",
        ),
        (lambda: CurvedSettings(up=2), "up must be between 0 and 1, found 2."),
        (
            lambda: FramingConfig(vertical=(-0.1, 0.2)),
            "vertical must be two values from -0.02 to 0.4, low then high, found (-0.1, 0.2).",
        ),
        (lambda: RenderConfig(max_aspect=1), "max_aspect must be between 4 and 512, found 1."),
    ],
)
def test_config_is_checked(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message


def test_plan_refuses_nonsense(few: FontLibrary) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="text must hold a visible character, found ' '"):
        plan_content(" ", few.fonts[0], CONFIG, 32, 4, rng)
    with pytest.raises(ValueError, match="found 4, 4"):
        plan_content("a", few.fonts[0], CONFIG, 4, 4, rng)


@pytest.mark.parametrize("height", [32, 128])
def test_lines_of_two_hundred_characters_are_drawn(few: FontLibrary, height: int) -> None:
    """FreeType's memory holds no such line at once; spaces are as wide as was asked."""
    text = ("the quick brown fox jumps over the lazy dog " * 5)[:200].strip()
    config = RenderConfig(max_aspect=256)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        plan = plan_content(text, few.choose(text, rng), config, height, 4, rng)
        image = WordRenderer(few, config).render(plan)
        assert len(image.boxes) == len(text)
        assert image.mask.max() == 255
    narrow, wide = (draw(few, "ab cd", letters=Letters(word_space=space)) for space in (0.5, 3.0))
    widths = [image.boxes[2].x1 - image.boxes[2].x0 for image in (narrow, wide)]
    assert widths[1] == pytest.approx(6 * widths[0], rel=0.15)
