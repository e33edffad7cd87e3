"""What a run remembers of its beginning, and what its weights file says of how it was made."""

import platform
from collections.abc import Mapping
from typing import Any

import torch

from siman_synth import __version__
from siman_synth.config import fingerprint, to_mapping
from siman_synth.errors import ConfigError


def refuse_another_start(resume: bool, init: object) -> None:
    """Refuse to resume a run from weights other than those that it began with.

    Raises:
        ConfigError: both are asked for.
    """
    if resume and init is not None:
        raise ConfigError(
            "A resumed run goes on with the weights that it began with: resume it, or start a new one "
            "from other weights in another folder."
        )


def history(start: Mapping[str, Any] | None, teacher: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what a run that begins now remembers: what weights it begins with, and who teaches it."""
    here = {"siman_synth": __version__, "torch": torch.__version__, "machine": platform.machine()}
    weights = {"init": start, "teacher": teacher}
    return here | {name: dict(record) for name, record in weights.items() if record is not None}


def other_library(remembered: Mapping[str, Any]) -> str | None:
    """Return a sentence if a run began with another torch than the one that goes on with it."""
    before, now = remembered.get("torch"), torch.__version__
    if before == now:
        return None
    return (
        f"This run began with torch {before}, and this is {now}: numbers may differ in their last digits "
        "from those of a run that was never stopped."
    )


def provenance(config: Any, step: int, device: torch.device, remembered: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain values for a weights file: versions, machine, step and settings of a run."""
    return {
        "siman_synth": __version__,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {device.type}",
        "step": step,
        "images_seen": step * config.training.batch_size,
        "fingerprint": fingerprint(config),
        "config": to_mapping(config),
        **{name: remembered[name] for name in ("init", "teacher") if remembered.get(name)},
    }
