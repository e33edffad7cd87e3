"""The weights file of the generator: what pretraining writes and synthesis reads, all that they share."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from siman_synth.config import from_mapping, to_mapping
from siman_synth.models.bundled import BUNDLED, LIGHT, SMALL
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.models.weights_file import WeightsFormat

FORMAT = "siman-synth generator"
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Weights:
    """A loaded generator and where it came from."""

    generator: Generator
    provenance: Mapping[str, Any]


def save_generator(path: Path, generator: Generator, provenance: Mapping[str, Any]) -> None:
    """Write a weights file, whole or not at all; `provenance` (plain values) says how it was trained."""
    _FORMAT.write(path, generator, {"config": to_mapping(generator.config)}, provenance)


def load_generator(path: Path, device: torch.device | str = "cpu") -> Weights:
    """Read a weights file into a generator in evaluation mode; see `WeightsFormat.read`.

    Raises:
        WeightsError: the file is missing, damaged, of another format version, or not ours.
    """
    generator, provenance = _FORMAT.read(path)
    generator.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Weights(generator, provenance)


def _build(metadata: Mapping[str, str]) -> Generator:
    return Generator(from_mapping(GeneratorConfig, json.loads(metadata["config"]), "its settings"))


_FORMAT = WeightsFormat(
    FORMAT,
    FORMAT_VERSION,
    "siman-synth pretrain",
    _build,
    ", or use the bundled weights",
    (SMALL, LIGHT, BUNDLED),
)
