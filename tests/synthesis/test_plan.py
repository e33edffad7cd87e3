"""Plans are pure functions of (seed, index, attempt)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.config import from_mapping, to_mapping
from siman_synth.errors import FontError
from siman_synth.render.fonts import FontLibrary
from siman_synth.runs.inputs import Inputs, planner
from siman_synth.runs.job import Job
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.as_scene import drawn_as_scene
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.plan import Planner, plan_finish, plan_word


@pytest.fixture(scope="module")
def new_planner(make_job: Callable[..., Job]) -> Callable[[int], Planner]:
    job = make_job()
    inputs = Inputs.open(job)
    return lambda seed: planner(replace(job, seed=seed), inputs)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**40), indices=st.lists(st.integers(0, 10**9), min_size=2, max_size=6, unique=True)
)
def test_a_plan_depends_on_nothing_that_was_planned_before(
    new_planner: Callable[[int], Planner], seed: int, indices: list[int]
) -> None:
    forwards, backwards = new_planner(seed), new_planner(seed)
    first = {index: forwards.plan(index) for index in indices}
    second = {index: backwards.plan(index) for index in reversed(indices)}
    assert first == second
    assert all((plan.seed, plan.index, plan.attempt) == (seed, index, 0) for index, plan in first.items())


def test_seed_index_and_attempt_each_change_the_plan(new_planner: Callable[[int], Planner]) -> None:
    finishes = [
        new_planner(seed).plan(index, attempt).finish
        for seed, index, attempt in [(1, 2, 0), (2, 2, 0), (1, 3, 0), (1, 2, 1), (2, 1, 0)]
    ]
    assert len(set(finishes)) == len(finishes)


def test_words_styles_and_fonts_vary(new_planner: Callable[[int], Planner]) -> None:
    plans = [new_planner(0).plan(index) for index in range(200)]
    assert len({plan.content.text for plan in plans}) == 10
    assert {plan.style for plan in plans} == set(range(24))
    assert len({plan.content.font for plan in plans}) >= 2
    assert len({type(plan.content.layout) for plan in plans} | {str(p.content.layout) for p in plans}) > 10


def test_a_change_of_the_finish_leaves_word_look_and_style_alone(make_job: Callable[..., Job]) -> None:
    job, other = make_job(), make_job("finish.jpeg_quality=[20,30]", "finish.noise_sigma=[1.0,2.0]")
    inputs = Inputs.open(job)
    for index in range(10):
        plan = planner(job, inputs).plan(index)
        changed = planner(other, inputs).plan(index)
        assert (plan.content, plan.style) == (changed.content, changed.style)
        assert 20 <= changed.finish.jpeg_quality <= 30


def test_finish_stays_in_its_ranges() -> None:
    config = GenerateConfig().finish
    plans = [plan_finish(0, index, 0, config) for index in range(300)]
    assert {plan.jpeg_quality for plan in plans} <= set(range(60, 96))
    assert all(0 <= plan.noise_sigma <= 4 for plan in plans)
    assert 0.4 < sum(plan.full_chroma for plan in plans) / 300 < 0.6


def test_a_word_that_no_font_draws_is_refused_by_name() -> None:
    with pytest.raises(FontError) as caught:
        plan_word("na\u1234ve", FontLibrary.open(["oswald"]), GenerateConfig(), sample_rng(0))
    assert "'\u1234' (U+1234) in 'na\u1234ve'" in str(caught.value)


def test_words_are_about_as_wide_as_the_crop_that_lends_its_style(
    make_job: Callable[..., Job], tmp_path: Path
) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\n".join("a" * length for length in range(1, 17)))

    def misfit(share: float) -> float:
        job = replace(make_job(f"text.fit_share={share}"), corpus=(str(words),))
        inputs = Inputs.open(job)
        plans = [planner(job, inputs).plan(index) for index in range(60)]
        shapes = [inputs.styles[plan.style].image.shape for plan in plans]
        letters = [len(plan.content.text) for plan in plans]
        return sum(abs(n - 2 * shape[1] / shape[0]) for n, shape in zip(letters, shapes, strict=True)) / 60

    assert misfit(1.0) < 0.5 * misfit(0.0)


def test_a_share_of_the_samples_lies_between_two_styles(make_job: Callable[..., Job]) -> None:
    job = make_job()
    blending = replace(job, config=replace(job.config, style=replace(job.config.style, blend=0.4)))
    inputs = Inputs.open(job)
    plain, mixed = ([planner(one, inputs).plan(index) for index in range(60)] for one in (job, blending))
    assert all(plan.other_style is None for plan in plain)
    assert 12 <= sum(plan.other_style is not None for plan in mixed) <= 36
    assert len({plan.style_share for plan in mixed}) > 10
    # Nothing else changes.
    assert plain == [replace(plan, other_style=None, style_share=0.0) for plan in mixed]


def test_a_share_of_the_samples_is_drawn_as_the_recipe_scene_has_them(make_job: Callable[..., Job]) -> None:
    job, mixed = make_job(), make_job("scene_share=0.4")
    scene = replace(job, config=drawn_as_scene(job.config))
    inputs = Inputs.open(job)
    plans = [
        [planner(one, inputs).plan(index, attempt) for one in (mixed, job, scene)]
        for index in range(60)
        for attempt in (0, 1)
    ]
    as_scene = [plan == scene for plan, _, scene in plans]
    assert all(plan in either for plan, *either in plans)
    assert all(own != scene for _, own, scene in plans)
    assert 12 <= sum(as_scene) / 2 <= 36
    # A sample stays what it is when the gate has it drawn again.
    assert as_scene[::2] == as_scene[1::2]


def test_limits_and_writing_of_a_recipe_hold_for_words_drawn_as_scene() -> None:
    kept = {"max_aspect": 50.0, "min_aspect": 1.0, "vertical": 0.5, "vertical_stacked": 0.1}
    values = {"render": {**kept, "display_weight": 0.0}, "finish": {"image_format": "png"}, "height_px": 48}
    own = from_mapping(GenerateConfig, values, "test")
    drawn = drawn_as_scene(own)
    assert kept.items() <= to_mapping(drawn.render).items()
    assert drawn.render.display_weight == 0.5
    assert (drawn.height_px, drawn.finish.image_format) == (48, "png")
