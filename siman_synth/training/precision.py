"""Automatic mixed precision, where a run asks for it or a device gains by it."""

import torch


def autocast_type(precision: str, device: torch.device) -> torch.dtype | None:
    """Return the type that `precision` ("auto", "fp32", "bf16") means on a device; None is float32."""
    wanted = precision == "bf16" or (precision == "auto" and device.type == "cuda")
    return torch.bfloat16 if wanted else None


def autocast(device: torch.device, dtype: torch.dtype | None) -> torch.autocast:
    """Return a context in which networks compute in `dtype` where that is safe."""
    return torch.autocast(device.type, dtype or torch.float32, enabled=dtype is not None)
