"""Every bundled recipe loads, and `default` says what the defaults are."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from siman_synth.config import load_config, to_mapping
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.resources import resource_folder
from siman_synth.synthesis.config import GenerateConfig

GENERATE = sorted(resource_folder("recipes").glob("*.toml"))
RECOGNIZERS = sorted(resource_folder("recognizers").glob("*.toml"))
PRETRAIN = sorted(resource_folder("pretrain/recipes").glob("*.toml"))


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return found


def test_the_bundled_names() -> None:
    assert [path.stem for path in GENERATE] == ["default", "lines", "rough", "scene", "straight"]
    assert [path.stem for path in RECOGNIZERS] == ["crnn", "lines", "quick", "small", "trba", "trbc"]
    assert [path.stem for path in PRETRAIN] == ["light", "paper", "small"]


@pytest.mark.parametrize("path", GENERATE, ids=lambda path: path.stem)
def test_generate_recipes_load_by_name(path: Path) -> None:
    config = load_config(GenerateConfig, path.stem, recipe_folder=path.parent)
    assert (config == GenerateConfig()) == (path.stem == "default")


def test_a_file_goes_before_a_recipe_that_ships(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Path("rough").write_text("height_px = 48\n")
    for name in ("rough", "~/rough"):
        assert load_config(GenerateConfig, name, recipe_folder=resource_folder("recipes")).height_px == 48
    Path("scene").mkdir()  # no recipe can be a folder
    assert load_config(GenerateConfig, "scene", recipe_folder=resource_folder("recipes")).height_px == 32


@pytest.mark.parametrize("path", PRETRAIN, ids=lambda path: path.stem)
def test_pretrain_recipes_load_by_name(path: Path) -> None:
    load_config(PretrainConfig, path.stem, recipe_folder=path.parent)


@pytest.mark.parametrize(
    "path", [path for path in GENERATE if path.stem != "default"], ids=lambda path: path.stem
)
def test_other_recipes_hold_only_what_they_change(path: Path) -> None:
    defaults = flat(to_mapping(GenerateConfig()))
    repeated = [
        key
        for key, value in flat(tomllib.loads(path.read_text(encoding="utf-8"))).items()
        if defaults[key] == value
        # A whole set of weights is easier to judge than the changed ones alone.
        and not key.startswith("render.layout.")
    ]
    assert repeated == []


def test_straight_is_straight_and_tight() -> None:
    layout = load_config(GenerateConfig, "straight", recipe_folder=resource_folder("recipes")).render.layout
    assert layout.curved.weight == layout.perspective.weight == layout.rotated.weight == 0


@pytest.mark.parametrize("path", RECOGNIZERS, ids=lambda path: path.stem)
def test_recognizer_recipes_load_by_name(path: Path) -> None:
    load_config(RecognizerTrainingConfig, path.stem, recipe_folder=path.parent)
