"""Weights files: a round trip, and every way in which one can be wrong."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from siman_synth.errors import WeightsError
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import FORMAT, load_generator, save_generator
from siman_synth.models.generator import Generator, GeneratorConfig

TINY = GeneratorConfig(widths=(4, 4, 4), decoder_widths=(4, 4), paint_width=4)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_generator(path, Generator(TINY), {"step": 3})
    return path


def test_round_trip(weights: Path) -> None:
    loaded = load_generator(weights)
    assert loaded.generator.config == TINY
    assert loaded.provenance["step"] == 3
    again = load_generator(weights).generator.state_dict()
    for name, tensor in loaded.generator.state_dict().items():
        assert torch.equal(tensor, again[name])


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"No weights file .*nowhere\.safetensors"):
        load_generator(tmp_path / "nowhere.safetensors")


def test_a_bundled_name_that_was_mistyped() -> None:
    with pytest.raises(WeightsError, match=r"^No weights file lihgt\. Did you mean 'light'\? Train one with"):
        load_generator(weights_file("lihgt"))
    with pytest.raises(WeightsError, match=r"^No weights file runs/lihgt\. Train one with"):
        load_generator(weights_file("runs/lihgt"))


@pytest.mark.parametrize("keep", [0, 4, 100, -50])
def test_truncated(weights: Path, keep: int) -> None:
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(WeightsError, match="damaged"):
        load_generator(weights)


def test_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="not written by siman-synth"):
        load_generator(path)


def test_pickle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "old.pt"
    torch.save({"weight": torch.zeros(2)}, path)
    with pytest.raises(WeightsError, match="damaged or not safetensors"):
        load_generator(path)


def test_other_version(tmp_path: Path) -> None:
    path = tmp_path / "future.safetensors"
    save_file({"weight": torch.zeros(2)}, path, {"format": FORMAT, "format_version": "99"})
    with pytest.raises(WeightsError, match="format version 99; this siman-synth reads version 1"):
        load_generator(path)


def test_tensors_that_do_not_fit_the_description(tmp_path: Path) -> None:
    path = tmp_path / "wrong.safetensors"
    save_file(
        {"weight": torch.zeros(2)},
        path,
        {"format": FORMAT, "format_version": "1", "config": "{}", "provenance": "{}"},
    )
    with pytest.raises(WeightsError, match="does not hold the network that it describes"):
        load_generator(path)


@pytest.mark.parametrize("provenance", ["{", "[" * 100_000, "[]", "\x1b[2J" * 1000, "NaN"])
def test_provenance_that_is_none(provenance: str, tiny_weights: Path, tmp_path: Path) -> None:
    with safe_open(tiny_weights, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata() | {"provenance": provenance}
    path = tmp_path / "odd.safetensors"
    save_file(tensors, path, metadata)
    message = r"its provenance must be a JSON object, found .{1,60} Copy it"
    with pytest.raises(WeightsError, match=message) as caught:
        load_generator(path)
    assert "\x1b" not in str(caught.value)
