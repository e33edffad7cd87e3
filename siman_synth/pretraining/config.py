"""The settings of a pretraining run; `pretrain/recipes/*.toml` hold sets of them."""

from dataclasses import dataclass, field
from typing import Annotated

from siman_synth.errors import ConfigError
from siman_synth.limits import LARGEST, Between, Share, check_settings
from siman_synth.models.discriminator import DiscriminatorConfig
from siman_synth.models.generator import GeneratorConfig
from siman_synth.pretraining.augmentation import AugmentationConfig
from siman_synth.training.config import Beta, Count, OptimisationConfig, PaceConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig:
    """Which patches are cut."""

    height_px: Annotated[int, Between(8, 512, multiple_of=4)] = 32
    """Height H that crops are resized to; patches are H x H."""
    min_aspect: Annotated[float, Between(1, 1000)] = 2.0
    """Only crops wider than this many heights are used; two patches need 2, what a teacher paints needs 1."""
    held_out: Annotated[int, Between(0, LARGEST)] = 64
    """Crops kept out of training, for panels and the held-out error; at most a tenth of all. 0 is none."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class DistillationConfig:
    """What a teacher paints for a lighter network (only with a teacher; not in the paper)."""

    corpora: tuple[str, ...] = ("default",)
    """Words, as `generate --corpus` takes them."""
    words: Annotated[int, Between(1, 1_000_000)] = 10_000
    """Plain renders that are drawn before the first step; about 4 KB each."""
    width_px: Annotated[int, Between(16, 1024, multiple_of=4)] = 96
    """Width of what is cut of each word."""
    notch: Share = 0.25
    """How much of a ripple with a period of exactly 2 px is taken from what the teacher painted."""

    def __post_init__(self) -> None:
        check_settings(self)
        if not self.corpora:
            raise ConfigError("corpora must name words, found none. The default is ['default'].")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig(OptimisationConfig):
    """How the networks are optimised: a step is an iteration of algorithm 1, an image a patch pair."""

    betas: tuple[Beta, Beta] = (0.5, 0.999)
    """Adam's betas (paper, section 4.2)."""
    reconstruction_weight: Annotated[float, Between(0, 1e6)] = 10.0
    """Lambda, the weight of L2 against the adversarial loss; the paper is silent."""
    adversarial_weight: Annotated[float, Between(0, 1e6)] = 1.0
    """Weight of the adversarial loss of encoder and decoder."""
    texture_weight: Annotated[float, Between(0, 1e6)] = 0.0
    """Weight of the distance between local strengths of detail (`losses.texture_loss`); not in the paper."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggingConfig(PaceConfig):
    """How often a run says how it goes, in steps."""

    panel_every: Count = 500
    """A picture of held-out pairs and restyled words, and the held-out error."""
    snapshot_every: Count = 2000
    """An exported generator that stays, for comparing along the run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainConfig:
    """Everything that decides a pretraining run, but for paths and the device."""

    model: GeneratorConfig = field(default_factory=GeneratorConfig)
    """The generator: encoder, SimAN, decoder."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """The adversary."""
    data: DataConfig = field(default_factory=DataConfig)
    """Patches."""
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    """How content loses its style."""
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    """What a teacher paints."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """Optimisation."""
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    """Pace of reports."""

    def __post_init__(self) -> None:
        if self.model.encoder == "resnet29" and self.data.height_px != 32:
            raise ConfigError(
                f"resnet29 reads images 32 px high, found data.height_px = {self.data.height_px}. "
                "Use encoder = 'pyramid' for other heights."
            )
        halvings = len(self.discriminator.widths)
        if self.data.height_px >> halvings == 0:
            raise ConfigError(
                f"discriminator.widths halves a patch of data.height_px = {self.data.height_px} "
                f"{halvings} times, which leaves nothing of it. Give fewer widths."
            )
