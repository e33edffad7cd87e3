"""A pretraining run from end to end: what it leaves, how it goes on, what it refuses."""

from pathlib import Path

import numpy as np
import pytest
import torch

from siman_synth.config import load_config
from siman_synth.errors import ConfigError, OutputError, TrainingError
from siman_synth.models.checkpoint import load_generator
from siman_synth.pretraining import losses
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.resources import resource_folder
from tests.pretraining.tiny_run import Run, Tiny, assert_equal_runs, numbers, steps_saved


def test_leaves_weights_checkpoints_panels_statistics(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    lines: list[str] = []
    result = run(tiny(), tmp_path / "run", say=lines.append)
    out = tmp_path / "run"
    assert (result.steps, result.interrupted) == (10, False)
    assert result.weights == out / "siman.safetensors"
    assert load_generator(result.weights).provenance["step"] == 10
    assert steps_saved(out) == [5, 10]
    assert (out / "snapshots" / "siman-00000005.safetensors").exists()
    assert len(list((out / "panels").glob("pairs-*.png"))) == 2
    assert list((out / "tensorboard").iterdir())
    assert [line["step"] for line in numbers(out) if "l2" in line] == list(range(1, 11))
    assert lines[:2] == [
        "24 crops for training, 0 skipped",
        "2 of the crops are held out, for the held-out error and the panels",
    ]
    total = sum(p.numel() for p in load_generator(result.weights).generator.parameters())
    assert lines[2].startswith(f"generator: {total:,} parameters (encoder ")
    assert lines[3].startswith("discriminator: ")
    assert lines[4].startswith("rebuilding a patch takes 0.00")


def test_five_plus_five_steps_are_ten(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    run(tiny(), tmp_path / "whole")
    # The learning rate falls towards the last step: the first half must know of all ten.
    run(tiny(), tmp_path / "halves")
    (tmp_path / "halves" / "checkpoints" / "state-00000010.pt").unlink()
    run(tiny(), tmp_path / "halves", resume=True)
    assert_equal_runs(tmp_path / "halves", tmp_path / "whole", 10)


def test_a_run_is_not_overwritten_and_settings_must_match(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    run(tiny("training.steps=1"), tmp_path / "run")
    with pytest.raises(OutputError, match="Resume it, or choose another output folder"):
        run(tiny(), tmp_path / "run")
    with pytest.raises(
        OutputError, match=r"other settings or inputs: training\.learning_rate: 0\.0004 there, 0\.001 here"
    ):
        run(tiny("training.learning_rate=1e-3"), tmp_path / "run", resume=True)


def test_a_loss_that_is_not_finite_stops_before_the_optimiser(
    tiny: Tiny, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = losses.discriminator_loss
    calls = 0

    def poisoned(real_scores: torch.Tensor, fake_scores: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return real(real_scores, fake_scores) * (float("nan") if calls == 8 else 1.0)

    monkeypatch.setattr(losses, "discriminator_loss", poisoned)
    with pytest.raises(TrainingError, match="Loss 'adversarial_d' is nan at step 8"):
        run(tiny(), tmp_path / "run")
    monkeypatch.undo()
    assert steps_saved(tmp_path / "run") == [5]
    assert run(tiny(), tmp_path / "run", resume=True).steps == 10


@pytest.mark.slow
def test_the_paper_recipe_takes_a_step(run: Run, tmp_path: Path) -> None:
    """ResNet-29 and its decoder train, export and load; 400k steps are for a GPU."""
    recipes = resource_folder("pretrain/recipes")
    few = ("training.steps=2", "training.batch_size=4", "data.held_out=2")
    config = load_config(PretrainConfig, "paper", few, recipes)
    result = run(config, tmp_path / "run")
    assert result.weights is not None
    generator = load_generator(result.weights).generator
    assert generator.config.encoder == "resnet29"
    assert all(torch.isfinite(parameter).all() for parameter in generator.parameters())


def test_bf16_runs_on_a_cpu_too(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    run(tiny("training.precision=bf16", "training.steps=3"), tmp_path / "run")
    assert all(np.isfinite(line["l2"]) for line in numbers(tmp_path / "run") if "l2" in line)


def test_paths_may_be_strings(tiny: Tiny, run: Run, crop_folder: Path, tmp_path: Path) -> None:
    out, cache = tmp_path / "run", tmp_path / "cache"
    result = run(tiny("training.steps=1"), out, crops=str(crop_folder), cache=str(cache))
    assert (result.steps, result.weights) == (1, out / "siman.safetensors")
    assert not (out / "cache").exists()
    assert sorted(path.name for path in cache.iterdir()) == [
        "cache.json",
        "lock",
        "offsets.npy",
        "pixels.npy",
    ]


def test_a_run_in_parts_resumes_to_the_same_numbers(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    config = tiny("training.accumulate=2")
    run(config, tmp_path / "whole")
    run(config, tmp_path / "halves")
    (tmp_path / "halves" / "checkpoints" / "state-00000010.pt").unlink()
    run(config, tmp_path / "halves", resume=True)
    assert_equal_runs(tmp_path / "halves", tmp_path / "whole", 10)


def test_a_prolonged_run_never_raises_its_rate(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    out, lines = tmp_path / "run", list[str]()
    run(tiny("training.steps=6"), out)
    run(tiny("training.steps=20"), out, resume=True, say=lines.append)
    assert "The run now ends after 20 steps; the learning rate goes on from 4e-05." in lines
    rates = [line["learning_rate"] for line in numbers(out) if "learning_rate" in line]
    assert len(rates) == 20
    assert rates == sorted(rates, reverse=True)
    assert set(rates[5:]) == {4e-5}


def test_a_batch_that_does_not_divide_is_refused_before_anything_is_written(
    tiny: Tiny, run: Run, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="batch_size 4 does not divide into accumulate = 3 parts"):
        run(tiny("training.accumulate=3"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
