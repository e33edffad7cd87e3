"""A fitted model as one name for `generate`."""

from pathlib import Path

import pytest

from siman_synth.errors import ConfigError
from siman_synth.fitting.model import Model, model_text


def test_a_model_reads_back(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("")
    (tmp_path / "model.toml").write_text(
        model_text(["crops.lmdb", "more"], ["english:0.5", "a b.txt:2"], ["all"], True)
    )
    found = Model.open(tmp_path)
    assert found.styles == ("crops.lmdb", "more")
    assert found.corpus == ("english:0.5", "a b.txt:2")
    assert found.fonts == ("all",)
    assert found.weights == tmp_path / "siman.safetensors"
    (tmp_path / "model.toml").write_text(model_text(["crops.lmdb"], ["english:0.5"], ["all"], False))
    assert Model.open(tmp_path).weights is None


def test_a_model_of_before_names_its_crops_alone(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("")
    (tmp_path / "model.toml").write_text("crops = 'crops.lmdb'\ncorpus = ['english']\nfonts = ['all']")
    assert Model.open(tmp_path).styles == ("crops.lmdb",)


def test_what_is_no_model_is_told(tmp_path: Path) -> None:
    def refusal() -> str:
        with pytest.raises(ConfigError) as caught:
            Model.open(tmp_path / "mine")
        return str(caught.value)

    assert refusal().endswith("there is no such folder. Make one with siman-synth fit.")
    (tmp_path / "mine").mkdir()
    assert "holds no model: model.toml and recipe.toml are needed" in refusal()
    (tmp_path / "mine" / "recipe.toml").write_text("")
    for text, problem in (
        ("crops = 3\ncorpus = ['a']\nfonts = ['all']", "crops must be a list of texts, found 3."),
        ("crops = 'a'\ncorpus = []\nfonts = ['all']", "corpus must be a list of texts, found []."),
        ("style = 'a'", "unknown key 'style'. Known: crops, corpus, fonts, weights."),
    ):
        (tmp_path / "mine" / "model.toml").write_text(text)
        assert refusal().endswith(problem)
