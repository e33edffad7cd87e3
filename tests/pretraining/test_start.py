"""Starting from weights: the bundled ones, a file, a checkpoint."""

from pathlib import Path

import numpy as np
import pytest
import torch

from siman_synth.config import load_config
from siman_synth.errors import ConfigError, WeightsError
from siman_synth.files import content_hash
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.state import TrainState
from siman_synth.pretraining.weights import Start
from siman_synth.resources import resource_folder
from tests.pretraining.tiny_run import Run, Tiny, numbers, saved_parts

SLOWLY = ("training.learning_rate=1e-9", "training.final_learning_rate=1e-9")
"""So that what a run started from is still what it holds."""


@pytest.fixture
def trained(tiny: Tiny, run: Run, tmp_path: Path) -> Path:
    """A short run to start from, whose average differs from its weights."""
    run(tiny("training.seed=3"), tmp_path / "trained")
    return tmp_path / "trained"


def test_goes_on_from_a_file_with_a_new_discriminator(
    tiny: Tiny, run: Run, trained: Path, tmp_path: Path
) -> None:
    weights, lines = trained / "siman.safetensors", list[str]()
    result = run(tiny(*SLOWLY, "training.steps=2"), tmp_path / "run", init=weights, say=lines.append)
    assert f"Starting from {weights}: the discriminator is new, step and learning rate begin anew" in lines
    parts, wanted = saved_parts(tmp_path / "run", 2), load_generator(weights).generator.state_dict()
    for part in ("generator", "average"):
        torch.testing.assert_close(parts[part], dict(wanted), rtol=0, atol=1e-6)
    fresh = TrainState.create(tiny(), torch.device("cpu")).discriminator
    name = "layers.0.bias"
    torch.testing.assert_close(parts["discriminator"][name], fresh.state_dict()[name], rtol=0, atol=1e-6)
    assert result.weights is not None
    assert load_generator(result.weights).provenance["init"] == {
        "file": "siman.safetensors",
        "sha256": content_hash(weights),
        "step": 10,
        "images_seen": 40,
        "fingerprint": load_generator(weights).provenance["fingerprint"],
    }


def test_a_checkpoint_gives_its_average_and_its_discriminator(
    tiny: Tiny, run: Run, trained: Path, tmp_path: Path
) -> None:
    state, lines = trained / "checkpoints" / "state-00000010.pt", list[str]()
    run(tiny(*SLOWLY, "training.steps=1"), tmp_path / "run", init=state, say=lines.append)
    assert any("the discriminator is from there, too" in line for line in lines)
    found, wanted = saved_parts(tmp_path / "run", 1), saved_parts(trained, 10)
    torch.testing.assert_close(found["generator"], wanted["average"], rtol=0, atol=1e-6)
    name = "layers.0.bias"
    torch.testing.assert_close(found["discriminator"][name], wanted["discriminator"][name], rtol=0, atol=1e-6)
    assert Start.read(state, tiny("discriminator.widths=[8]")).discriminator is None


def test_the_bundled_weights_begin_where_they_ended(run: Run, tmp_path: Path) -> None:
    recipes = resource_folder("pretrain/recipes")
    few = ("training.steps=1", "training.batch_size=4", "data.held_out=2", "logging.panel_every=1")
    errors = {}
    for name, init in (("bundled", "bundled"), ("scratch", None)):
        run(load_config(PretrainConfig, "small", few, recipes), tmp_path / name, init=init)
        errors[name] = numbers(tmp_path / name)[0]["l2"]
    assert errors["bundled"] < 0.5 * errors["scratch"]
    assert str(weights_file()) in str(
        Start.read("bundled", load_config(PretrainConfig, "small", (), recipes))
    )


def test_resumed_it_keeps_what_it_began_with(tiny: Tiny, run: Run, trained: Path, tmp_path: Path) -> None:
    out, weights = tmp_path / "run", trained / "siman.safetensors"
    run(tiny("training.steps=3"), out, init=weights)
    weights.unlink()
    result = run(tiny("training.steps=5"), out, resume=True)
    assert result.weights is not None
    assert load_generator(result.weights).provenance["init"]["step"] == 10


def test_not_together_with_resume(tiny: Tiny, run: Run, trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="A resumed run goes on with the weights that it began with"):
        run(tiny(), tmp_path / "run", resume=True, init=trained / "siman.safetensors")
    assert not (tmp_path / "run").exists()


def test_another_network_is_one_sentence(tiny: Tiny, run: Run, trained: Path, tmp_path: Path) -> None:
    for file in ("siman.safetensors", "checkpoints/state-00000010.pt"):
        with pytest.raises(
            WeightsError,
            match=r"holds another network than the settings ask for: model\.paint_width: 4 there, 8 here",
        ):
            run(tiny("model.paint_width=8"), tmp_path / "run", init=trained / file)
    assert not (tmp_path / "run").exists()


def test_what_holds_no_weights_may_change(tiny: Tiny, run: Run, trained: Path, tmp_path: Path) -> None:
    """A network may begin to blur its grid away, or to look at fewer keys."""
    changed = tiny("training.steps=1", "model.smooth=true", "model.key_strides=[1, 4]")
    for number, file in enumerate(("siman.safetensors", "checkpoints/state-00000010.pt")):
        result = run(changed, tmp_path / str(number), init=trained / file)
        assert result.weights is not None
        assert load_generator(result.weights).generator.config == changed.model


def test_what_is_no_weights_is_one_sentence(tiny: Tiny, run: Run, trained: Path, tmp_path: Path) -> None:
    checkpoint = (trained / "checkpoints" / "state-00000010.pt").read_bytes()
    for name, data in (("a.safetensors", b"no"), ("a.pt", b"no"), ("b.pt", checkpoint[:-100]), ("c.pt", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(WeightsError, match=f"{name}") as caught:
            run(tiny(), tmp_path / "run", init=tmp_path / name)
        assert "\n" not in str(caught.value)
    torch.save({"step": 1, "identity": {}, "parts": {"average": {}, "discriminator": {}}}, tmp_path / "d.pt")
    with pytest.raises(WeightsError, match="cannot be read as a checkpoint of pretraining"):
        run(tiny(), tmp_path / "run", init=tmp_path / "d.pt")
    with pytest.raises(WeightsError, match="No weights file"):
        run(tiny(), tmp_path / "run", init=tmp_path / "none.safetensors")


def test_numbers_differ_from_scratch_only_by_the_start(
    tiny: Tiny, run: Run, trained: Path, tmp_path: Path
) -> None:
    """The schedule begins anew, and patches are those of any run of the seed."""
    run(tiny("training.steps=4"), tmp_path / "scratch")
    run(tiny("training.steps=4"), tmp_path / "init", init=trained / "siman.safetensors")
    one, other = (
        [line["learning_rate"] for line in numbers(tmp_path / n) if "l2" in line] for n in ("scratch", "init")
    )
    assert one == other
    assert np.isclose(one[0], 4e-4)
