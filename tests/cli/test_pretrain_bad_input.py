"""What `pretrain` says to bad crops, settings and outputs; and that it runs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from PIL import Image

Run = Callable[..., Result]
TINY = (
    "model.widths=[8,8,8]", "model.blocks=[1,1,1]", "model.decoder_widths=[8,8]", "model.paint_width=4",
    "discriminator.widths=[8]", "training.batch_size=2", "training.steps=1", "data.held_out=2",
)  # fmt: skip


@pytest.fixture
def pretrain(invoke: Run, crop_folder: Path, tmp_path: Path) -> Run:
    def pretrain(*more: str | Path, crops: Path = crop_folder, out: Path = tmp_path / "run") -> Result:
        settings = [part for setting in TINY for part in ("--set", setting)]
        return invoke("pretrain", "--crops", crops, "--out", out, "--device", "cpu", *settings, *more)

    return pretrain


def failure(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").strip()


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    folder = tmp_path / "narrow"
    folder.mkdir()
    for width in (20, 40, 64):
        Image.new("RGB", (width, 32), (width, 0, 0)).save(folder / f"{width}.png")
    return folder


def test_runs_and_refuses_to_run_again(
    pretrain: Run, crop_folder: Path, narrow: Path, tmp_path: Path
) -> None:
    (narrow / "notes.docx").touch()
    for path in crop_folder.iterdir():
        (narrow / path.name).write_bytes(path.read_bytes())
    result = pretrain(crops=narrow)
    assert result.exit_code == 0, result.output
    weights = tmp_path / "run" / "siman.safetensors"
    assert weights.is_file()
    lines = result.output.splitlines()
    assert lines[:4] == [
        "24 crops for training, 4 skipped",
        "  skipped: 3 not wider than 2 heights (20.png, 40.png, 64.png)",
        "  skipped: 1 not an image file (notes.docx)",
        "2 of the crops are held out, for the held-out error and the panels",
    ]
    assert lines[-1] == f"1 steps done. Generate with: siman-synth generate --weights {weights} ..."
    assert failure(pretrain()) == (
        f"{tmp_path / 'run'} holds a run of state-00000001. Resume it, or choose another output folder."
    )
    assert pretrain("--resume", crops=narrow).exit_code == 0
    assert "has other settings or inputs: model.paint_width: 4 there, 8 here" in failure(
        pretrain("--resume", "--set", "model.paint_width=8", crops=narrow)
    )


def test_crops_of_several_folders(pretrain: Run, crop_folder: Path, narrow: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "wide.png").write_bytes(next(crop_folder.glob("*.png")).read_bytes())
    both = ("--crops", more, "--crops", narrow)
    lines = pretrain(*both).output.splitlines()
    assert lines[:2] == [
        "25 crops for training, 3 skipped",
        "  skipped: 3 not wider than 2 heights (narrow/20.png, narrow/40.png, narrow/64.png)",
    ]
    assert "has other settings or inputs: contents of the crops" in failure(pretrain("--resume"))
    assert pretrain("--resume", *both).exit_code == 0
    assert "are given twice" in failure(pretrain("--crops", crop_folder, out=tmp_path / "other"))
    assert failure(pretrain(*both, out=more / "run")).startswith(
        f"{more / 'run'} lies in the folder of the crops"
    )


def test_an_existing_run_is_reported_before_crops_are_read(
    pretrain: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pretrain().exit_code == 0
    monkeypatch.setattr("siman_synth.crops.pool.CropPool.open", None)
    assert "holds a run of state-00000001" in failure(pretrain())


def test_no_crop_is_wide_enough(pretrain: Run, narrow: Path) -> None:
    message = failure(pretrain(crops=narrow))
    assert message == (
        "No usable crop among 3: 3 not wider than 2 heights (20.png, 40.png, 64.png). "
        "Training needs crops wider than 2 times their height."
    )


def test_missing_empty_and_foreign_crops(pretrain: Run, tmp_path: Path) -> None:
    assert (
        failure(pretrain(crops=tmp_path / "none")) == f"No crops at {tmp_path / 'none'}: it does not exist."
    )
    (tmp_path / "empty").mkdir()
    assert failure(pretrain(crops=tmp_path / "empty")).startswith(f"No crops in {tmp_path / 'empty'}: ")
    (tmp_path / "x.zip").touch()
    assert "neither a folder, an image" in failure(pretrain(crops=tmp_path / "x.zip"))


def test_an_output_that_cannot_be_written(pretrain: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    message = failure(pretrain(out=tmp_path / "file" / "run"))
    assert message.startswith("The disk refused: Not a directory (")


def test_a_cache_folder_that_holds_something_else_is_not_replaced(pretrain: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "holiday.jpg").touch()
    assert failure(pretrain("--cache", photos)) == (
        f"{photos} holds other files (holiday.jpg, …), which a cache of crops must not replace. "
        "Choose another folder for it."
    )
    assert (photos / "holiday.jpg").exists()


def test_bad_settings(pretrain: Run) -> None:
    assert failure(pretrain("--set", "training.step=5")).endswith(
        "unknown key 'training.step'. Did you mean 'training.steps'?"
    )
    assert failure(pretrain("--recipe", "smal")).startswith("No recipe 'smal': ")
    assert failure(pretrain("--device", "gpu")) == "Unknown device 'gpu'. Use auto, cpu or cuda."


def test_dry_run_writes_nothing(pretrain: Run, tmp_path: Path) -> None:
    result = pretrain("--dry-run")
    assert result.exit_code == 0, result.output
    assert "# 24 crops in " in result.output
    assert not (tmp_path / "run").exists()
