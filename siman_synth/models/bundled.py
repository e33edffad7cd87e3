"""Which weights are meant: a file, a run's folder, or those that ship with siman-synth."""

from pathlib import Path

from siman_synth.errors import WeightsError
from siman_synth.resources import resource_folder

BUNDLED = "bundled"
RUN_WEIGHTS = "siman.safetensors"
"""What a pretraining run leaves in its folder."""


def weights_file(weights: str | Path | None = None) -> Path:
    """Return the path of a weights file.

    Args:
        weights: a file, the folder of a run of `pretrain`, or None or "bundled" for those that ship.

    Raises:
        WeightsError: the bundled weights are missing.
    """
    if weights is not None and (str(weights) != BUNDLED or Path(weights).exists()):
        path = Path(weights).expanduser()
        return path / RUN_WEIGHTS if (path / RUN_WEIGHTS).is_file() else path
    try:
        return resource_folder("weights") / "small.safetensors"
    except FileNotFoundError as error:
        raise WeightsError(f"{error} Or name a weights file.") from error
