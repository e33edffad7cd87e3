"""The settings of a pretraining run; `pretrain/recipes/*.toml` hold sets of them."""

from dataclasses import dataclass, field
from typing import Literal

from siman_synth.crops.style_breaking import StyleBreakingConfig
from siman_synth.models.discriminator import DiscriminatorConfig
from siman_synth.models.generator import GeneratorConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class DataConfig:
    """Which patches are cut."""

    height_px: int = 32
    """Height H that crops are resized to; patches are H x H."""
    min_aspect: float = 2.0
    """Only crops wider than this many heights are used; two patches need 2."""
    held_out: int = 64
    """Crops kept out of training, for panels and the held-out error."""

    def __post_init__(self) -> None:
        if self.height_px < 8 or self.height_px % 4:
            raise ValueError(f"height_px must be a multiple of 4, at least 8; found {self.height_px}.")
        if self.held_out < 0:
            raise ValueError(f"held_out must not be negative, found {self.held_out}.")
        if self.min_aspect < 2.0:
            raise ValueError(f"min_aspect must be at least 2 (two patches), found {self.min_aspect}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingConfig:
    """How the networks are optimised."""

    steps: int = 8_000
    """Iterations T of algorithm 1."""
    batch_size: int = 64
    """Patch pairs a step, over all processes together."""
    learning_rate: float = 4e-4
    """Adam's learning rate at the first step."""
    final_learning_rate: float = 4e-5
    """Adam's learning rate at the last step; it falls linearly (paper, section 4.2)."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's betas (paper, section 4.2)."""
    reconstruction_weight: float = 10.0
    """Lambda, the weight of L2 against the adversarial loss; the paper is silent."""
    ema_decay: float = 0.999
    """Decay of the moving average of the generator that is exported."""
    seed: int = 0
    """Decides initial weights, order, places and breaking of patches."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` is bf16 autocast on CUDA and fp32 on a CPU."""
    compile: bool = False
    """Compile the networks with torch.compile (CUDA; pays in long runs)."""

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "learning_rate", "final_learning_rate"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, found {getattr(self, name)}.")
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, found {self.seed}.")
        if self.reconstruction_weight < 0:
            raise ValueError(
                f"reconstruction_weight must not be negative, found {self.reconstruction_weight}."
            )
        if not all(0.0 <= beta < 1.0 for beta in self.betas):
            raise ValueError(f"betas must be in [0, 1), found {self.betas}.")
        if not 0.0 <= self.ema_decay < 1.0:
            raise ValueError(f"ema_decay must be in [0, 1), found {self.ema_decay}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggingConfig:
    """How often a run says how it goes, in steps."""

    stats_every: int = 50
    """A line in stats.jsonl and TensorBoard."""
    panel_every: int = 500
    """A picture of held-out pairs and restyled words, and the held-out error."""
    checkpoint_every: int = 500
    """A full-state checkpoint and an export of the averaged generator."""
    checkpoints_kept: int = 2
    """How many full-state checkpoints stay."""
    snapshot_every: int = 2000
    """An exported generator that stays, for comparing along the run."""

    def __post_init__(self) -> None:
        for name in ("stats_every", "panel_every", "checkpoint_every", "checkpoints_kept", "snapshot_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, found {getattr(self, name)}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class PretrainConfig:
    """Everything that decides a pretraining run, but for paths and the device."""

    model: GeneratorConfig = field(default_factory=GeneratorConfig)
    """The generator: encoder, SimAN, decoder."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """The adversary."""
    data: DataConfig = field(default_factory=DataConfig)
    """Patches."""
    breaking: StyleBreakingConfig = field(default_factory=StyleBreakingConfig)
    """How content loses its style."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """Optimisation."""
    logging: LoggingConfig = field(default_factory=LoggingConfig)
    """Pace of reports."""

    def __post_init__(self) -> None:
        if self.model.encoder == "resnet29" and self.data.height_px != 32:
            raise ValueError(
                f"resnet29 reads images 32 px high, found data.height_px = {self.data.height_px}. "
                "Use encoder = 'pyramid' for other heights."
            )
