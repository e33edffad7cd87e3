"""What printing, paper and scanning do to ink: it runs, breaks, fades, and some lines do not print.

Worked out on a mask several times as large, which is then made small. Nothing that is wider than a
stroke is ever lost or closed: the label must stay readable.
"""

from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.outlines import Points
from siman_synth.seeding import uniform

Mask = npt.NDArray[np.uint8]
Field = npt.NDArray[np.float32]

_WORKED_AT_PX = 96
"""Height at which ink is worn."""
_PALEST = 0.2
"""Ink that is left where it faded most."""
_REACH, _STREAK = 0.4, 0.6
"""Widths of gaps, in strokes: what may be lost, and how wide a streak is at most."""
_SMOOTH = 4
_NOTCH = 0.3
"""Gaps less deep than this, in what may be lost, may close."""
_LEAST_INK = 0.12
"""Level below which there is no ink, however ragged its edge."""
_RUNS_EDGE = 0.1587
"""Of ink blurred with a deviation, what is left one deviation outside of its edge."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WearConfig:
    """How ink was damaged. Each share is drawn by itself; a word may show all."""

    bleeding: Share = 0.0
    """Share of words whose ink ran: strokes are wider, corners round."""
    bleed: Annotated[tuple[float, float], Between(0, 0.5)] = (0.08, 0.3)
    """How far ink ran, in widths of a stroke."""
    broken: Share = 0.0
    """Share of words whose strokes got too little ink: thinner, with gaps."""
    breaks: Annotated[tuple[float, float], Between(0, 1)] = (0.1, 0.5)
    """How little ink; at 1 gaps take about half of the strokes."""
    ragged: Share = 0.0
    """Share of words with ragged edges, as coarse paper and black-and-white scans have them."""
    raggedness: Annotated[tuple[float, float], Between(0, 1)] = (0.2, 0.8)
    """How ragged; at 1 edges leave their place by a fifth of a stroke."""
    faded: Share = 0.0
    """Share of words that are pale in places."""
    fade: Annotated[tuple[float, float], Between(0, 1 - _PALEST)] = (0.2, 0.6)
    """How much of the ink is gone where it is palest."""
    streaked: Share = 0.0
    """Share of words with lines that did not print, along the text or across."""
    streaks: Annotated[tuple[int, int], Between(1, 12)] = (1, 4)
    """How many such lines, along the text; as many in every two heights across it."""

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def asked(self) -> bool:
        """Whether any word may have worn ink."""
        return bool(self.bleeding or self.broken or self.ragged or self.faded or self.streaked)


@dataclass(frozen=True, slots=True)
class Wear:
    """How the ink of one word was damaged, 0 where it was not; `seed` decides where."""

    bleed: float = 0.0
    breaks: float = 0.0
    raggedness: float = 0.0
    fade: float = 0.0
    streaks: int = 0
    across: bool = False
    """Whether streaks cross the text."""
    seed: int = 0

    @property
    def any(self) -> bool:
        """Whether anything was damaged."""
        return bool(self.bleed or self.breaks or self.raggedness or self.fade or self.streaks)

    @staticmethod
    def scale(height: int) -> int:
        """Return how many times as large as the image the mask is that is worn."""
        return max(1, round(_WORKED_AT_PX / height))

    def on(self, mask: Mask, stroke: float, along: Points) -> tuple[Mask, Mask]:
        """Return what is left of a mask, and the same before it faded.

        Args:
            mask: (H, W), 255 = full ink.
            stroke: width of a stroke in pixels.
            along: (2,), the direction of the line, y upwards.
        """
        rng = np.random.default_rng(self.seed)
        stroke = max(stroke, 2.0)
        printed = mask
        if self.bleed or self.breaks or self.raggedness:
            printed = self._edges(mask, stroke, rng)
        if self.streaks:
            printed = self._streaked(printed, stroke, along, rng)
        if printed is not mask:
            printed = _mended(mask, printed, _REACH * stroke)
        faded = printed
        if self.fade:
            faded = (printed * (1 - self.fade * _cloud(mask.shape, along, rng))).astype(np.uint8)
        return faded, printed

    def _edges(self, mask: Mask, stroke: float, rng: np.random.Generator) -> Mask:
        """Return the ink where it ran, and where it did not reach."""
        ran = self.bleed * stroke
        soft = max(ran, 0.35 * stroke if self.breaks else 0.12 * stroke)
        ink = cv2.GaussianBlur(mask, (0, 0), soft).astype(np.float32) / 255
        # The level at which blurred ink is cut moves its edge outwards, by one deviation at most.
        level = np.full(mask.shape, 0.5 - (0.5 - _RUNS_EDGE) * min(ran / soft, 1.0), np.float32)
        if self.breaks:
            level += 0.5 * self.breaks * _noise(mask.shape, 0.7 * stroke, rng, -0.3, 1.1)
        if self.raggedness:
            level += 0.4 * self.raggedness * _noise(mask.shape, 0.2 * stroke, rng, -1, 1)
        # Paper without ink nearby stays clean.
        level = np.maximum(level, _LEAST_INK)
        # As soft as one pixel, not a staircase.
        edge = min(0.4 / soft, _LEAST_INK)
        return np.asarray(255 * np.clip((ink - level) / edge + 0.5, 0, 1), np.uint8)

    def _streaked(self, mask: Mask, stroke: float, along: Points, rng: np.random.Generator) -> Mask:
        height, width = mask.shape
        on_line, above = _coordinates(height, width, along)
        place = on_line if self.across else above
        inked = place[mask > 127]
        if not inked.size:
            return mask
        low, high = float(inked.min()), float(inked.max())
        count = self.streaks
        if self.across:
            count = max(1, round(self.streaks * (high - low) / (2 * height)))
        left = np.ones(mask.shape, np.float32)
        for _ in range(count):
            middle, thick = rng.uniform(low, high), stroke * rng.uniform(0.2, _STREAK)
            strength = rng.uniform(0.6, 1.0)
            left *= 1 - strength * np.clip(thick / 2 + 0.5 - np.abs(place - middle), 0, 1)
        return (mask * left).astype(np.uint8)


def _mended(whole: Mask, printed: Mask, reach: float) -> Mask:
    """Return `printed` without losses, and without gaps closed, of more than `reach` pixels each way.

    Ink farther from all that was printed would be a stroke lost, ground farther from all that is left
    a hole of a letter closed.
    """
    size = 2 * max(1, round(reach)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    lost = np.where(cv2.dilate(_over(printed), disc) == 0, whole, 0)
    mended = np.maximum(printed, lost)
    # In the middle of every gap that was closed, from the start of it to its end.
    closed = cv2.dilate(_over(255 - mended), disc) == 0
    if not (closed & (whole < 128)).any():
        return np.asarray(mended, np.uint8)
    deep = cv2.distanceTransform((whole < 128).astype(np.uint8), cv2.DIST_L2, 5)
    middle = (deep >= cv2.dilate(deep, np.ones((5, 5), np.uint8)) - 0.5) & (deep >= _NOTCH * reach)
    opened = cv2.dilate((middle & closed).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.where(opened, whole, mended).astype(np.uint8)


def _over(mask: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return (mask > 127).astype(np.uint8)


def _noise(shape: tuple[int, ...], size: float, rng: np.random.Generator, low: float, high: float) -> Field:
    """Return random blots of `size` pixels, most of them from `low` to `high`."""
    step = max(1, int(size / 2))
    small = rng.standard_normal([-(-side // step) + 4 for side in shape[:2]], dtype=np.float32)
    blots = np.asarray(cv2.GaussianBlur(small, (0, 0), size / step / 2))
    blots = (blots - blots.mean()) / max(float(blots.std()), 1e-6)
    grown = cv2.resize(blots, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    part = grown[step : step + shape[0], step : step + shape[1]]
    middle, half = (low + high) / 2, (high - low) / 2
    return np.asarray(np.clip(middle + half * part, low - half, high + half), np.float32)


def _cloud(shape: tuple[int, int], along: Points, rng: np.random.Generator) -> Field:
    """Return how much has faded (H, W), from 0 to 1: slowly along the line, and across it."""
    height, width = shape
    # So smooth that a point in every four each way tells all.
    small = (-(-height // _SMOOTH), -(-width // _SMOOTH))
    on_line, above = (_SMOOTH * field for field in _coordinates(*small, along))
    waves = np.zeros(small, np.float32)
    for _ in range(3):
        wavelength = height * float(np.exp(rng.uniform(np.log(0.8), np.log(8))))
        waves += np.sin(2 * np.pi * (on_line / wavelength + rng.random()))
    waves += rng.uniform(-2.5, 2.5) * (above / height - 0.5)
    low, high = float(waves.min()), float(waves.max())
    waves = (waves - low) / max(high - low, 1e-6)
    return np.asarray(cv2.resize(waves, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _coordinates(height: int, width: int, along: Points) -> tuple[Field, Field]:
    """Return for every pixel how far along the line it is, and how far above, in pixels."""
    x, y = along / max(float(np.hypot(*along)), 1e-9)
    across = (np.arange(width, dtype=np.float32) + 0.5)[None, :]
    up = (height - np.arange(height, dtype=np.float32) - 0.5)[:, None]
    return np.asarray(x * across + y * up, np.float32), np.asarray(x * up - y * across, np.float32)


def draw_wear(config: WearConfig, rng: np.random.Generator) -> Wear:
    """Draw the damage of a word, mostly none."""
    bleeding, broken, ragged, faded, streaked, across = (
        rng.random(6) < (config.bleeding, config.broken, config.ragged, config.faded, config.streaked, 0.5)
    ).tolist()
    bleed, breaks, raggedness, fade = (
        uniform(rng, limits) for limits in (config.bleed, config.breaks, config.raggedness, config.fade)
    )
    streaks = int(rng.integers(config.streaks[0], config.streaks[1] + 1))
    seed = int(rng.integers(2**31))
    worn = Wear(
        bleed if bleeding else 0.0,
        breaks if broken else 0.0,
        raggedness if ragged else 0.0,
        fade if faded else 0.0,
        streaks if streaked else 0,
        across,
        seed,
    )
    return worn if worn.any else Wear()
