"""What is about to be trained, in a few lines."""

from collections.abc import Callable, Mapping

from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def parameter_lines(networks: Mapping[str, nn.Module]) -> list[str]:
    """Return a line a network: its parameters, in all and by part."""
    lines = []
    for name, network in networks.items():
        parts = [(part, _count(module)) for part, module in network.named_children()]
        listed = ", ".join(f"{part} {count:,}" for part, count in parts) if len(parts) > 1 else ""
        lines.append(f"{name}: {_count(network):,} parameters" + (f" ({listed})" if listed else ""))
    return lines


def count_gflop(call: Callable[[], object]) -> float:
    """Return the floating point operations of a call, in thousands of millions."""
    with FlopCounterMode(display=False) as counter:
        call()
    return float(counter.get_total_flops()) / 1e9


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
