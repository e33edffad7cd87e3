"""Pictures of how a run goes: held-out pairs rebuilt, and plain renders restyled."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from siman_synth.files import whole_file
from siman_synth.models.generator import Generator
from siman_synth.models.images import from_network, to_network
from siman_synth.pretraining.batches import Batch

_ENLARGE = 2
_GAP_PX = 2
_SHEET_WIDTH_PX = 560


def pair_panel(batch: Batch, rebuilt: Tensor, columns: int = 16) -> np.ndarray:
    """Return rows of style, content as it is read, rebuilt, target; uint8 (H', W', 3)."""
    width = rebuilt.shape[-1]
    style = functional.pad(batch.style[..., :width], (0, max(0, width - batch.style.shape[-1])), value=1.0)
    stacked = torch.cat([style, batch.content, rebuilt, batch.target], dim=2)[: 2 * columns]
    tiles = [np.pad(tile, ((0, _GAP_PX), (0, _GAP_PX), (0, 0))) for tile in from_network(stacked)]
    rows = [tiles[start : start + columns] for start in range(0, len(tiles), columns)]
    rows = [row for row in rows if len(row) == columns] or [tiles]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def restyled_panel(styles: Sequence[np.ndarray], results: Sequence[np.ndarray]) -> np.ndarray:
    """Return style crops, each followed by the word restyled after it; uint8 (H', W', 3)."""
    rows: list[np.ndarray] = []
    row = np.zeros((styles[0].shape[0] + _GAP_PX, 0, 3), np.uint8)
    for style, result in zip(styles, results, strict=True):
        tile = np.concatenate([style, result], axis=1)
        tile = np.pad(tile, ((0, _GAP_PX), (0, 3 * _GAP_PX), (0, 0)))
        if row.shape[1] and row.shape[1] + tile.shape[1] > _SHEET_WIDTH_PX:
            rows.append(row)
            row = row[:, :0]
        row = np.concatenate([row, tile], axis=1)
    rows.append(row)
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows], axis=0)


@torch.no_grad()
def restyle_words(
    generator: Generator, words: Sequence[np.ndarray], styles: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Restyle each plain render (uint8 (H, W, 3)) after its style crop."""
    device = next(generator.parameters()).device
    results = []
    for word, style in zip(words, styles, strict=True):
        content = to_network([word])
        code = generator.encode_style(to_network([style]).to(device))
        results.extend(from_network(generator.restyle(content.to(device), code)))
    return results


def save_picture(image: np.ndarray, path: Path) -> None:
    """Write uint8 (H, W, 3) as PNG, enlarged so that patches can be judged by eye."""
    enlarged = image.repeat(_ENLARGE, axis=0).repeat(_ENLARGE, axis=1)
    with whole_file(path) as partial:
        Image.fromarray(enlarged).save(partial, format="PNG")
