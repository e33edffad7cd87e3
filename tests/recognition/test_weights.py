"""A recognizer's file: written and read back to the last bit, and refused when it is not what it says."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from siman_synth.errors import WeightsError
from siman_synth.models.generator import GeneratorConfig
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig
from siman_synth.recognition.weights import load_recognizer, save_recognizer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    config = RecognizerConfig(encoder="pyramid", rectify=True, hidden=4, charset="aé", decoder="attention")
    path = tmp_path / "recognizer.safetensors"
    save_recognizer(path, Recognizer(config, GeneratorConfig(widths=(4, 4, 4))), {"step": 3})
    return path


def rewritten(path: Path, tensors: dict[str, torch.Tensor] | None = None, **changed: str) -> Path:
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
    save_file(tensors or load_file(path), path, metadata | changed)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_recognizer(path)
    message = str(caught.value)
    assert len(message) < 400
    return message


def test_a_file_or_its_folder_gives_the_recognizer_back(path: Path) -> None:
    first, second = load_recognizer(path), load_recognizer(path.parent)
    assert first.provenance == {"step": 3}
    images = torch.rand(2, 3, 32, 100)
    with torch.no_grad():
        assert torch.equal(first.recognizer(images), second.recognizer(images))
        # What is computed when a network is built, and is not in the file, is there.
        torch.manual_seed(1)
        built = Recognizer(first.recognizer.config, GeneratorConfig(widths=(4, 4, 4))).eval()
        built.load_state_dict(load_file(path))
        assert torch.equal(first.recognizer(images), built(images))
    assert first.recognizer.charset.characters == "aé"


@pytest.mark.parametrize(
    "config",
    [
        {"context_layers": 10**9}, {"hidden": 10**6}, {"charset": "aa"}, {"charset": ""}, {"width_px": 0},
        {"decoder": "transformer"}, {"hidden": float("nan")}, [1], {"height_px": "32"}, {"unknown": 1},
    ],
    ids=str,
)  # fmt: skip
def test_impossible_recognizers_are_refused(path: Path, config: Any) -> None:
    message = refusal(rewritten(path, config=json.dumps(config)))
    assert "does not hold the network that it describes" in message


def test_what_is_not_finite_missing_or_of_another_kind_is_refused(path: Path) -> None:
    tensors = load_file(path)
    name = "decoder.classify.weight"
    broken = tensors | {name: torch.full_like(tensors[name], float("nan"))}
    assert f"not finite, in '{name}'" in refusal(rewritten(path, broken))
    assert "1 tensors are missing" in refusal(
        rewritten(path, {k: v for k, v in tensors.items() if k != name})
    )
    generator = refusal(rewritten(path, tensors, format="siman-synth generator"))
    assert "holds a siman-synth generator, and a siman-synth recognizer is needed" in generator
    path.write_bytes(path.read_bytes()[:1000])
    assert "damaged or not safetensors" in refusal(path)
