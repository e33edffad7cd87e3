"""What the power spectrum shows: grids that upsampling leaves, and grain that is missing.

A grid is power at a period of exactly 2 or 4 px that its neighbours in the spectrum do not have.
Power above a quarter of the sampling rate along both axes is grain: strokes leave little there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from siman_synth.evaluation.word_set import HEIGHT_PX
from siman_synth.ocr.recognizer import Image

Power = npt.NDArray[np.float64]

TILE_PX = 64
"""Spectra are taken of tiles this wide and of the whole height."""

PERIODS_PX = (2, 4)
_NEIGHBOURS = 2
_ACROSS = 0.1
"""A grid stands still across its axis: only these frequencies, in cycles a pixel, are summed there."""
_HIGH = 0.25


@dataclass(frozen=True, slots=True)
class Spectrum:
    """The mean power of the tiles of one set."""

    tiles: int
    """How many; images narrower than a tile have none."""
    along_x: Power
    """(33,): power from frequency 0 to 0.5 cycles a pixel along x, summed over slow changes along y."""
    along_y: Power
    """(17,): the same along y."""
    high_share: float
    """Share of all power above 0.25 cycles a pixel along both axes."""

    @classmethod
    def of(cls, images: Sequence[Image]) -> Self | None:
        """Take the spectrum of uint8 (32, W, 3) images; None if all are narrower than a tile or flat."""
        window = np.outer(_hann(HEIGHT_PX), _hann(TILE_PX))
        total, tiles = np.zeros((HEIGHT_PX, TILE_PX)), 0
        for tile in _tiles(images):
            total += np.abs(np.fft.fft2((tile - tile.mean()) * window)) ** 2
            tiles += 1
        if not total.any():
            return None
        vertical, horizontal = (np.abs(np.fft.fftfreq(size)) for size in (HEIGHT_PX, TILE_PX))
        high = total[np.ix_(vertical > _HIGH, horizontal > _HIGH)].sum() / total.sum()
        along_x = total[vertical <= _ACROSS].sum(0)[: TILE_PX // 2 + 1]
        along_y = total[:, horizontal <= _ACROSS].sum(1)[: HEIGHT_PX // 2 + 1]
        return cls(tiles, along_x / total.sum(), along_y / total.sum(), float(high))

    @property
    def peaks(self) -> dict[str, float]:
        """Power at each period along each axis over the mean of its neighbours, two at each side."""
        axes = {"x": self.along_x, "y": self.along_y}
        return {
            f"{axis}, {period} px": _peak(power, 2 * (len(power) - 1) // period)
            for axis, power in axes.items()
            for period in PERIODS_PX
        }

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {"tiles": self.tiles, "peaks": self.peaks, "high_share": self.high_share}


def _tiles(images: Sequence[Image]) -> Iterator[Power]:
    for image in images:
        grey = image.mean(axis=2, dtype=np.float64)
        for left in range(0, grey.shape[1] - TILE_PX + 1, TILE_PX):
            yield grey[:, left : left + TILE_PX]


def _hann(size: int) -> Power:
    return np.hanning(size + 2)[1:-1]


def _peak(power: Power, index: int) -> float:
    # The last frequency has neighbours at one side only: beyond it the spectrum is its own mirror.
    beside = [index + sign * step for step in range(1, _NEIGHBOURS + 1) for sign in (-1, 1)]
    neighbours = [power[min(place, 2 * (len(power) - 1) - place)] for place in beside]
    return float(power[index] / max(np.mean(neighbours), np.finfo(np.float64).tiny))
