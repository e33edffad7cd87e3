"""Dots, worn ink, rules and paper: what printing and paper add, and what it must not take."""

import json
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.render.dots import Dots, DotsConfig
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing
from siman_synth.render.layouts.curved import Curved
from siman_synth.render.layouts.perspective import Perspective
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.letters import Letters
from siman_synth.render.paper import Paper, PaperConfig
from siman_synth.render.relief import Relief
from siman_synth.render.rules import Rule, RulesConfig, draw_rule
from siman_synth.render.wear import Wear, WearConfig, draw_wear
from siman_synth.render.word import ContentImage, ContentPlan, RenderConfig, WordRenderer, plan_content
from siman_synth.synthesis.gate import measure_ink

LOOSE = Framing(0.2, 0.2, 0.2, 0.2, "ink")
SIDEWAYS = Perspective((0.0, 0.1), (-0.05, -0.1), (0.0, 0.15), (0.0, 0.0))
EVERYTHING = RenderConfig(
    dots=DotsConfig(share=0.5, lost=(0.0, 0.3), lost_row=0.5, unsteady=(0.0, 0.3)),
    wear=WearConfig(bleeding=0.5, broken=0.5, ragged=0.5, faded=0.5, streaked=0.5),
    rules=RulesConfig(underline=0.3, above=0.3, below=0.3, dashed=0.5),
    paper=PaperConfig(speckled=0.5, stained=0.5),
)

Mask = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def plain(few: FontLibrary) -> ContentPlan:
    return ContentPlan("Hamburg E8", few.covering("Hamburg E8")[0].id, Straight(), LOOSE, 64, 4)


@pytest.fixture(scope="module")
def draw(few: FontLibrary, plain: ContentPlan) -> Callable[..., ContentImage]:
    return lambda **changes: WordRenderer(few).render(replace(plain, **changes))


def near(mask: Mask, reach: float) -> npt.NDArray[np.bool_]:
    """Tell which pixels have ink within `reach` px."""
    far = cv2.distanceTransform((mask <= 127).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(far <= reach)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text("abcgyAQW0149.,:é -", min_size=1, max_size=12).filter(str.strip), seed=st.integers(0, 2**40)
)
def test_plans_with_everything_are_pure_and_become_json(few: FontLibrary, text: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = plan_content(text, few.choose(text, rng), EVERYTHING, 32, 4, rng)
    assert ContentPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    image = WordRenderer(few).render(plan)
    assert np.array_equal(image.mask, WordRenderer(few).render(plan).mask)
    assert len(image.boxes) == len(text)
    assert (image.mask >= image.word).all()
    assert image.unfaded is None or (image.unfaded >= image.word).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**40))
def test_a_share_of_0_draws_what_was_drawn_before(few: FontLibrary, seed: int) -> None:
    rng, again = np.random.default_rng(seed), np.random.default_rng(seed)
    off = plan_content("kiosk", few.fonts[0], RenderConfig(), 32, 4, rng)
    on = plan_content("kiosk", few.fonts[0], EVERYTHING, 32, 4, again)
    kept = ("layout", "letters", "relief", "surroundings", "surface")
    assert {name: getattr(off, name) for name in kept} == {name: getattr(on, name) for name in kept}
    assert rng.random() == again.random()
    only = plan_content(
        "kiosk", few.fonts[0], replace(EVERYTHING, dots=DotsConfig()), 32, 4, np.random.default_rng(seed)
    )
    assert only.wear == on.wear
    assert only.paper == on.paper
    assert not {"dots", "wear", "rule", "paper"} & off.to_json().keys()


def test_dots_stand_in_rows_and_equal_letters_have_equal_dots(draw: Callable[..., ContentImage]) -> None:
    image = draw(text="HIH", dots=Dots(rows=9, spacing=1.0, size=0.7), letters=Letters(weight=1.2))
    first, last = (
        image.word[:, round(box.x0) : round(box.x0) + 20].astype(int)
        for box in (image.boxes[0], image.boxes[2])
    )
    assert np.abs(first - last).mean() < 12  # placed at different parts of a pixel
    stem = image.word[:, round(image.boxes[1].x0) : round(image.boxes[1].x1)].max(axis=1) > 100
    assert (np.diff(stem.astype(int)) == 1).sum() >= 8  # dark and light, row by row


@pytest.mark.parametrize(
    "dots",
    [Dots(8, 1.0, 1.0, 0.0, 0.0), Dots(12, 0.9, 1.2, 0.1, 0.4, 0.5, 3), Dots(16, 1.1, 1.4, 0.1, 0.2, 0.0)],
)
def test_dots_lose_no_stroke_and_stay_in_their_boxes(draw: Callable[..., ContentImage], dots: Dots) -> None:
    whole, dotted = draw(), draw(dots=dots)
    pitch = 64 * 0.6 / 7
    # Dots at the edges make the word a little wider.
    stretch = whole.word.shape[1] / dotted.word.shape[1]
    word = np.asarray(cv2.resize(dotted.word, whole.word.shape[::-1]), np.uint8)
    assert near(word, 1.3 * pitch)[whole.word > 200].mean() > 0.98
    outside = dotted.word.copy()
    for box in dotted.boxes:
        outside[int(box.y0) : int(np.ceil(box.y1)), int(box.x0) : int(np.ceil(box.x1))] = 0
    assert outside.max() == 0
    for before, after in zip(whole.boxes, dotted.boxes, strict=True):
        moved = np.subtract(before.to_json(), np.multiply(after.to_json(), [stretch, 1, stretch, 1]))
        assert np.abs(moved).max() < 1.5 * pitch


def test_dots_follow_a_bent_line(draw: Callable[..., ContentImage]) -> None:
    curved, dotted = (draw(layout=Curved(60.0, True), dots=dots) for dots in (Dots(), Dots(10)))
    assert near(dotted.word, 6)[curved.word > 200].mean() > 0.98


@pytest.mark.parametrize(
    "wear",
    [
        Wear(breaks=1.0, seed=1),
        Wear(breaks=0.6, raggedness=1.0, seed=2),
        Wear(streaks=12, seed=3),
        Wear(streaks=12, across=True, seed=4),
    ],
)
def test_worn_ink_loses_parts_but_nothing_as_wide_as_a_stroke(
    draw: Callable[..., ContentImage], wear: Wear
) -> None:
    whole, worn = draw(), draw(wear=wear)
    assert worn.word.astype(int).sum() < 0.97 * whole.word.astype(int).sum()
    assert near(worn.word, 4.5)[whole.word > 200].all()
    assert worn.boxes == whole.boxes


def test_ink_that_runs_is_wider_closes_no_hole_and_has_wider_boxes(draw: Callable[..., ContentImage]) -> None:
    whole, bled = draw(), draw(wear=Wear(bleed=0.4))
    assert bled.word.astype(int).sum() > 1.2 * whole.word.astype(int).sum()
    count, holes = cv2.connectedComponents((whole.word < 60).astype(np.uint8))
    assert count > 6
    for number in range(1, count):
        assert bled.word[holes == number].min() < 200
    for before, after in zip(whole.boxes, bled.boxes, strict=True):
        assert after.x0 <= before.x0
    outside = bled.word.copy()
    for box in bled.boxes:
        outside[int(box.y0) : int(np.ceil(box.y1)), int(box.x0) : int(np.ceil(box.x1))] = 0
    assert (outside > 127).sum() == 0


def test_ragged_edges_leave_paper_and_strokes_clean(draw: Callable[..., ContentImage]) -> None:
    whole, ragged = draw(), draw(wear=Wear(raggedness=1.0, seed=1))
    assert (ragged.word > 16)[~near(whole.word, 3)].sum() == 0
    assert not np.array_equal(whole.word, ragged.word)


def test_faded_ink_is_pale_somewhere_and_the_gate_knows_where_it_was(
    draw: Callable[..., ContentImage],
) -> None:
    whole, faded = draw(), draw(wear=Wear(fade=0.7, seed=5))
    inside = whole.word == 255
    assert faded.word[inside].min() < 110
    assert faded.word[inside].max() > 240
    assert faded.unfaded is not None
    assert np.abs(faded.unfaded.astype(int) - whole.word).max() <= 64  # other edges: drawn large, made small
    # A picture in which the palest letter is gone: ink by the faded mask would not be asked for there.
    box = min(whole.boxes[:-3], key=lambda one: faded.word[:, round(one.x0) : round(one.x1)].max())
    picture = np.repeat(255 - whole.word[..., None], 3, axis=2)
    picture[:, int(box.x0) : int(np.ceil(box.x1))] = 255
    found = measure_ink(picture, faded)
    assert found is not None
    assert found.weakest_character < 0.1


def test_the_gate_takes_stained_ground_for_ground(draw: Callable[..., ContentImage]) -> None:
    stained = draw(paper=Paper(stain_size=8.0, stain_strength=0.4, seed=1))
    assert stained.stains is not None
    assert stained.mask.min() > 16  # stained everywhere
    picture = np.repeat(255 - stained.mask[..., None], 3, axis=2)
    found = measure_ink(picture, stained)
    assert found is not None
    assert 100 < found.contrast < 240
    blank = measure_ink(np.full_like(picture, 200), stained)
    assert blank is not None
    assert blank.contrast == 0


def test_specks_are_smaller_than_strokes_and_stains_paler_than_ink(draw: Callable[..., ContentImage]) -> None:
    clean = draw()
    dirty = draw(paper=Paper(40.0, 0.1, 0.8, 1.0, 0.3, seed=1))
    assert np.array_equal(dirty.word, clean.word)
    assert dirty.boxes == clean.boxes
    specks = draw(paper=Paper(40.0, 0.1, 0.8, seed=1)).mask
    fresh = ((specks > 100) & (clean.word == 0)).astype(np.uint8)
    assert fresh.sum() > 20
    assert cv2.erode(fresh, np.ones((6, 6), np.uint8)).sum() == 0  # strokes are 8 px wide
    stains = draw(paper=Paper(stain_size=1.0, stain_strength=0.3, seed=1)).mask
    assert 0.2 * 255 * 0.4 < stains[clean.word == 0].max() <= 0.3 * 255


@pytest.mark.parametrize("layout", [Straight(), Curved(60.0, True), SIDEWAYS])
@pytest.mark.parametrize("kind", ["underline", "above", "below"])
def test_a_rule_follows_the_line_and_is_no_part_of_the_word(
    draw: Callable[..., ContentImage], layout: object, kind: str
) -> None:
    alone = draw(layout=layout)
    ruled = draw(layout=layout, rule=Rule(kind, 0.03, 0.06, False, 0.8))  # type: ignore[arg-type]
    assert np.array_equal(ruled.word, alone.word)
    assert ruled.boxes == alone.boxes
    fresh = (ruled.mask > 150) & (alone.mask < 50)
    # In nearly every column that has a letter.
    assert np.asarray(fresh.any(axis=0))[alone.word.max(axis=0) > 0].mean() > 0.95
    rows = np.arange(len(fresh))[:, None]
    both = fresh.any(axis=0) & (alone.word.max(axis=0) > 0)
    of_rule, of_word = (
        ((rows * ink).sum(axis=0) / np.maximum(ink.sum(axis=0), 1))[both]
        for ink in (fresh, alone.word.astype(int))
    )
    assert (of_rule < of_word).all() if kind == "above" else (of_rule > of_word).mean() > 0.9


def test_dashes_have_gaps(draw: Callable[..., ContentImage]) -> None:
    ruled = draw(rule=Rule("below", 0.05, 0.05, True, 1.0))
    row = ruled.mask[-12:].max(axis=0) > 100
    assert 0.4 < row.mean() < 0.85


@pytest.mark.parametrize("text", ["-", "_abc", "...", "(-)", "o", "1l"])
def test_text_that_a_rule_would_change_gets_none(text: str) -> None:
    assert not draw_rule(text, RulesConfig(underline=1.0), np.random.default_rng(0)).any


def test_an_underline_hides_no_mark_below_a_letter() -> None:
    config, rng = RulesConfig(underline=1.0, dashed=1.0), np.random.default_rng(0)
    assert draw_rule("plain", config, rng).kind == "underline"
    assert draw_rule("m\u1ea1nh", config, rng).kind == "below"


def test_rules_get_room(few: FontLibrary) -> None:
    rules = RulesConfig(distance=(0.1, 0.1), thickness=(0.1, 0.1))
    for kind, side in (("underline", "bottom"), ("below", "bottom"), ("above", "top")):
        config = RenderConfig(rules=replace(rules, **{kind: 1.0}))  # type: ignore[arg-type]
        plan = plan_content("kiosk", few.fonts[0], config, 32, 4, np.random.default_rng(1))
        assert plan.rule.kind == kind
        assert getattr(plan.framing, side) >= 0.2


def test_worn_and_dotted_words_keep_their_relief(draw: Callable[..., ContentImage]) -> None:
    plainly = draw(wear=Wear(streaks=2), dots=Dots(12))
    shaded = draw(wear=Wear(streaks=2), dots=Dots(12), relief=Relief("shadow", 0.08, 0.0, 0.5))
    assert shaded.word.astype(int).sum() > 1.1 * plainly.word.astype(int).sum()


def test_shares_are_kept() -> None:
    rng = np.random.default_rng(0)
    worn = [draw_wear(WearConfig(bleeding=0.2, broken=0.3, faded=0.4), rng) for _ in range(2000)]
    assert sum(one.bleed > 0 for one in worn) / 2000 == pytest.approx(0.2, abs=0.03)
    assert sum(one.breaks > 0 for one in worn) / 2000 == pytest.approx(0.3, abs=0.03)
    assert sum(one.fade > 0 for one in worn) / 2000 == pytest.approx(0.4, abs=0.03)
    assert sum(one.streaks > 0 for one in worn) == 0
    rules = [draw_rule("word", RulesConfig(underline=0.3, above=0.2), rng).kind for _ in range(2000)]
    assert rules.count("underline") / 2000 == pytest.approx(0.3, abs=0.03)
    assert rules.count("below") == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DotsConfig(share=2), "share must be between 0 and 1, found 2."),
        (
            lambda: WearConfig(fade=(0, 1)),
            "fade must be two values from 0 to 0.8, low then high, found (0, 1).",
        ),
        (
            lambda: RulesConfig(underline=0.5, below=0.6),
            "underline, above and below must be 1 at most in all, found (0.5, 0.0, 0.6).",
        ),
        (
            lambda: PaperConfig(speck_size=(0.2, 0.1)),
            "speck_size must be two values from 0 to 0.1, low then high, found (0.2, 0.1).",
        ),
    ],
)
def test_config_is_checked(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()
    assert str(caught.value) == message
