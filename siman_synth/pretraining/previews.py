"""What a run shows of itself: pictures of held-out pairs and restyled words, and the held-out error."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from siman_synth.crops.cache import CropCache
from siman_synth.imaging.resize import resize_to_height
from siman_synth.models.generator import Generator
from siman_synth.models.grain import training_noise
from siman_synth.pretraining import losses, panels
from siman_synth.pretraining.augmentation import StyleAugmentation
from siman_synth.pretraining.patches import PatchSampler


class Previews:
    """Pictures and an error of the averaged generator, on the same crops and words at every step.

    Args:
        generator: the averaged generator.
        sampler: holds the crops that training does not see. Without any there is no error, for it
            would be one that training minimised.
        augmentation: changes the content of the held-out pairs.
        cache: the crops.
        words: plain renders, uint8 (H, W, 3), shown restyled.
        folder: where pictures go; it exists.
    """

    def __init__(
        self,
        generator: Generator,
        sampler: PatchSampler,
        augmentation: StyleAugmentation,
        cache: CropCache,
        words: Sequence[np.ndarray],
        folder: Path,
    ) -> None:
        self._generator, self._folder = generator, folder
        self._pair = sampler.draw_held_out() if len(sampler.held_out) else None
        if self._pair is not None:
            draws = torch.Generator(self._pair.content.device).manual_seed(0)
            self._augmented = augmentation(self._pair.content, self._pair.style, draws)
            height, width = self._pair.content.shape[-2:]
            self._noise = training_noise(len(self._augmented), height, width, draws)
        shown = sampler.held_out if len(sampler.held_out) else np.arange(len(cache))
        self._styles = [_whole_columns(cache.crop(int(index))) for index in shown[: len(words)]]
        self._words = list(words)[: len(self._styles)]

    @torch.no_grad()
    def make(self, step: int) -> Mapping[str, float]:
        """Write the pictures of `step` and return the held-out error, if crops are held out."""
        numbers = {}
        if self._pair is not None:
            painting = self._generator(self._augmented, self._pair.style, self._noise)
            self._save(panels.pair_panel(self._pair, self._augmented, painting.image), "pairs", step)
            numbers["held_out_l2"] = float(losses.reconstruction_loss(painting.clean, self._pair.content))
        if self._words:
            results = panels.restyle_words(self._generator, self._words, self._styles)
            self._save(panels.restyled_panel(self._styles, results), "words", step)
        return numbers

    def _save(self, picture: np.ndarray, name: str, step: int) -> None:
        panels.save_picture(picture, self._folder / f"{name}-{step:08d}.png")


def _whole_columns(crop: np.ndarray) -> np.ndarray:
    width = max(Generator.stride, crop.shape[1] // Generator.stride * Generator.stride)
    return (
        crop[:, :width] if crop.shape[1] >= width else resize_to_height(crop, crop.shape[0], Generator.stride)
    )
