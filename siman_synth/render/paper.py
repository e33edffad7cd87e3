"""What lies on paper beside the ink: specks and stains."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from siman_synth.limits import Between, Share, check_settings
from siman_synth.seeding import uniform

Mask = npt.NDArray[np.uint8]

_SPECK_OF_STROKE = 0.5
"""A speck is so wide at most, in widths of a stroke: a wider one would be read as a full stop."""
_MOST_SPECKS = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperConfig:
    """How often, and how much of, the paper shows dirt."""

    speckled: Share = 0.0
    """Share of words on paper with specks."""
    specks: Annotated[tuple[float, float], Between(0, 200)] = (3.0, 30.0)
    """How many specks a square of the image's height has."""
    speck_size: Annotated[tuple[float, float], Between(0, 0.1)] = (0.015, 0.05)
    """Width of a speck as a fraction of the height, half a stroke at most: no speck looks like a dot."""
    speck_strength: Annotated[tuple[float, float], Between(0, 1)] = (0.2, 0.7)
    """How dark specks are, as a share of the ink."""
    stained: Share = 0.0
    """Share of words on paper with stains."""
    stain_size: Annotated[tuple[float, float], Between(0.1, 8)] = (0.4, 2.5)
    """Radius of a stain, in heights."""
    stain_strength: Annotated[tuple[float, float], Between(0, 0.4)] = (0.05, 0.25)
    """How dark stains are in the middle, as a share of the ink."""

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def asked(self) -> bool:
        """Whether any word may have dirty paper."""
        return bool(self.speckled or self.stained)


@dataclass(frozen=True, slots=True)
class Paper:
    """The dirt on the paper of one word; `seed` decides where it is."""

    specks: float = 0.0
    speck_size: float = 0.0
    speck_strength: float = 0.0
    stain_size: float = 0.0
    stain_strength: float = 0.0
    seed: int = 0

    @property
    def any(self) -> bool:
        """Whether there is any."""
        return self.specks > 0 or self.stain_strength > 0

    def stains(self, height: int, width: int) -> Mask:
        """Return the mask (height, width) of the stains."""
        stained = np.zeros((height, width), np.float32)
        if self.stain_strength > 0:
            rng = np.random.default_rng([self.seed, 1])
            down, along = (np.arange(side, dtype=np.float32) + 0.5 for side in (height, width))
            for _ in range(1 + int(rng.poisson(0.3 * width / height))):
                x, y = rng.uniform(0, width), rng.uniform(-0.3, 1.3) * height
                radius = height * self.stain_size * rng.uniform(0.6, 1.4)
                flat = rng.uniform(0.4, 1.0)
                far = ((along - x) / radius)[None, :] ** 2 + ((down - y) / (radius * flat))[:, None] ** 2
                np.maximum(stained, rng.uniform(0.4, 1.0) * np.exp(-far), out=stained)
        return np.asarray(255 * self.stain_strength * stained, np.uint8)

    def speckle(self, height: int, width: int, stroke: float) -> Mask:
        """Return the mask (height, width) of the specks, beside strokes `stroke` px wide."""
        mask = np.zeros((height, width), np.float32)
        if self.specks <= 0:
            return mask.astype(np.uint8)
        rng = np.random.default_rng([self.seed, 2])
        count = min(int(rng.poisson(self.specks * width / height)), _MOST_SPECKS)
        widest = min(self.speck_size * height, _SPECK_OF_STROKE * stroke)
        places = rng.uniform(0, 1, (count, 2)) * [width, height]
        radii = widest / 2 * rng.uniform(0.5, 1.0, count)
        strengths = rng.uniform(0.5, 1.0, count)
        reach = int(np.ceil(widest / 2)) + 1
        around = np.arange(-reach, reach + 1)
        dx, dy = np.meshgrid(around, around)
        columns = places[:, 0].astype(np.int64)[:, None, None] + dx
        rows = places[:, 1].astype(np.int64)[:, None, None] + dy
        far = np.hypot(columns + 0.5 - places[:, 0, None, None], rows + 0.5 - places[:, 1, None, None])
        # What a small disc covers of a pixel: all of it, a part at its edge, less if it is smaller.
        covered = np.clip(radii[:, None, None] - far + 0.5, 0, 1)
        covered = np.minimum(covered, np.minimum(np.pi * radii**2, 1)[:, None, None])
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        drawn = (covered * strengths[:, None, None])[inside]
        np.maximum.at(mask, (rows[inside], columns[inside]), drawn)
        return np.asarray(255 * self.speck_strength * mask, np.uint8)


def draw_paper(config: PaperConfig, rng: np.random.Generator) -> Paper:
    """Draw the dirt on the paper of a word, mostly none."""
    speckled, stained = (rng.random(2) < (config.speckled, config.stained)).tolist()
    specks, size, strength = (
        uniform(rng, limits) for limits in (config.specks, config.speck_size, config.speck_strength)
    )
    radius, tone = uniform(rng, config.stain_size), uniform(rng, config.stain_strength)
    seed = int(rng.integers(2**31))
    if not speckled:
        specks = size = strength = 0.0
    if not stained:
        radius = tone = 0.0
    paper = Paper(specks, size, strength, radius, tone, seed)
    return paper if paper.any else Paper()
