"""What a run shows of itself: panels, the held-out error, exported weights."""

import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from siman_synth import __version__
from siman_synth.config import fingerprint, to_mapping
from siman_synth.crops.cache import CropCache, resize_to_height
from siman_synth.crops.patches import PatchSampler
from siman_synth.crops.style_breaking import StyleBreaking
from siman_synth.models.checkpoint import save_generator
from siman_synth.models.generator import Generator
from siman_synth.pretraining import losses, panels
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.state import TrainState


class Reporter:
    """Panels, the held-out error and exports of the averaged generator."""

    def __init__(
        self,
        config: PretrainConfig,
        state: TrainState,
        sampler: PatchSampler,
        breaking: StyleBreaking,
        cache: CropCache,
        out: Path,
        words: Sequence[np.ndarray],
    ) -> None:
        self._config, self._state, self._out = config, state, out
        self._pair = sampler.draw_held_out(config.data.held_out)
        device = self._pair.content.device
        self._broken = breaking(self._pair.content, torch.Generator(device).manual_seed(0))
        indices = sampler.held_out if len(sampler.held_out) else range(len(words))
        self._styles = [_whole_columns(cache.crop(int(i % len(cache)))) for i in indices][: len(words)]
        self._words = list(words)[: len(self._styles)]

    @torch.no_grad()
    def panel(self) -> float:
        """Write the pictures of this step and return the held-out reconstruction error."""
        generator: Generator = self._state.average
        rebuilt = generator(self._broken, self._pair.style)
        pictures = [panels.pair_panel(self._pair, self._broken, rebuilt)]
        if self._words:
            results = panels.restyle_words(generator, self._words, self._styles)
            pictures.append(panels.restyled_panel(self._styles, results))
        for name, picture in zip(("pairs", "words"), pictures, strict=False):
            panels.save_picture(picture, self._out / "panels" / f"{name}-{self._state.step:08d}.png")
        return float(losses.reconstruction_loss(rebuilt, self._pair.content))

    def export(self, path: Path) -> None:
        """Write the averaged generator with its provenance."""
        config = self._config
        provenance = {
            "siman_synth": __version__,
            "torch": torch.__version__,
            "machine": f"{platform.machine()}, {self._pair.content.device.type}",
            "step": self._state.step,
            "images_seen": self._state.step * config.training.batch_size,
            "fingerprint": fingerprint(config),
            "config": to_mapping(config),
        }
        save_generator(path, self._state.average, provenance)


def _whole_columns(crop: np.ndarray) -> np.ndarray:
    width = max(Generator.stride, crop.shape[1] // Generator.stride * Generator.stride)
    return (
        crop[:, :width] if crop.shape[1] >= width else resize_to_height(crop, crop.shape[0], Generator.stride)
    )
