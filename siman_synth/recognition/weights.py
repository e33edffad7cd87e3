"""The weights file of a recognizer: its settings, its charset and its numbers in one safetensors file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from siman_synth.config import from_mapping, to_mapping
from siman_synth.models.device import resolve_device
from siman_synth.models.generator import GeneratorConfig
from siman_synth.models.weights_file import WeightsFormat
from siman_synth.recognition.file_names import recognizer_file
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig

RECOGNIZER_FORMAT = "siman-synth recognizer"


@dataclass(frozen=True, slots=True)
class RecognizerWeights:
    """A loaded recognizer and where it came from."""

    recognizer: Recognizer
    provenance: Mapping[str, Any]


def save_recognizer(path: Path, recognizer: Recognizer, provenance: Mapping[str, Any]) -> None:
    """Write a weights file, whole or not at all; `provenance` (plain values) says how it was trained."""
    description = {"config": to_mapping(recognizer.config), "encoder": to_mapping(recognizer.generator)}
    _FORMAT.write(path, recognizer, description, provenance)


def load_recognizer(path: str | Path, device: torch.device | str = "cpu") -> RecognizerWeights:
    """Read a recognizer, in evaluation mode, from its file or from the folder of its training run.

    Raises:
        WeightsError: the file is missing, damaged, of another format version, or no recognizer.
        ConfigError: there is no such device.
    """
    recognizer, provenance = _FORMAT.read(recognizer_file(path))
    recognizer.to(device=resolve_device(str(device)), memory_format=torch.channels_last)  # type: ignore[call-overload]
    return RecognizerWeights(recognizer, provenance)


def _build(metadata: Mapping[str, str]) -> Recognizer:
    config = from_mapping(RecognizerConfig, json.loads(metadata["config"]), "its settings")
    encoder = from_mapping(GeneratorConfig, json.loads(metadata["encoder"]), "its encoder")
    return Recognizer(config, encoder)


_FORMAT = WeightsFormat(RECOGNIZER_FORMAT, 1, "siman-synth recognizer train", _build)
