"""The networks of a pretraining run, their average and their optimisers."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from siman_synth.models.discriminator import Discriminator
from siman_synth.models.generator import Generator
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.training.average import MovingAverage
from siman_synth.training.checkpoints import Stateful
from siman_synth.training.optimiser import adam


@dataclass(frozen=True, slots=True)
class TrainState:
    """All that training changes.

    There is no sampler or random state: patches and their augmentation are functions of
    (seed, step, rank), so that the step is all there is to restore beside it.
    """

    generator: Generator
    average: MovingAverage
    discriminator: Discriminator
    generator_optimiser: torch.optim.Adam
    discriminator_optimiser: torch.optim.Adam

    @classmethod
    def create(cls, config: PretrainConfig, device: torch.device) -> "TrainState":
        """Build networks from the seed, without touching the global random state for others."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.training.seed)
            generator = Generator(config.model)
            discriminator = Discriminator(config.discriminator)
        for module in (generator, discriminator):
            module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        training = config.training
        return cls(
            generator=generator,
            average=MovingAverage(generator, training.average_half_life, training.batch_size),
            discriminator=discriminator,
            generator_optimiser=adam(generator, training),
            discriminator_optimiser=adam(discriminator, training),
        )

    @property
    def averaged(self) -> Generator:
        """The averaged generator, which is what a run exports."""
        module = self.average.module
        assert isinstance(module, Generator)
        return module

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """What a checkpoint holds, by name."""
        return {
            "generator": self.generator,
            "average": self.average,
            "discriminator": self.discriminator,
            "generator_optimiser": self.generator_optimiser,
            "discriminator_optimiser": self.discriminator_optimiser,
        }
