"""Which weights are meant: a file, a run's folder, or some of those that ship with siman-synth."""

from pathlib import Path

from siman_synth.errors import WeightsError
from siman_synth.resources import resource_folder

SMALL, LIGHT = "small", "light"
"""Names of the weights that ship: what learned from the crops themselves and is the default, and what learned
from it to paint alike at less than half the cost."""
BUNDLED = "bundled"
"""Another name of the first."""
RUN_WEIGHTS = "siman.safetensors"
"""What a pretraining run leaves in its folder."""


def weights_file(weights: str | Path | None = None) -> Path:
    """Return the path of a weights file.

    Args:
        weights: a file, the folder of a run of `pretrain`, the name of bundled weights ("small" or "bundled",
            "light"; a file or folder of that name goes before), or None for "small".

    Raises:
        WeightsError: the bundled weights are missing.
    """
    name = SMALL if weights is None else str(weights)
    if weights is not None and (name not in (SMALL, LIGHT, BUNDLED) or Path(weights).exists()):
        path = Path(weights).expanduser()
        return path / RUN_WEIGHTS if (path / RUN_WEIGHTS).is_file() else path
    return bundled_file(LIGHT if name == LIGHT else SMALL)


def bundled_file(name: str) -> Path:
    """Return the file of bundled weights, whatever lies in the current folder under their name.

    Raises:
        WeightsError: the bundled weights are missing.
    """
    try:
        return resource_folder("weights") / f"{name}.safetensors"
    except FileNotFoundError as error:
        raise WeightsError(f"{error} Or name a weights file.") from error


def bundled_name(path: Path) -> str | None:
    """Return the name of bundled weights by their file, None for others."""
    named = (name for name in (SMALL, LIGHT) if bundled_file(name).resolve() == path.resolve())
    return next(named, None)
