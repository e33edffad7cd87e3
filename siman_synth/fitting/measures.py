"""How far two sets of images are apart: on the features of two networks, the spectrum, and simple looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from siman_synth import stopping
from siman_synth.evaluation.appearance import MEASURES, Histogram, looks
from siman_synth.evaluation.distances import kernel_distance
from siman_synth.evaluation.features import load_features
from siman_synth.evaluation.spectrum import Spectrum
from siman_synth.evaluation.word_set import of_one_height
from siman_synth.fitting.weighing import Vectors
from siman_synth.ocr.recognizer import Image

KINDS = ("imagenet", "ocr")
SPECTRUM, LOOKS = "spectrum", "looks"
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Measured:
    """What is compared of one set of images."""

    features: Mapping[str, Vectors]
    """(N, D) by kind."""
    looks: npt.NDArray[np.float64]
    """(N, 5): lightness, colour, contrast, sharpness, aspect."""
    spectrum: Spectrum | None


class Measures:
    """The networks, loaded once."""

    def __init__(self, threads: int) -> None:
        self._extract = {kind: load_features(kind, threads) for kind in KINDS}

    def features(self, images: Sequence[Image]) -> dict[str, Vectors]:
        """Return float32 (N, D) by kind of features."""
        return self._features(of_one_height(images))

    def _features(self, scaled: Sequence[Image]) -> dict[str, Vectors]:
        order = sorted(range(len(scaled)), key=lambda index: scaled[index].shape[1])
        found: dict[str, dict[int, Vectors]] = {kind: {} for kind in self._extract}
        for start in range(0, len(order), _CHUNK):
            stopping.check()
            chunk = order[start : start + _CHUNK]
            for kind, extract in self._extract.items():
                found[kind].update(zip(chunk, extract([scaled[i] for i in chunk]), strict=True))
        return {kind: np.stack([rows[i] for i in range(len(scaled))]) for kind, rows in found.items()}

    def measure(self, images: Sequence[Image]) -> Measured:
        """Return all that is compared."""
        scaled = of_one_height(images)
        simple = [
            (*looks(small), image.shape[1] / image.shape[0])
            for small, image in zip(scaled, images, strict=True)
        ]
        return Measured(self._features(scaled), np.array(simple), Spectrum.of(scaled))


def distances(one: Measured, other: Measured) -> dict[str, float]:
    """Return how far a set is from a set of crops, `other`, by what is compared."""
    found: dict[str, float] = {}
    for kind, vectors in other.features.items():
        real = vectors.astype(np.float64)
        scale = np.sqrt((real**2).mean())  # as `evaluate` has it
        found[kind] = kernel_distance(one.features[kind].astype(np.float64) / scale, real / scale)
    if one.spectrum is not None and other.spectrum is not None:
        found[SPECTRUM] = _spectra_apart(one.spectrum, other.spectrum)
    histograms = [
        Histogram.of(measure, one.looks[:, column], other.looks[:, column])
        for column, measure in enumerate(list(MEASURES)[: one.looks.shape[1]])
    ]
    found[LOOKS] = float(np.mean([1 - histogram.overlap for histogram in histograms]))
    return found


def _spectra_apart(one: Spectrum, other: Spectrum) -> float:
    """Return the mean difference of two spectra in decibels, over both axes."""
    apart = [
        np.abs(10 * np.log10((a + 1e-9) / (b + 1e-9))).mean()
        for a, b in ((one.along_x, other.along_x), (one.along_y, other.along_y))
    ]
    return float(np.mean(apart))
