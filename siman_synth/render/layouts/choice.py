"""Drawing one of several layouts by its weight."""

from collections.abc import Sequence

import numpy as np

from siman_synth.render.layouts.base import LayoutSettings


def weighted(choices: Sequence[LayoutSettings], rng: np.random.Generator) -> LayoutSettings:
    """Draw one of `choices` by its weight; evenly if all weights are 0."""
    weights = [choice.weight for choice in choices]
    if not any(weights):
        weights = [1.0] * len(choices)
    point = rng.random() * sum(weights)
    chosen = choices[0]
    for choice, weight in zip(choices, weights, strict=True):
        if weight <= 0:
            continue
        chosen = choice
        if (point := point - weight) < 0:
            break
    return chosen
