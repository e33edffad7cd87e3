"""How the line of a word lies: straight, slanted, spaced, curved, in perspective, rotated, or two of these.

A layout maps points of the line, in em, to points in em; what it does to a letter it does to its
frame too. Each is a file of its own, with its settings beside it; `config.py` names them all.
CONTRIBUTING.md shows how to add one.
"""

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from siman_synth.render.layouts.base import Layout
from siman_synth.render.layouts.choice import weighted
from siman_synth.render.layouts.config import LayoutConfig

__all__ = ["LAYOUTS", "Layout", "LayoutConfig", "draw_layout", "layout_from_json", "layout_to_json"]

LAYOUTS: Mapping[str, type[Layout]] = MappingProxyType(
    {kind: settings.makes for kind, settings in LayoutConfig().layouts.items()}
)
"""Every layout by its kind, which is also the name of its settings in `LayoutConfig`."""


def draw_layout(text: str, config: LayoutConfig, rng: np.random.Generator) -> Layout:
    """Draw a kind by the weights, then a layout of that kind for `text`."""
    return weighted(tuple(config.layouts.values()), rng).draw(text, config, rng)


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """Return the layout as plain values: its kind, then its fields."""
    values: dict[str, Any] = {"kind": layout.kind}
    for field in dataclasses.fields(layout):  # type: ignore[arg-type]
        value = getattr(layout, field.name)
        if isinstance(value, tuple):
            value = list(value)
        values[field.name] = layout_to_json(value) if hasattr(value, "kind") else value
    return values


def layout_from_json(values: Mapping[str, Any]) -> Layout:
    """Restore what `layout_to_json` returned."""
    fields = {name: _restored(value) for name, value in values.items() if name != "kind"}
    return LAYOUTS[values["kind"]](**fields)


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return layout_from_json(value)
    return tuple(value) if isinstance(value, list) else value
