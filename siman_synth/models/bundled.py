"""The weights that ship with siman-synth."""

from pathlib import Path

from siman_synth.errors import WeightsError
from siman_synth.resources import resource_folder


def weights_file(weights: str | Path | None = None) -> Path:
    """Return the path of a weights file; None is the bundled one.

    Raises:
        WeightsError: the bundled weights are missing.
    """
    if weights is not None:
        return Path(weights)
    try:
        return resource_folder("weights") / "small.safetensors"
    except FileNotFoundError as error:
        raise WeightsError(f"{error} Or name a weights file.") from error
