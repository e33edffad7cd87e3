"""The weights file: safetensors, with the network's shape and its history as metadata.

It is what pretraining writes and synthesis reads, and the only thing they share. Nothing
in it is executed on loading (no pickle).
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from siman_synth.config import from_mapping, to_mapping
from siman_synth.errors import ConfigError, WeightsError
from siman_synth.models.generator import Generator, GeneratorConfig

FORMAT = "siman-synth generator"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Weights:
    """A loaded generator and where it came from."""

    generator: Generator
    provenance: Mapping[str, Any]


def save_generator(path: Path, generator: Generator, provenance: Mapping[str, Any]) -> None:
    """Write a weights file atomically; `provenance` (plain values) says how it was trained."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in generator.state_dict().items()}
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "config": json.dumps(to_mapping(generator.config), sort_keys=True),
        "provenance": json.dumps(dict(provenance), sort_keys=True),
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(save(tensors, metadata))
    os.replace(partial, path)


def load_generator(path: Path, device: torch.device | str = "cpu") -> Weights:
    """Read a weights file into a generator in evaluation mode.

    Raises:
        WeightsError: the file is missing, damaged, of another format version, or not ours.
    """
    if not path.is_file():
        raise WeightsError(
            f"No weights file {path}. Train one with `siman-synth pretrain`, or omit --weights."
        )
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            _check_format(path, metadata)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise WeightsError(
            f"Weights file {path} is damaged or not safetensors ({error}). Copy it again or export it anew."
        ) from error
    try:
        config = from_mapping(GeneratorConfig, json.loads(metadata["config"]), str(path))
        generator = Generator(config)
        generator.load_state_dict(tensors)
    except (KeyError, ValueError, RuntimeError, ConfigError) as error:
        # torch lists every tensor that is missing, over many lines.
        found = " ".join(str(error).split())
        raise WeightsError(
            f"Weights file {path} does not hold the network that it describes: "
            f"{found[:200]}{'…' if len(found) > 200 else ''} Export it anew."
        ) from error
    generator.eval().requires_grad_(False)
    generator.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Weights(generator, json.loads(metadata.get("provenance", "{}")))


def _check_format(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise WeightsError(
            f"Weights file {path} was not written by siman-synth (its format is "
            f"'{metadata.get('format', 'not stated')}'). Pass a file exported by `siman-synth pretrain`."
        )
    version = metadata.get("format_version")
    if version != str(FORMAT_VERSION):
        raise WeightsError(
            f"Weights file {path} has format version {version}; this siman-synth reads version "
            f"{FORMAT_VERSION}. Install the version that wrote it, or export the weights again."
        )
