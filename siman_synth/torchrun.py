"""What torchrun says in the environment of each process that it starts."""

import os

from siman_synth.errors import ConfigError


def announced() -> tuple[int, int]:
    """Return (rank, world size) as the environment has them; (0, 1) where it says nothing.

    Raises:
        ConfigError: a variable is no whole number, or the rank is not below the world size.
    """
    rank, world_size = number("RANK", 0), number("WORLD_SIZE", 1)
    if not 0 <= rank < world_size:
        raise ConfigError(
            f"RANK is {rank} and WORLD_SIZE is {world_size} in the environment; the rank must be in "
            "0..WORLD_SIZE - 1. Start the program with torchrun, or unset both."
        )
    return rank, world_size


def number(name: str, otherwise: int | None = None) -> int:
    """Return a variable of the environment as a whole number; `otherwise` where it is not set, if it may be.

    Raises:
        ConfigError: it is none.
    """
    text = os.environ.get(name)
    if text is None and otherwise is not None:
        return otherwise
    try:
        return int(text or "")
    except ValueError:
        raise ConfigError(
            f"{name} in the environment must be a whole number, found {text or 'nothing'}. Start the "
            "program with torchrun, or unset RANK and WORLD_SIZE."
        ) from None
