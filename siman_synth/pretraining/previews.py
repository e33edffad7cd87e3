"""What a run shows of itself: pictures of held-out pairs and restyled words, and the held-out error."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from siman_synth.imaging.resize import resize_to_height
from siman_synth.models.generator import Generator
from siman_synth.pretraining import losses, panels
from siman_synth.pretraining.batches import Batch


class Previews:
    """Pictures and an error of the averaged generator, on the same crops and words at every step.

    Args:
        generator: the averaged generator.
        held_out: a batch of crops that training does not see. Without any there is no error, for it
            would be one that training minimised.
        styles: crops, uint8 (H, W, 3), that words are shown in the styles of.
        words: plain renders, uint8 (H, W, 3), shown restyled, at least one for each style.
        folder: where pictures go; it exists.
    """

    def __init__(
        self,
        generator: Generator,
        held_out: Batch | None,
        styles: Sequence[np.ndarray],
        words: Sequence[np.ndarray],
        folder: Path,
    ) -> None:
        self._generator, self._folder = generator, folder
        self._held_out = held_out
        self._styles = [_whole_columns(style) for style in styles]
        self._words = list(words)[: len(self._styles)]

    @torch.no_grad()
    def make(self, step: int) -> Mapping[str, float]:
        """Write the pictures of `step` and return the held-out error, if crops are held out."""
        numbers = {}
        if self._held_out is not None:
            batch = self._held_out
            painting = self._generator(batch.content, batch.style, batch.noise)
            self._save(panels.pair_panel(batch, painting.image), "pairs", step)
            numbers["held_out_l2"] = float(losses.reconstruction_loss(painting.clean, batch.target))
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
