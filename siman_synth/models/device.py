"""Choosing the device that networks run on."""

import torch

from siman_synth.errors import ConfigError


def resolve_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda` or `cuda:1` into a device that is there.

    Raises:
        ConfigError: CUDA was asked for and this machine or this torch has none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"Unknown device '{name}'. Use auto, cpu or cuda.") from error
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"Unsupported device '{name}'. Use auto, cpu or cuda.")
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise ConfigError("Device 'cuda' was asked for, but torch finds no CUDA GPU here. Use 'cpu'.")
        if (device.index or 0) >= torch.cuda.device_count():
            raise ConfigError(
                f"Device '{name}' was asked for, but torch finds {torch.cuda.device_count()} CUDA GPU here; "
                "they count from 0."
            )
    return device
