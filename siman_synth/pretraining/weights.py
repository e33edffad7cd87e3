"""The weights file at both ends of a run: what it may start from, and what it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from siman_synth.config import first_difference, to_mapping
from siman_synth.errors import WeightsError
from siman_synth.files import content_hash
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator, save_generator
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.state import TrainState
from siman_synth.training.checkpoints import DamagedCheckpoint, read_checkpoint
from siman_synth.training.history import provenance

_WITHOUT_WEIGHTS = ("key_strides", "smooth")
"""Settings of a network that hold no weights: a start may change them."""


@dataclass(frozen=True, slots=True)
class Start:
    """Weights to start from, read and checked."""

    path: Path
    generator: Mapping[str, Tensor]
    discriminator: Mapping[str, Tensor] | None
    """None where the file holds none, or one of another shape: a new one then begins."""
    record: Mapping[str, Any]
    """Plain values for the provenance: the file's name and hash, and what it says of itself."""

    @classmethod
    def read(cls, init: str | Path, config: PretrainConfig) -> "Start":
        """Read exported weights (as `weights_file` takes them) or a full-state checkpoint.

        Raises:
            WeightsError: it cannot be read, or holds another network than `config` asks for.
        """
        path = weights_file(init)
        return _from_checkpoint(path, config) if path.suffix == ".pt" else _from_weights(path, config)

    def put_into(self, state: TrainState) -> None:
        """Have the networks start from these weights, and the average with them."""
        state.generator.load_state_dict(self.generator)
        state.average.restart()
        if self.discriminator is not None:
            state.discriminator.load_state_dict(self.discriminator)

    def __str__(self) -> str:
        judge = "new" if self.discriminator is None else "from there, too"
        return f"Starting from {self.path}: the discriminator is {judge}, step and learning rate begin anew"


def _from_weights(path: Path, config: PretrainConfig) -> Start:
    weights = load_generator(path)
    _require_network(path, to_mapping(weights.generator.config), config)
    provenance = weights.provenance
    said = {name: provenance.get(name) for name in ("step", "images_seen", "fingerprint")}
    return Start(path, weights.generator.state_dict(), None, {**_file(path), **said})


def _from_checkpoint(path: Path, config: PretrainConfig) -> Start:
    try:
        saved = read_checkpoint(path, {"average", "discriminator"})
        model, judge = saved["identity"]["model"], saved["identity"]["discriminator"]
    except (DamagedCheckpoint, KeyError) as error:
        raise WeightsError(f"{path} cannot be read as a checkpoint of pretraining ({error}).") from error
    _require_network(path, model, config)
    parts = saved["parts"]
    fits = first_difference(judge, to_mapping(config.discriminator)) is None
    record = {**_file(path), "step": saved["step"]}
    return Start(path, parts["average"], parts["discriminator"] if fits else None, record)


def _require_network(path: Path, found: Mapping[str, Any], config: PretrainConfig) -> None:
    difference = first_difference(_with_weights(found), _with_weights(to_mapping(config.model)))
    if difference is not None:
        raise WeightsError(
            f"{path} holds another network than the settings ask for: model.{difference}. "
            "Start with the settings that it was trained with."
        )


def _with_weights(model: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in model.items() if name not in _WITHOUT_WEIGHTS}


def _file(path: Path) -> dict[str, Any]:
    return {"file": path.name, "sha256": content_hash(path)}


def export(
    path: Path, state: TrainState, config: PretrainConfig, step: int, history: Mapping[str, Any]
) -> None:
    """Write the averaged generator with its provenance, whole or not at all."""
    device = next(state.averaged.parameters()).device
    save_generator(path, state.averaged, provenance(config, step, device, history))
