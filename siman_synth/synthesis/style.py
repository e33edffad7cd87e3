"""A crop as the network reads it: of the height it learned from, wide enough, with something to see."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from siman_synth.errors import CropError
from siman_synth.imaging.resize import resize_to_height
from siman_synth.imaging.sharpness import sharpness
from siman_synth.models.generator import Generator
from siman_synth.synthesis.config import StyleConfig

_WIDTH_STEP_PX = 16
"""Styles are stretched to a multiple of this width, by 8 px at most, so that many share a batch."""


@dataclass(frozen=True, slots=True)
class Style:
    """A crop ready for the encoder."""

    id: str
    """The crop's name in its pool."""
    image: np.ndarray
    """uint8 (H, W, 3), W a multiple of the network's stride."""
    sharpness: float
    """See `sharpness.sharpness`; at the height of the words that are written in this style."""
    crop_aspect: float = 0.0
    """Width over height of the crop, of which `image` may be the middle; 0: it is all of it."""

    @property
    def aspect(self) -> float:
        """Width over height of the whole crop."""
        return self.crop_aspect or self.image.shape[1] / self.image.shape[0]

    @classmethod
    def from_image(
        cls, image: np.ndarray, name: str = "image", height_px: int = 32, config: StyleConfig | None = None
    ) -> Self:
        """Turn any RGB picture, uint8 (H, W, 3), into a style.

        Args:
            image: a crop of one line of text.
            name: what messages and metadata call it.
            height_px: height of the words that will be written in this style.
            config: which pictures can lend their style.

        Raises:
            CropError: the picture cannot lend a style.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise CropError(
                f"{name} is no RGB picture: uint8 (H, W, 3) is needed, found {image.dtype} {image.shape}.",
                "not an image",
            )
        config = config or StyleConfig()
        prepared = prepare_style(image, name, height_px, config)
        as_written = (
            prepared if prepared.shape[0] == height_px else resize_to_height(image, height_px, _WIDTH_STEP_PX)
        )
        return cls(name, prepared, sharpness(as_written), image.shape[1] / image.shape[0])


def prepare_style(image: np.ndarray, name: str, height_px: int, config: StyleConfig) -> np.ndarray:
    """Return what the network reads of a crop, uint8 (H, W, 3), for words `height_px` high.

    H is `config.height_px`, or that of the words if they are lower.

    Raises:
        CropError: the picture cannot lend a style.
    """
    height, width = image.shape[:2]
    if width < config.min_aspect * height:
        raise CropError(f"Crop {name} is {width} x {height} px: taller than a text line.", "taller than wide")
    resized = resize_to_height(image, min(height_px, config.height_px), _WIDTH_STEP_PX)
    if _spread(resized) < config.min_contrast:
        raise CropError(f"Crop {name} has no visible text: its contrast is too low.", "too little contrast")
    surplus = resized.shape[1] - config.max_width_px // Generator.stride * Generator.stride
    if surplus > 0:
        resized = resized[:, surplus // 2 : resized.shape[1] - (surplus - surplus // 2)]
    return np.ascontiguousarray(resized)


def _spread(image: np.ndarray) -> int:
    """Return the distance from the 5th to the 95th percentile of the channel where it is greatest."""
    channels = image.reshape(-1, 3).T
    ranks = [round(share * (channels.shape[1] - 1)) for share in (0.05, 0.95)]
    low, high = np.partition(channels, ranks, axis=1)[:, ranks].T
    return int((high.astype(int) - low).max())
