"""Which weights a name means."""

from pathlib import Path

import pytest

from siman_synth.models.bundled import LIGHT, RUN_WEIGHTS, SMALL, bundled_name, weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.synthesis.synthesizer import Synthesizer


def test_a_file_a_run_or_the_bundled_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_file().is_file()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RUN_WEIGHTS).touch()
    assert weights_file("run") == Path("run") / RUN_WEIGHTS
    assert weights_file("~/run") == tmp_path / "run" / RUN_WEIGHTS
    assert weights_file("~/mine.safetensors") == tmp_path / "mine.safetensors"
    (tmp_path / "bundled").touch()
    assert weights_file("bundled") == Path("bundled")


def test_names_mean_the_weights_that_ship() -> None:
    assert weights_file() == weights_file("small") == weights_file("bundled") == weights_file(Path("small"))
    assert [weights_file(name).name for name in (LIGHT, SMALL)] == [
        "light.safetensors",
        "small.safetensors",
    ]
    assert [bundled_name(weights_file(name)) for name in (LIGHT, SMALL)] == [LIGHT, SMALL]
    assert bundled_name(Path("other.safetensors")) is None


def test_the_light_network_was_taught_by_the_small_one() -> None:
    light, small = (load_generator(weights_file(name)) for name in (LIGHT, SMALL))
    parameters = [sum(p.numel() for p in one.generator.parameters()) for one in (light, small)]
    assert parameters[0] < 0.5 * parameters[1]
    assert light.provenance["teacher"]["file"] == "small.safetensors"
    assert Synthesizer.load("light", "cpu")._generator.config == light.generator.config


@pytest.mark.parametrize("name", ["light", "small", "bundled"])
def test_what_lies_here_goes_before(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).mkdir()
    (Path(name) / "siman.safetensors").touch()
    assert weights_file(name) == Path(name) / "siman.safetensors"
    assert weights_file() != Path(name) / "siman.safetensors"
    assert (
        bundled_name(weights_file(name)) is None
    )  # a worker elsewhere must not take those of its installation
    assert bundled_name(weights_file()) == "small"
