"""Simple measures of how word images look, and how much two sets of values overlap."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.evaluation.word_set import WordSet
from siman_synth.imaging.sharpness import edge_strength
from siman_synth.ocr.recognizer import Image

Values = npt.NDArray[np.float64]

_BINS = 24
_SHOWN_PERCENT = 99.0

MEASURES = {
    "lightness": "mean lightness L*, 0 black to 100 white",
    "colour": "mean chroma, 0 for gray",
    "contrast": "standard deviation of L*",
    "sharpness": "standard deviation of the Laplacian of L*, over the contrast",
    "aspect": "width over height",
    "label length": "characters",
}
"""The measures and what they are. The first four are taken at one height."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """The values of a measure in either set: shares of `edges`' bins, and the area they share."""

    measure: str
    edges: Values
    dataset: Values
    real: Values
    dataset_median: float
    real_median: float

    @classmethod
    def of(cls, measure: str, dataset: Values, real: Values) -> Self:
        """Count both into the same bins. The outermost half percent goes into the last bins."""
        both = np.concatenate([dataset, real])
        cut = (100 - _SHOWN_PERCENT) / 2
        low, high = np.percentile(both, [cut, 100 - cut])
        if measure == "label length":
            edges = np.arange(np.floor(low), np.ceil(high) + 2) - 0.5
        else:
            edges = np.linspace(low, high if high > low else low + 1, _BINS + 1)
        shares = [_shares(values, edges) for values in (dataset, real)]
        return cls(measure, edges, shares[0], shares[1], float(np.median(dataset)), float(np.median(real)))

    @property
    def overlap(self) -> float:
        """The area that both histograms share: 1 when they are equal."""
        return float(np.minimum(self.dataset, self.real).sum())


def appearance(
    dataset: WordSet, real: WordSet, dataset_scaled: Sequence[Image], real_scaled: Sequence[Image]
) -> list[Histogram]:
    """Return a histogram for each of `MEASURES`; label lengths only when both sets have labels."""
    histograms = []
    seen = [np.array([looks(image) for image in images]) for images in (dataset_scaled, real_scaled)]
    for column, measure in enumerate(list(MEASURES)[:4]):
        histograms.append(Histogram.of(measure, seen[0][:, column], seen[1][:, column]))
    histograms.append(Histogram.of("aspect", _aspects(dataset), _aspects(real)))
    if dataset.labeled and real.labeled:
        histograms.append(Histogram.of("label length", _lengths(dataset), _lengths(real)))
    return histograms


def looks(image: Image) -> tuple[float, float, float, float]:
    """Return the first four of `MEASURES` of an image, uint8 (32, W, 3)."""
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness = lab[..., 0]
    contrast = float(lightness.std())
    chroma = float(np.hypot(lab[..., 1], lab[..., 2]).mean())
    return float(lightness.mean()), chroma, contrast, edge_strength(lightness, flat=1.0)


def _aspects(words: WordSet) -> Values:
    return np.array([image.shape[1] / image.shape[0] for image in words.images])


def _lengths(words: WordSet) -> Values:
    return np.array([float(len(label)) for label in words.labels if label is not None])


def _shares(values: Values, edges: Values) -> Values:
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    return counts / max(1, len(values))
