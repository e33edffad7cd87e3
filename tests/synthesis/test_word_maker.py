"""One way to make a word: what a run stores and what a single word shows come from the same steps."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError
from siman_synth.imaging.codec import decode
from siman_synth.imaging.sharpness import sharpness
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.word import RenderConfig, WordRenderer
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import FinishConfig, GenerateConfig
from siman_synth.synthesis.gate import GateConfig, QualityGate
from siman_synth.synthesis.plan import FinishPlan, plan_finish, plan_word
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.style_bank import StyleBank
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.synthesis.word_maker import WordMaker, WordPlan

CONFIG = GenerateConfig()
FINISH = FinishPlan(jpeg_quality=80, full_chroma=True, noise_sigma=2.0, noise_seed=7)


@pytest.fixture(scope="module")
def fonts() -> FontLibrary:
    return FontLibrary.open(["roboto"])


@pytest.fixture(scope="module")
def synthesizer(tiny_weights: Path, fonts: FontLibrary) -> Synthesizer:
    return Synthesizer.load(tiny_weights, "cpu", fonts)


@pytest.fixture(scope="module")
def style(crop_folder: Path) -> Style:
    return StyleBank.build(CropPool.open(crop_folder))[0]


@pytest.fixture(scope="module")
def plan(fonts: FontLibrary, style: Style) -> WordPlan:
    return WordPlan(plan_word("Harbour", fonts, CONFIG, sample_rng(3, "content")), style)


def maker(synthesizer: Synthesizer, fonts: FontLibrary, gate: QualityGate | None = None) -> WordMaker:
    return WordMaker(WordRenderer(fonts), synthesizer, CONFIG.finish, gate)


def test_a_single_word_is_made_by_the_maker(
    synthesizer: Synthesizer, fonts: FontLibrary, plan: WordPlan
) -> None:
    makes = maker(synthesizer, fonts)
    word = makes.make([makes.draft(plan)])[0]
    same = synthesizer.synthesize("Harbour", plan.style, seed=3)
    assert np.array_equal(word.image, same.image)
    assert (word.label, word.boxes, word.plan) == (same.label, same.boxes, same.plan)
    assert word.encoded is None
    assert word.problem is None


def test_a_finished_word_is_what_a_reader_decodes(
    synthesizer: Synthesizer, fonts: FontLibrary, plan: WordPlan
) -> None:
    makes = maker(synthesizer, fonts)
    plain = makes.draft(plan)
    finished = makes.draft(replace(plan, finish=FINISH))
    clean, noisy = makes.make([plain, finished])
    assert noisy.encoded is not None
    assert np.array_equal(noisy.image, decode(noisy.encoded))
    assert clean.image.shape == noisy.image.shape
    assert not np.array_equal(clean.image, noisy.image)
    assert sharpness(clean.image) <= plan.style.sharpness * 1.05


def test_the_gate_says_what_is_wrong_and_the_word_stays(
    synthesizer: Synthesizer, fonts: FontLibrary, plan: WordPlan
) -> None:
    strict = QualityGate(GateConfig(min_contrast=254.0), None)
    makes = maker(synthesizer, fonts, strict)
    word = makes.make([makes.draft(replace(plan, finish=FINISH))])[0]
    assert word.problem == "ink too faint"
    assert word.label == "Harbour"


@pytest.mark.parametrize(
    "image", [np.zeros((32, 90), np.uint8), np.zeros((32, 90, 3)), np.zeros((0, 9, 3), np.uint8)]
)
def test_only_rgb_pictures_lend_a_style(image: np.ndarray) -> None:
    with pytest.raises(CropError, match=r"^mine is no RGB picture: uint8 \(H, W, 3\) is needed, found "):
        Style.from_image(image, "mine")


def test_a_style_from_any_picture_is_the_banks(crop_folder: Path) -> None:
    pool = CropPool.open(crop_folder)
    lent, own = StyleBank.build(pool)[3], Style.from_image(pool.decode(3), pool.name(3))
    assert np.array_equal(lent.image, own.image)
    assert (lent.id, lent.sharpness) == (own.id, own.sharpness)


def test_words_between_two_looks_stand_between_the_pictures_of_each(
    synthesizer: Synthesizer, fonts: FontLibrary, plan: WordPlan, crop_folder: Path
) -> None:
    other = StyleBank.build(CropPool.open(crop_folder))[5]
    makes = maker(synthesizer, fonts)
    between = replace(plan, other_style=other, style_share=0.5)
    plans = [plan, between, replace(plan, style=other), replace(between, style_share=0.0)]
    words = makes.make([makes.draft(one) for one in plans])
    first, middle, last, none = (word.image.astype(float) for word in words)
    assert np.array_equal(none.astype(np.uint8), words[0].image) or np.abs(none - first).max() <= 1
    assert 0 < np.abs(middle - first).mean() < np.abs(last - first).mean()
    assert 0 < np.abs(middle - last).mean() < np.abs(last - first).mean()
    assert between.sharpness == pytest.approx((plan.style.sharpness + other.sharpness) / 2)


def test_a_word_that_runs_downwards_is_stored_lying_or_upright(tiny_weights: Path) -> None:
    """The same picture, turned, and judged alike; its boxes turn with it."""
    fonts = FontLibrary.open(["Noto Sans JP"])
    style = Style.from_image(np.random.default_rng(1).integers(0, 255, (32, 96, 3)).astype(np.uint8))
    words = []
    for image in ("turned", "upright"):
        finish = FinishConfig(vertical_image=image, image_format="png")  # type: ignore[arg-type]
        config = GenerateConfig(render=RenderConfig(vertical=1.0), finish=finish)
        synthesizer = Synthesizer.load(tiny_weights, "cpu", fonts, config)
        plan = plan_word("東ー京", fonts, config, np.random.default_rng(4))
        maker = WordMaker(
            WordRenderer(fonts), synthesizer, finish, QualityGate.open(GateConfig(min_contrast=254.0))
        )
        words.append(maker.make([maker.draft(WordPlan(plan, style, plan_finish(0, 0, 0, finish)))])[0])
    lying, upright = words
    assert np.array_equal(upright.image, np.rot90(lying.image, -1))
    assert upright.encoded is not None
    assert np.array_equal(decode(upright.encoded), upright.image)
    assert upright.boxes == tuple(box.turned_right(lying.image.shape[0]) for box in lying.boxes)
    tops = [box.y0 for box in upright.boxes]
    assert tops == sorted(tops)
    assert upright.problem == lying.problem is not None
