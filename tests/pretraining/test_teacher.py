"""A lighter network learns to paint as a trained one does."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from siman_synth.crops.cache import CropCache
from siman_synth.errors import ConfigError, OutputError, WeightsError
from siman_synth.files import content_hash
from siman_synth.models.checkpoint import load_generator
from siman_synth.pretraining.patches import PatchSampler
from siman_synth.pretraining.plain_words import plain_words
from siman_synth.pretraining.state import TrainState
from siman_synth.pretraining.step import SimanTraining
from siman_synth.pretraining.teacher import TaughtBatches, Teacher, without_ripple
from siman_synth.synthesis.painter import MARGIN_PX
from siman_synth.tally import Tally
from siman_synth.training.distributed import Processes
from tests.pretraining.tiny_run import Run, Tiny, assert_equal_runs, saved_parts

CPU = torch.device("cpu")
ALONE = Processes(0, 1, CPU)
FEW = ("distillation.words=12", "distillation.width_px=48", 'distillation.corpora=["english"]')
STUDENT = (*FEW, 'model.content="plain"', "model.smooth=true", "data.min_aspect=1")


@pytest.mark.slow
def test_the_student_learns_to_paint_as_the_teacher_does(tiny: Tiny, cache: CropCache) -> None:
    """On words and crops that it did not see, and in colours: nearer than another style's painting is."""
    config = tiny(*STUDENT, "training.learning_rate=4e-3", "training.adversarial_weight=0.1")
    words = plain_words(config.distillation, 32, 0, Tally())
    sampler = PatchSampler(cache, 0, CPU, held_out=2)
    batches = TaughtBatches(Teacher.read("bundled", 32), sampler, words, config, ALONE)
    state = TrainState.create(config, CPU)
    training, unseen = SimanTraining(config, state, batches, ALONE, 8), batches.held_out()
    assert unseen is not None

    def error() -> float:
        with torch.no_grad():
            return float(
                (state.generator(unseen.content, unseen.style).clean - unseen.target).square().mean()
            )

    before = error()
    for step in range(100):
        training.take_step(step)
    of_another_style = float((unseen.target - unseen.target.flip(0)).square().mean())
    assert error() < 0.3 * before
    assert error() < 0.5 * of_another_style


def test_batches_are_words_in_styles_of_crops_and_what_the_teacher_makes_of_them(
    tiny: Tiny, cache: CropCache
) -> None:
    config, teacher = tiny(*FEW, "distillation.notch=0"), Teacher.read("bundled", 32)
    words = plain_words(config.distillation, 32, 0, Tally())
    batches = TaughtBatches(teacher, PatchSampler(cache, 0, CPU), words, config, ALONE)
    batch = batches.draw(3, 6)
    assert batch.content.shape == batch.target.shape == batch.real.shape == (6, 3, 32, 48)
    assert batch.style.shape[:3] == (6, 3, 32)
    ink = ((1 - batch.content[:, 0]) * 127.5).round().to(torch.uint8).numpy()
    for row in ink:
        assert any(
            np.array_equal(row, word[:, left : left + 48])
            for word in words
            for left in range(word.shape[1] - 47)
        )
    painted = teacher.generator.restyle(batch.content, teacher.generator.encode_style(batch.style))
    torch.testing.assert_close(batch.target, painted, atol=1e-5, rtol=0)
    again, other = batches.draw(3, 6), batches.draw(4, 6)
    torch.testing.assert_close(again.style, batch.style, atol=0, rtol=0)
    torch.testing.assert_close(again.content, batch.content, atol=0, rtol=0)
    assert not torch.equal(other.content, batch.content)
    assert batches.held_out() is None


def test_strips_are_of_training_crops_and_as_wide_as_their_crops_allow(cache: CropCache) -> None:
    sampler = PatchSampler(cache, 0, CPU, held_out=2)

    def is_of(strip: torch.Tensor, indices: list[int]) -> bool:
        pixels = ((strip.movedim(0, -1) + 1) * 127.5).round().to(torch.uint8).numpy()
        width = pixels.shape[1]
        crops = [cache.crop(index) for index in indices]
        return any(
            np.array_equal(pixels, crop[:, left : left + width])
            for crop in crops
            for left in range(crop.shape[1] - width + 1)
        )

    held_out = sampler.held_out.tolist()
    others = [index for index in range(len(cache)) if index not in held_out]
    widths = set()
    for step in range(12):
        strips = sampler.draw_strips(step, 2)
        widths.add(strips.shape[-1])
        assert all(is_of(strip, others) for strip in strips)
    assert widths <= {32, 64, 96, 128}
    assert len(widths) > 1
    assert all(is_of(strip, held_out) for strip in sampler.held_out_strips())


def test_a_ripple_goes_and_all_else_stays() -> None:
    columns = torch.arange(48.0)
    smooth = (0.4 * torch.sin(columns / 7) + 0.2 * torch.sin(columns * torch.pi / 2)).expand(1, 3, 32, 48)
    along_x = 0.1 * torch.cos(columns * torch.pi).expand(1, 3, 32, 48)
    along_y = 0.1 * torch.cos(torch.arange(32.0) * torch.pi)[:, None].expand(1, 3, 32, 48)
    inner = (..., slice(6, -6), slice(6, -6))
    for ripple in (along_x, along_y):
        torch.testing.assert_close(
            without_ripple(smooth + ripple, 1.0)[inner], smooth[inner], atol=0.01, rtol=0
        )
        kept = (without_ripple(smooth + ripple, 0.25) - without_ripple(smooth, 0.25))[inner]
        torch.testing.assert_close(kept, 0.75 * ripple[inner], atol=1e-5, rtol=0)
    assert without_ripple(smooth, 0.0) is smooth


def test_words_have_the_margins_that_painted_words_have(tiny: Tiny) -> None:
    config = tiny(*FEW).distillation
    words = plain_words(config, 32, 5, Tally())
    assert len(words) == 12
    for word in words:
        assert word.shape[0] == 32
        assert word.shape[1] >= 48
        assert not word[:, :MARGIN_PX].any()
        assert not word[:, -MARGIN_PX:].any()
        assert word.any()
    assert not all(map(np.array_equal, words, plain_words(config, 32, 6, Tally())))


@pytest.mark.slow
def test_a_resumed_run_is_the_uninterrupted_one_and_keeps_its_teacher(
    tiny: Tiny, run: Run, tiny_weights: Path, tmp_path: Path
) -> None:
    config = tiny(*STUDENT, "data.min_aspect=2")
    whole = run(config, tmp_path / "whole", teacher=tiny_weights)
    assert whole.weights is not None
    assert load_generator(whole.weights).provenance["teacher"] == {
        "file": "tiny.safetensors",
        "sha256": content_hash(tiny_weights),
    }
    parts = tmp_path / "parts"
    run(tiny(*STUDENT, "data.min_aspect=2", "training.steps=5"), parts, teacher=tiny_weights)
    for other in (None, "bundled"):
        with pytest.raises(OutputError, match="has other settings or inputs: teacher"):
            run(config, parts, resume=True, teacher=other)
    assert saved_parts(parts, 5).keys() == saved_parts(tmp_path / "whole", 5).keys()
    assert (parts / "panels/pairs-00000005.png").stat().st_size > 1000
    interrupted = tmp_path / "interrupted"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("siman_synth.stopping.requested", stop_after(4))
        assert run(config, interrupted, teacher=tiny_weights).steps == 4
    run(config, interrupted, resume=True, teacher=tiny_weights)
    assert_equal_runs(interrupted, tmp_path / "whole", 10)


def stop_after(steps: int) -> Callable[[], bool]:
    """Return a question that is asked after each step, and answered yes once so many were taken."""
    asked = iter(range(1, 100))
    return lambda: next(asked) >= steps


def test_what_cannot_teach_is_refused_before_anything_is_written(
    tiny: Tiny, run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(WeightsError, match=re.escape(str(tmp_path / "none"))):
        run(tiny(*STUDENT), out, teacher=tmp_path / "none")
    with pytest.raises(ConfigError, match=r"crops must hold two patches: found data\.min_aspect = 1, 2 is"):
        run(tiny("data.min_aspect=1"), out)
    assert not out.exists()
    (tmp_path / "words.txt").write_text("\U00012000\U00012001\n")
    with pytest.raises(ConfigError, match=r"Fonts could draw 0 of 12 words of .*words\.txt"):
        run(
            tiny(*STUDENT, f'distillation.corpora=["{tmp_path / "words.txt"}"]'),
            out,
            teacher="bundled",
        )
