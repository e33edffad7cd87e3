"""A table, and images of its points of which everything is known."""

import numpy as np

from siman_synth.fitting.belief import Belief
from siman_synth.fitting.table import Condition, Range, Share, Table, Weights

TABLE = Table(
    (
        Weights("kind", {"a": "x.a", "b": "x.b", "c": "x.c"}, "kind"),
        Range("x.size", 0.0, 10.0, "size"),
        Share("x.dirt", 0.3, "dirt"),
        Range("x.slant", 0.0, 1.0, "slant", given=Condition("kind", "b")),
        Range("x.unseen", 0.0, 1.0, "what nobody sees"),
    )
)
NARROW = Belief(
    TABLE,
    (
        np.array([0.6, 0.3, 0.1]),
        np.array([0.2, 0.5]),
        np.array([0.1]),
        np.array([0.6, 0.9]),
        np.array([0.0, 1.0]),
    ),
)


def seen(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return features of an image of each point, as a camera would make them: with noise."""
    kind, size, dirt, slant, _ = points.T
    parts = [kind == 0, kind == 1, kind == 2, size, size**2, dirt, np.where(kind == 1, slant, 0)]
    clean = np.stack(parts, axis=1).astype(np.float64)
    return (1 + clean + 0.1 * rng.standard_normal(clean.shape)).astype(np.float32)
