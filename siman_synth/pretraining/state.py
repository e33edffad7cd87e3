"""What a run is made of, and how it survives being killed."""

import copy
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from siman_synth.config import first_difference, to_mapping
from siman_synth.errors import OutputError, TrainingError
from siman_synth.models.discriminator import Discriminator
from siman_synth.models.generator import Generator
from siman_synth.pretraining.config import PretrainConfig

_NAME = re.compile(r"state-(\d{8})\.pt")


@dataclass(slots=True)
class TrainState:
    """Networks, their average, their optimisers, and the number of finished steps.

    There is no sampler or random state: patches and their breaking are functions of
    (seed, step, rank), so that the step is all there is to restore.
    """

    generator: Generator
    average: Generator
    discriminator: Discriminator
    generator_optimiser: torch.optim.Adam
    discriminator_optimiser: torch.optim.Adam
    step: int = 0

    @classmethod
    def create(cls, config: PretrainConfig, device: torch.device) -> "TrainState":
        """Build networks from the seed, without touching the global random state for others."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.training.seed)
            generator = Generator(config.model)
            discriminator = Discriminator(config.discriminator)
        average = copy.deepcopy(generator).requires_grad_(False).eval()
        for module in (generator, average, discriminator):
            module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return cls(
            generator=generator,
            average=average,
            discriminator=discriminator,
            generator_optimiser=_adam(generator, config),
            discriminator_optimiser=_adam(discriminator, config),
        )

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the averaged generator towards the current one; faster in the first steps."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        ours: list[Tensor] = list(self.average.parameters())
        theirs: list[Tensor] = list(self.generator.parameters())
        torch._foreach_lerp_(ours, theirs, 1.0 - decay)
        for buffer, source in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            buffer.copy_(source)

    def save(self, folder: Path, config: PretrainConfig, kept: int) -> Path:
        """Write a checkpoint atomically and delete all but the last `kept`."""
        path = folder / f"state-{self.step:08d}.pt"
        partial = path.with_suffix(".partial")
        parts = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save({"step": self.step, "config": to_mapping(config), **parts}, partial)
        os.replace(partial, path)
        for old in checkpoints(folder)[:-kept]:
            old.unlink()
        return path

    def load(self, path: Path, config: PretrainConfig, device: torch.device) -> None:
        """Restore what `save` wrote.

        Raises:
            OutputError: the checkpoint belongs to a run with other settings.
            TrainingError: the file is damaged.
        """
        try:
            saved: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise TrainingError(
                f"Checkpoint {path} cannot be read ({error}). Delete it to use an older one."
            ) from error
        difference = first_difference(_decisive(saved["config"]), _decisive(to_mapping(config)))
        if difference is not None:
            raise OutputError(
                f"The run in {path.parent.parent} has other settings: {difference}. "
                "Resume with the same recipe and --set, or choose another --out."
            )
        for name, part in self._parts().items():
            part.load_state_dict(saved[name])
        for optimiser in (self.generator_optimiser, self.discriminator_optimiser):
            for group in optimiser.param_groups:
                group["fused"] = True  # older checkpoints say otherwise, and the guard relies on it
        self.step = int(saved["step"])

    def _parts(self) -> dict[str, Any]:
        return {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
            "generator_optimiser": self.generator_optimiser,
            "discriminator_optimiser": self.discriminator_optimiser,
        }


def checkpoints(folder: Path) -> list[Path]:
    """Return the full-state checkpoints of a run, oldest first."""
    return sorted(path for path in folder.glob("state-*.pt") if _NAME.fullmatch(path.name))


def _decisive(values: dict[str, Any]) -> dict[str, Any]:
    # How often a run reports does not decide its numbers, and a finished run may be prolonged:
    # then the learning rate falls towards the new end from where it is resumed.
    training = {key: value for key, value in values["training"].items() if key != "steps"}
    return {**{key: value for key, value in values.items() if key != "logging"}, "training": training}


def _adam(module: nn.Module, config: PretrainConfig) -> torch.optim.Adam:
    training = config.training
    return torch.optim.Adam(module.parameters(), lr=training.learning_rate, betas=training.betas, fused=True)
