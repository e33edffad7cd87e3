"""What makes drawn words look less like their font: letters, relief, surroundings, surface."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing
from siman_synth.render.layouts import LayoutConfig
from siman_synth.render.layouts.combined import Combined
from siman_synth.render.layouts.curved import Curved, CurvedSettings
from siman_synth.render.layouts.letter_spaced import LetterSpaced, LetterSpacedSettings
from siman_synth.render.layouts.perspective import PerspectiveSettings
from siman_synth.render.layouts.rotated import Rotated, RotatedSettings
from siman_synth.render.layouts.slanted import Slanted, SlantedSettings
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.letters import Letters, LettersConfig
from siman_synth.render.outlines import fill, grown
from siman_synth.render.relief import Relief, ReliefConfig, draw_relief
from siman_synth.render.surface import Surface, SurfaceConfig, draw_surface
from siman_synth.render.surroundings import Surroundings, SurroundingsConfig, draw_surroundings
from siman_synth.render.word import ContentImage, ContentPlan, RenderConfig, WordRenderer, plan_content

LOOSE = Framing(0.2, 0.2, 0.2, 0.2, "ink")
EVERYTHING = RenderConfig(
    letters=LettersConfig(weight=(0.7, 1.4), uneven=0.5, bend_em=(0.0, 0.03)),
    relief=ReliefConfig(shadow=0.3, rim=0.3, hollow=0.3),
    surroundings=SurroundingsConfig(above=0.4, below=0.4),
    surface=SurfaceConfig(edge=0.5),
)

Mask = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def plain(few: FontLibrary) -> ContentPlan:
    return ContentPlan("Hamburg", few.covering("Hamburg")[0].id, Straight(), LOOSE, 64, 4)


@pytest.fixture(scope="module")
def draw(few: FontLibrary, plain: ContentPlan) -> Callable[..., ContentImage]:
    return lambda **changes: WordRenderer(few).render(replace(plain, **changes))


def test_growing_moves_every_edge_outwards() -> None:
    """A square with a square hole, whichever way the contours run."""
    square = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    hole = np.array([[15.0, 15.0], [15.0, 25.0], [25.0, 25.0], [25.0, 15.0]])
    points, ends = np.concatenate([square, hole]), np.array([4, 8])
    for outline in (points, np.concatenate([square[::-1], hole[::-1]])):
        bigger = grown(outline, ends, 2.0)
        assert {tuple(point) for point in bigger[:4]} == {(8, 8), (32, 8), (32, 32), (8, 32)}
        assert {tuple(point) for point in bigger[4:]} == {(17, 17), (17, 23), (23, 23), (23, 17)}
        assert fill(bigger, ends, 40, 40).astype(int).sum() == 255 * (24**2 - 6**2)
        assert np.allclose(grown(bigger, ends, -2.0), outline)


@settings(max_examples=80, deadline=None)
@given(
    text=st.text("abcgyAQW0149.,é ", min_size=1, max_size=12).filter(str.strip), seed=st.integers(0, 2**40)
)
def test_plans_with_everything_are_pure_and_become_json(few: FontLibrary, text: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = plan_content(text, few.choose(text, rng), EVERYTHING, 32, 4, rng)
    assert ContentPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    image = WordRenderer(few).render(plan)
    assert np.array_equal(image.mask, WordRenderer(few).render(plan).mask)
    assert len(image.boxes) == len(text)


def test_weight_changes_the_strokes_and_hardly_the_boxes(draw: Callable[..., ContentImage]) -> None:
    light, normal, heavy = (draw(letters=Letters(weight)) for weight in (0.7, 1.0, 1.4))
    inks = [image.mask.astype(int).sum() for image in (light, normal, heavy)]
    assert inks[0] < 0.9 * inks[1]
    assert inks[2] > 1.1 * inks[1]
    assert heavy.boxes[3].x0 == pytest.approx(normal.boxes[3].x0, abs=3)


def test_unsteady_letters_and_waves_follow_their_seed(draw: Callable[..., ContentImage]) -> None:
    for letters in (Letters(unevenness=1.0, seed=1), Letters(bend_em=0.05, seed=1)):
        mask, boxes = draw(letters=letters).mask, draw(letters=letters).boxes
        assert np.array_equal(mask, draw(letters=letters).mask)
        assert boxes != draw(letters=replace(letters, seed=2)).boxes
        assert boxes != draw().boxes


def test_shadows_and_rims_are_paler_and_outside(draw: Callable[..., ContentImage]) -> None:
    plain = draw().mask
    shadow = draw(relief=Relief("shadow", 0.08, 0.0, 0.5)).mask
    rim = draw(relief=Relief("rim", 0.06, 0.0, 0.4)).mask
    for mask, strength in ((shadow, 0.5), (rim, 0.4)):
        assert np.array_equal(mask[plain == 255], plain[plain == 255])
        beyond = mask[plain == 0]
        assert beyond.max() == int(255 * strength)
        assert (beyond > 0).mean() > 0.03
    moved = np.zeros_like(plain)
    moved[:, 5:] = plain[:, :-5]  # 0.08 of 64 px to the right
    fresh = (plain == 0) & (shadow > 0)
    assert moved[fresh].mean() > 4 * moved[plain == 0].mean()


def test_hollow_letters_keep_their_edges_and_thin_strokes(
    few: FontLibrary, draw: Callable[..., ContentImage]
) -> None:
    def masks(text: str, family: str, reach: float) -> tuple[Mask, Mask]:
        font = next(font.id for font in few.fonts if font.family == family)
        solid, hollow = (
            draw(text=text, font=font, relief=relief).mask for relief in (Relief(), Relief("hollow", reach))
        )
        assert (hollow <= solid).all()
        # Nothing is lost but what lies deep inside.
        assert (cv2.dilate(hollow, np.ones((9, 9), np.uint8))[solid > 200] > 100).all()
        return solid, hollow

    solid, hollow = masks("HAMBURG", "Bebas Neue", 0.025)
    assert hollow.astype(int).sum() < 0.8 * solid.astype(int).sum()
    assert (np.flatnonzero(hollow.max(axis=0)) == np.flatnonzero(solid.max(axis=0))).all()
    solid, hollow = masks("eleven", "Courier Prime", 0.08)
    assert np.array_equal(hollow, solid)


def test_other_lines_show_at_their_edge_and_keep_off_the_word(draw: Callable[..., ContentImage]) -> None:
    alone = draw()

    def fresh(**shown: float) -> Mask:
        image = draw(surroundings=Surroundings(text="grubmaH", **shown))  # type: ignore[arg-type]
        assert image.boxes == alone.boxes
        assert np.array_equal(image.word, alone.mask)
        assert (image.mask >= alone.mask).all()
        return np.where(alone.mask == 0, image.mask, 0).astype(np.uint8)

    for side, part in {"above": np.s_[:6], "below": np.s_[-6:]}.items():
        ink = fresh(**{side: 0.08})
        assert ink[part].max() > 100
        ink[part] = 0
        assert ink.max() == 0
    both = fresh(above=0.08, below=0.08)
    assert both[:6].max() > 100
    assert both[-6:].max() > 100


def test_other_lines_get_room(few: FontLibrary) -> None:
    config = RenderConfig(surroundings=SurroundingsConfig(above=1.0, below=1.0))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        plan = plan_content("kiosk", few.fonts[0], config, 32, 4, rng)
        assert sorted(plan.surroundings.text) == sorted("kiosk")
        assert plan.framing.top > plan.surroundings.above > 0
        assert plan.framing.bottom > plan.surroundings.below > 0


@pytest.mark.parametrize("text", ["a b", "été", "it's"])
def test_only_plain_words_have_other_lines(text: str) -> None:
    config = SurroundingsConfig(above=1.0)
    assert not draw_surroundings(text, config, np.random.default_rng(0)).any


@pytest.mark.parametrize(
    ("side", "corner", "other"),
    [
        ("above", np.s_[0, :], np.s_[-1, :]),
        ("below", np.s_[-1, :], np.s_[0, :]),
        ("left", np.s_[:, 0], np.s_[:, -1]),
        ("right", np.s_[:, -1], np.s_[:, 0]),
    ],
)
def test_a_surface_ends_beside_the_word(
    draw: Callable[..., ContentImage], side: str, corner: Any, other: Any
) -> None:
    alone, edged = draw().mask, draw(surface=Surface(side, 0.1, 0.6)).mask  # type: ignore[arg-type]
    assert np.array_equal(edged[alone > 0], alone[alone > 0])
    assert (edged[corner] == 153).all()
    assert edged[other].max() == 0


def test_the_edge_of_a_word_that_runs_to_the_left(tmp_path: Path, make_font: Callable[..., Path]) -> None:
    stroke = [(50, 0), (50, 500), (300, 500), (300, 0)]
    path = make_font(tmp_path / "hebrew.ttf", {"\u05d0": stroke, "\u05d1": stroke})
    library = FontLibrary.open([path])
    plan = ContentPlan("\u05d0\u05d1", "hebrew", Straight(), LOOSE, 64, 4)
    for side, row in (("above", 0), ("below", -1)):
        edged = replace(plan, surface=Surface(side, 0.1, 0.6))  # type: ignore[arg-type]
        mask = WordRenderer(library).render(edged).mask
        assert (mask[row] == 153).all()
        assert mask[-1 - row].max() == 0


def test_an_edge_follows_the_line(draw: Callable[..., ContentImage]) -> None:
    mask = draw(layout=Rotated(8.0), surface=Surface("below", 0.05, 1.0)).mask
    # The line rises to the right, and so does the edge below it.
    depth = (mask == 255)[-20:].sum(axis=0)
    assert depth[-8:].mean() > depth[:8].mean() + 8


def test_combined_layouts_do_both(draw: Callable[..., ContentImage]) -> None:
    def gap(image: ContentImage) -> float:
        boxes = image.boxes
        return (boxes[3].x0 - boxes[2].x1) / (boxes[2].x1 - boxes[2].x0)

    curved = draw(layout=Curved(50.0, True))
    both = draw(layout=Combined(LetterSpaced(0.4), Curved(50.0, True)))
    assert gap(both) > gap(curved) + 0.3
    assert both.boxes[2].y1 < both.boxes[0].y1 - 3
    # A lean moves the feet of letters apart from their heads, a rotation lifts the last letter.
    turned, leaning = draw(layout=Rotated(6.0)), draw(layout=Combined(Slanted(20.0), Rotated(6.0)))
    widths = [image.boxes[0].x1 - image.boxes[0].x0 for image in (turned, leaning)]
    assert widths[1] > widths[0] + 3
    assert leaning.boxes[-2].y1 < leaning.boxes[1].y1 - 5


def test_letters_set_apart_make_a_longer_line_that_turns_less() -> None:
    config = LayoutConfig(
        slanted=SlantedSettings(weight=0),
        letter_spaced=LetterSpacedSettings(weight=1, spacing_em=(0.5, 0.5)),
        curved=CurvedSettings(weight=0),
        perspective=PerspectiveSettings(weight=0),
        rotated=RotatedSettings(weight=1, angle_deg=(45, 45)),
        most_rise_em=0.6,
    )
    drawn = config.combined.draw("restaurants", config, np.random.default_rng(0))
    assert isinstance(drawn.line, Rotated)
    length_em = len("restaurants") * (0.55 + 0.5)
    assert length_em * math.sin(math.radians(drawn.line.angle_deg)) == pytest.approx(0.6, rel=0.05)


def test_shares_are_kept() -> None:
    rng = np.random.default_rng(0)
    reliefs = [draw_relief(ReliefConfig(shadow=0.3, rim=0.2, hollow=0.1), rng).kind for _ in range(2000)]
    shares = {kind: reliefs.count(kind) / 2000 for kind in ("shadow", "rim", "hollow")}
    assert shares == pytest.approx({"shadow": 0.3, "rim": 0.2, "hollow": 0.1}, abs=0.03)
    sides = [draw_surface(SurfaceConfig(edge=0.4), rng).side for _ in range(2000)]
    assert sides.count("none") / 2000 == pytest.approx(0.6, abs=0.03)
    assert len(set(sides)) == 5
    lines = [draw_surroundings("word", SurroundingsConfig(above=0.3, below=0.2), rng) for _ in range(2000)]
    assert sum(one.above > 0 for one in lines) / 2000 == pytest.approx(0.3, abs=0.03)
    assert sum(one.below > 0 for one in lines) / 2000 == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: LettersConfig(weight=(2, 1)),
            "weight must be two values from 0.3 to 3, low then high, found (2, 1).",
        ),
        (lambda: LettersConfig(uneven=2), "uneven must be between 0 and 1, found 2."),
        (
            lambda: ReliefConfig(shadow=0.8, rim=0.4),
            "shadow, rim and hollow must be 1 at most in all, found (0.8, 0.4, 0.0).",
        ),
        (
            lambda: ReliefConfig(reach=(0, 1)),
            "reach must be two values from 0 to 0.3, low then high, found (0, 1).",
        ),
        (lambda: SurroundingsConfig(above=-1), "above must be between 0 and 1, found -1."),
        (
            lambda: SurroundingsConfig(visible=(0, 1)),
            "visible must be two values from 0 to 0.25, low then high, found (0, 1).",
        ),
        (lambda: SurfaceConfig(edge=2), "edge must be between 0 and 1, found 2."),
    ],
)
def test_config_is_checked(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message
