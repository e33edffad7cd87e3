"""Weights files that were damaged or made up: each is refused with one sentence, before anything is built."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from siman_synth.errors import ConfigError, WeightsError
from siman_synth.models.checkpoint import FORMAT, load_generator, save_generator
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.synthesizer import Synthesizer

PeakMemory = Callable[..., tuple[int, str]]
TINY = GeneratorConfig(widths=(4, 4, 4), decoder_widths=(4, 4), paint_width=4)
A_WEIGHT, A_BIAS = "encoder.stem.conv.weight", "encoder.stem.conv.bias"


def metadata(config: Any = None, provenance: str = "{}") -> dict[str, str]:
    values = {"widths": [4, 4, 4], "decoder_widths": [4, 4], "paint_width": 4} if config is None else config
    text = values if isinstance(values, str) else json.dumps(values)
    return {"format": FORMAT, "format_version": "1", "config": text, "provenance": provenance}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.safetensors"


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in Generator(TINY).state_dict().items()}


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_generator(path)
    message = str(caught.value)
    assert message.startswith(f"Weights file {path} ")
    assert "\n" not in message
    assert len(message) < 420 + len(str(path))
    return message.removeprefix(f"Weights file {path} ")


def test_untouched_tensors_load(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, path, metadata())
    loaded = load_generator(path).generator
    assert all(torch.equal(tensor, tensors[name]) for name, tensor in loaded.state_dict().items())
    assert not any(parameter.is_meta or parameter.requires_grad for parameter in loaded.parameters())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_not_finite(value: float, path: Path, tensors: dict[str, torch.Tensor]) -> None:
    for name in (A_WEIGHT, A_BIAS, "siman.0.log_scale"):
        damaged = {key: tensor.clone() for key, tensor in tensors.items()}
        damaged[name].view(-1)[-1] = value
        save_file(damaged, path, metadata())
        assert refusal(path) == (
            f"holds values that are not finite, in '{name}'. Copy it again or export it anew."
        )


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (torch.int8, "I8"), (torch.uint8, "U8"), (torch.float16, "F16"), (torch.bfloat16, "BF16"),
        (torch.float64, "F64"), (torch.int32, "I32"), (torch.bool, "BOOL"), (torch.float8_e4m3fn, "F8_E4M3"),
    ],
)  # fmt: skip
def test_other_types(kind: torch.dtype, named: str, path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors | {A_WEIGHT: tensors[A_WEIGHT].to(kind)}, path, metadata())
    assert refusal(path) == (
        f"does not hold the network that it describes: '{A_WEIGHT}' is {named} instead of F32. "
        "Export it anew."
    )


def test_missing_surplus_and_misshapen_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    start, end = "does not hold the network that it describes: ", ". Export it anew."
    for changed, found in (
        ({A_BIAS: None}, f"1 tensors are missing, '{A_BIAS}' among them"),
        ({"other": torch.zeros(1)}, "1 tensors are no part of it, 'other' among them"),
        ({A_BIAS: torch.zeros(5)}, f"'{A_BIAS}' has the shape [5] instead of [4]"),
        ({A_BIAS: torch.zeros(0)}, f"'{A_BIAS}' has the shape [0] instead of [4]"),
        ({A_BIAS: torch.zeros(2, 2)}, f"'{A_BIAS}' has the shape [2, 2] instead of [4]"),
    ):
        kept = {name: tensor for name, tensor in (tensors | changed).items() if tensor is not None}
        save_file(kept, path, metadata())
        assert refusal(path) == start + found + end


IMPOSSIBLE = {
    "a thousand million blocks": {"blocks": [1_000_000_000] * 3},
    "a million channels": {"widths": [1_000_000] * 3},
    "negative": {"decoder_blocks": [-1, 0]},
    "no channels": {"widths": [0, 0, 0]},
    "no stride": {"key_strides": [0, 1]},
    "not finite": {"paint_width": float("nan")},
    "a fraction": {"paint_width": 4.5},
    "true": {"paint_width": True},
    "a text": {"paint_width": "4"},
    "400 digits": {"paint_width": 10**400},
    "another network": {"encoder": "transformer"},
    "no table": [1, 2],
    "nothing": "null",
    "unknown": {"layers": 3},
    "no JSON": "{",
    "a list in a list": "[" * 100_000,
    "5,000 digits": '{"paint_width": ' + "9" * 5000 + "}",
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_impossible_networks(kind: str, path: Path) -> None:
    save_file({"weight": torch.zeros(2)}, path, metadata(IMPOSSIBLE[kind]))
    assert refusal(path).startswith("does not hold the network that it describes: ")


def test_a_possible_network_costs_nothing_before_its_tensors_are_there(
    tmp_path: Path, peak_memory: PeakMemory
) -> None:
    settings = {
        "largest": {"widths": [1024] * 3, "blocks": [32] * 3, "decoder_widths": [1024] * 2},
        "paper": {"encoder": "resnet29"},
        **IMPOSSIBLE,
    }
    for number, config in enumerate(settings.values()):
        save_file({"weight": torch.zeros(2)}, tmp_path / f"{number}.safetensors", metadata(config))
    added_mb, output = peak_memory(
        "from pathlib import Path\nfrom siman_synth.models.checkpoint import load_generator\n"
        "from siman_synth.errors import WeightsError",
        "for path in Path(sys.argv[1]).iterdir():\n"
        "    try: load_generator(path)\n"
        "    except WeightsError as error: print('refused')",
        tmp_path,
    )
    assert output.split() == ["refused"] * len(settings)
    assert added_mb < 50


def test_weights_are_read_without_the_compiler_of_torch() -> None:
    """It took nearly 2 s of every process, and 70 MB."""
    code = (
        "import sys; from siman_synth.models.bundled import weights_file; "
        "from siman_synth.models.checkpoint import load_generator; load_generator(weights_file()); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def raw(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(start: int, end: int, shape: list[int] | None = None) -> dict[str, Any]:
    return {"dtype": "F32", "shape": shape or [(end - start) // 4], "data_offsets": [start, end]}


@pytest.mark.parametrize(
    "content",
    [
        raw({"a": entry(0, 8), "b": entry(4, 12)}, bytes(12)),  # overlapping
        raw({"a": entry(0, 8), "b": entry(0, 8)}, bytes(8)),  # shared
        raw({"a": entry(0, 8), "b": entry(16, 24)}, bytes(24)),  # a gap
        raw({"a": entry(0, 8)}, bytes(4)),  # too little
        raw({"a": entry(0, 8)}, bytes(400)),  # too much
        raw({"a": entry(0, 8, [2**62, 2**62])}, bytes(8)),
        raw({"a": entry(8, 0)}, bytes(8)),
        raw({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}, bytes(8)),
        raw(b'{"a": 1, "a": 2}'),
        raw(b"[" * 100_000),
        raw(b"\xff\xfe"),
        raw({}, length=1 << 10),
        raw({}, length=1 << 40),
        raw({}, length=2**64 - 1),
        raw(b" " * (2 << 20)),
    ],
)  # fmt: skip
def test_damaged_headers(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    assert refusal(path).startswith("is damaged or not safetensors (")


def test_one_name_twice(path: Path) -> None:
    described = json.dumps({"__metadata__": metadata()})[:-1]
    twice = f'{described}, "a": {json.dumps(entry(0, 8))}, "a": {json.dumps(entry(8, 16))}}}'
    path.write_bytes(raw(twice.encode(), bytes(16)))
    refusal(path)


@pytest.mark.parametrize("provenance", ["", "{", "[1]", "null", "[" * 100_000, "9" * 5000])
def test_provenance_that_is_none(provenance: str, path: Path, tensors: dict[str, torch.Tensor]) -> None:
    save_file(tensors, path, metadata(provenance=provenance))
    found = refusal(path)
    assert found.startswith("is damaged: its provenance must be a JSON object, found ")
    assert found.endswith(". Copy it again or export it anew.")
    assert len(found) < 200


def test_the_height_that_a_network_reads(tmp_path: Path) -> None:
    paper = Generator(GeneratorConfig(encoder="resnet29", decoder_widths=(4, 4), paint_width=4))
    Synthesizer(paper, torch.device("cpu"))
    for height_px in (16, 64):
        with pytest.raises(ConfigError) as caught:
            Synthesizer(paper, torch.device("cpu"), config=GenerateConfig(height_px=height_px))
        assert str(caught.value) == (
            f"These weights read images 32 px high (resnet29), found height_px = {height_px}. "
            "Use height_px = 32, or other weights."
        )
    Generator(TINY).check_height(16)


def test_saving_leaves_nothing_beside(path: Path) -> None:
    save_generator(path, Generator(TINY), {"step": 1})
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
