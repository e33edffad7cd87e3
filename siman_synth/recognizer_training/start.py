"""What a recognizer's training may start from: a SimAN encoder, or a recognizer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from siman_synth.config import first_difference, to_mapping
from siman_synth.errors import WeightsError
from siman_synth.files import content_hash
from siman_synth.models.checkpoint import load_generator
from siman_synth.models.encoder import ResNet29
from siman_synth.models.generator import GeneratorConfig
from siman_synth.recognition.encoders import encoder_file, is_recognizer
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig
from siman_synth.recognition.weights import load_recognizer

_CHARSET_PARTS = ("decoder.",)
"""What a recognizer of another charset cannot use."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a recognizer begins with."""

    generator: GeneratorConfig
    """Shape of the SimAN generator that the encoder belongs to."""
    encoder: Mapping[str, Tensor] | None
    """Weights of the encoder alone."""
    whole: Mapping[str, Tensor] | None
    """Weights of all of it, or of all but what another charset needs anew."""
    record: Mapping[str, Any] | None
    """Plain values for the provenance: the file's name and hash, and what was taken of it."""

    @classmethod
    def read(cls, init: str | Path | None, config: RecognizerConfig) -> "Start":
        """Read a recognizer, or SimAN weights; with "bundled" those that ship with siman-synth.

        Raises:
            WeightsError: it cannot be read, or holds another network than `config` asks for.
        """
        if init is None:
            return cls(GeneratorConfig(), None, None, None)
        path = encoder_file(init)
        return _from_recognizer(path, config) if is_recognizer(path) else _from_generator(path, config)

    def recognizer(self, config: RecognizerConfig, seed: int) -> Recognizer:
        """Build the recognizer; what is not read begins at random, from the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            recognizer = Recognizer(config, self.generator)
        if self.encoder is not None:
            recognizer.encoder.load_state_dict(self.encoder)
        if self.whole is not None:
            recognizer.load_state_dict(self.whole, strict=False)
        return recognizer

    def __str__(self) -> str:
        if self.record is None:
            return "Starting at random"
        return f"Starting from {self.record['file']}: {self.record['taken']}"


def _from_recognizer(path: Path, config: RecognizerConfig) -> Start:
    found = load_recognizer(path).recognizer
    have, want = to_mapping(found.config), to_mapping(config)
    same_charset = have.pop("charset") == want.pop("charset")
    if difference := first_difference(have, want):
        raise WeightsError(
            f"{path} holds another recognizer than the settings ask for: model.{difference}. "
            "Start with the settings that it was trained with."
        )
    weights = found.state_dict()
    if not same_charset:
        weights = {name: value for name, value in weights.items() if not name.startswith(_CHARSET_PARTS)}
    taken = "all of it" if same_charset else "all but its decoder, since the charset is another"
    return Start(found.generator, None, weights, {**_file(path), "taken": taken})


def _from_generator(path: Path, config: RecognizerConfig) -> Start:
    generator = load_generator(path).generator
    found = "resnet29" if isinstance(generator.encoder, ResNet29) else "pyramid"
    if config.encoder != found:
        recipe = "trbc or trba" if found == "resnet29" else "small"
        raise WeightsError(
            f"{path} holds a SimAN encoder of kind {found}, and model.encoder is {config.encoder}. "
            f"Use the recipe {recipe} to start from it."
        )
    record = {**_file(path), "taken": "the encoder"}
    return Start(generator.config, generator.encoder.state_dict(), None, record)


def _file(path: Path) -> dict[str, Any]:
    return {"file": path.name, "sha256": content_hash(path)}
