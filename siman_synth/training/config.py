"""Settings that every training has; what is trained adds its own to them."""

from dataclasses import dataclass
from typing import Annotated, Literal

from siman_synth.errors import ConfigError
from siman_synth.limits import LARGEST, Between, check_settings

Count = Annotated[int, Between(1, LARGEST)]
"""Of steps or images."""
Rate = Annotated[float, Between(1e-12, 10)]
"""Of learning."""
Beta = Annotated[float, Between(0, 0.999999)]


@dataclass(frozen=True, kw_only=True, slots=True)
class OptimisationConfig:
    """How networks are optimised."""

    steps: Count = 8_000
    """Updates of the weights."""
    batch_size: Count = 64
    """Images a step, over all processes together."""
    accumulate: Count = 1
    """Parts that a batch is worked through in, one after the other; more parts need less memory."""
    learning_rate: Rate = 4e-4
    """Adam's learning rate at the first step."""
    final_learning_rate: Rate = 4e-5
    """Adam's learning rate at the last step; it falls linearly."""
    betas: tuple[Beta, Beta] = (0.9, 0.999)
    """Adam's betas."""
    average_half_life: Count = 44_000
    """Half-life, in images, of the moving average of the weights that is exported."""
    seed: Annotated[int, Between(0, LARGEST)] = 0
    """Random seed."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto` is bf16 autocast on CUDA and fp32 on a CPU."""
    compile: bool = False
    """Compile the networks with torch.compile (CUDA; pays in long runs)."""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.batch_size % self.accumulate:
            raise ConfigError(
                f"batch_size {self.batch_size} does not divide into accumulate = {self.accumulate} parts."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class PaceConfig:
    """How often a run reports and saves, in steps."""

    stats_every: Count = 50
    """A line in stats.jsonl and TensorBoard."""
    checkpoint_every: Count = 500
    """A full-state checkpoint and an export of the averaged weights."""
    checkpoints_kept: Count = 2
    """How many full-state checkpoints stay."""

    def __post_init__(self) -> None:
        check_settings(self)
