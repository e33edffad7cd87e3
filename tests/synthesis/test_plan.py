"""Plans are pure functions of (seed, index, attempt)."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.errors import FontError
from siman_synth.render.fonts import FontLibrary
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.plan import Planner, plan_finish, plan_word
from siman_synth.text.mixture import CorpusMixture


@pytest.fixture(scope="module")
def new_planner(make_job: Callable[..., Job]) -> Callable[[int], Planner]:
    job = make_job()
    mixture, fonts = CorpusMixture.open(job.corpus, job.config.text), FontLibrary.open(job.fonts)
    return lambda seed: Planner(seed, mixture, fonts, 24, job.config)


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
    mixture, fonts = CorpusMixture.open(job.corpus, job.config.text), FontLibrary.open(job.fonts)
    for index in range(10):
        plan = Planner(0, mixture, fonts, 24, job.config).plan(index)
        changed = Planner(0, mixture, fonts, 24, other.config).plan(index)
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
