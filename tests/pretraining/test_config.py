"""Settings are refused when they cannot be trained with, and every one that is accepted trains."""

from pathlib import Path

import pytest

from siman_synth.config import load_config
from siman_synth.errors import ConfigError
from siman_synth.pretraining.config import PretrainConfig
from tests.pretraining.tiny_run import Run, Tiny, numbers


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "0.0", "-1.0"])
@pytest.mark.parametrize("name", ["training.learning_rate", "training.final_learning_rate"])
def test_rates_are_positive_and_finite(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"{name} must be (between 1e-12 and 10|a finite number)"):
        load_config(PretrainConfig, overrides=(f"{name}={value}",))


@pytest.mark.parametrize(
    "override",
    [
        "training.reconstruction_weight=nan", "training.reconstruction_weight=inf",
        "training.betas=[nan, 0.9]",
        "training.betas=[0.5, 1.0]", "training.average_half_life=0",
        "training.steps=0", "training.batch_size=0",
        "training.accumulate=0", "training.accumulate=3", "training.seed=-1",
        "data.min_aspect=nan", "data.min_aspect=inf", "data.height_px=0",
        "data.height_px=100000", "data.held_out=-1", "logging.stats_every=0", "logging.panel_every=-1",
        "logging.checkpoints_kept=0", "augmentation.min_contrast=2.0",
    ],
)  # fmt: skip
def test_settings_that_cannot_be_trained_with(override: str) -> None:
    table, name = override.split("=")[0].split(".")
    with pytest.raises(ConfigError, match=rf"{table}(\.|: .*){name} "):
        load_config(PretrainConfig, overrides=(override,))


def test_a_height_that_the_networks_cannot_take_is_a_sentence() -> None:
    with pytest.raises(ConfigError, match=r"resnet29 reads images 32 px high, found data\.height_px = 16"):
        load_config(PretrainConfig, overrides=("model.encoder=resnet29", "data.height_px=16"))
    with pytest.raises(
        ConfigError, match=r"halves a patch of data\.height_px = 16 5 times, which leaves nothing"
    ):
        load_config(PretrainConfig, overrides=("discriminator.widths=[8,8,8,8,8]", "data.height_px=16"))


@pytest.mark.parametrize(("height", "halvings"), [(8, 3), (12, 1), (16, 4), (20, 2), (64, 6)])
def test_every_height_that_is_accepted_trains(
    tiny: Tiny, run: Run, tmp_path: Path, height: int, halvings: int
) -> None:
    widths = ",".join(["8"] * halvings)
    few = ("training.steps=1", "logging.panel_every=1")
    result = run(tiny(f"data.height_px={height}", f"discriminator.widths=[{widths}]", *few), tmp_path / "run")
    assert result.steps == 1
    assert {path.name.split("-")[0] for path in (tmp_path / "run" / "panels").iterdir()} == {"pairs", "words"}


@pytest.mark.parametrize("held_out", [0, 1, 2])
def test_what_is_not_held_out_gives_no_held_out_error(
    tiny: Tiny, run: Run, tmp_path: Path, held_out: int
) -> None:
    lines: list[str] = []
    run(tiny(f"data.held_out={held_out}"), tmp_path / "run", say=lines.append)
    found = [line["held_out_l2"] for line in numbers(tmp_path / "run") if "held_out_l2" in line]
    panels = sorted(path.name for path in (tmp_path / "run" / "panels").iterdir())
    assert len(found) == (2 if held_out else 0)
    assert all(0 < error < 10 for error in found)
    assert [name for name in panels if name.startswith("words")] == [
        "words-00000005.png",
        "words-00000010.png",
    ]
    assert len(panels) == (4 if held_out else 2)
    assert ("No crops are held out: there is no held-out error" in lines) == (held_out == 0)


def test_too_few_crops_to_hold_any_out(tiny: Tiny, run: Run, crop_folder: Path, tmp_path: Path) -> None:
    """A tenth of nine crops is none: an error on crops that training sees would be no held-out error."""
    (tmp_path / "few").mkdir()
    for path in sorted(crop_folder.iterdir())[:9]:
        (tmp_path / "few" / path.name).write_bytes(path.read_bytes())
    run(tiny("data.held_out=2"), tmp_path / "run", crops=str(tmp_path / "few"))
    assert not any("held_out_l2" in line for line in numbers(tmp_path / "run"))


def test_a_teacher_needs_words() -> None:
    with pytest.raises(ConfigError, match="corpora must name words, found none"):
        load_config(PretrainConfig, overrides=["distillation.corpora=[]"])
