"""The trained network in three steps: read styles, give them to content, paint what comes of it.

The steps can be taken one by one: what lies between them may be kept, mixed or replaced.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from siman_synth import stopping
from siman_synth.errors import GenerationError, SimanError
from siman_synth.imaging.width_batches import width_batches
from siman_synth.models.generator import Generator
from siman_synth.models.grain import NoiseTile
from siman_synth.models.images import from_network, to_network
from siman_synth.models.siman import StyleLevel, instance_norm
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import ExecutionConfig
from siman_synth.synthesis.style import Style

MARGIN_PX = 8
"""Ground added at both sides before the network and cut after it. A letter at the very edge
takes its style from the crop's edges, where real crops have margins and neighbours: without
this, first and last letters fade (300 words, PP-OCR: 93.3 % read without, 95.3 % with)."""


@dataclass(frozen=True, slots=True)
class StyleCode:
    """What the network reads in one style."""

    levels: tuple[StyleLevel, ...]
    """One for each level of the network, coarse to fine, with B = 1."""


@dataclass(frozen=True, slots=True)
class StyledContent:
    """The features of one word after a style was given to them; those of equal masks can be mixed."""

    levels: tuple[Tensor, ...]
    """(1, C_l, H_l, W_l) for each level of the network, coarse to fine."""
    width_px: int
    """Width of the word; the features have margins."""
    grain: int = 0
    """What the noise of its grain follows from."""


class Painter:
    """Paints ink masks in the styles of crops.

    What it returns depends on what it is given, never on what it was given before: nothing is
    remembered between calls. Give it many words at once: words of like width pass through the
    network together.
    """

    def __init__(self, generator: Generator, device: torch.device, execution: ExecutionConfig) -> None:
        self._generator = generator
        self._device = device
        self._execution = execution
        self._tile = NoiseTile() if generator.grain is not None else None

    def restyle(self, masks: Sequence[np.ndarray], styles: Sequence[Style]) -> list[np.ndarray]:
        """Paint ink masks, uint8 (H, W_i), each in its style; returns uint8 (H, W_i, 3).

        All heights are equal; widths are multiples of the network's stride.

        Raises:
            GenerationError: the network's output is not finite.
        """
        _check_counts(masks, styles)
        return self.paint(masks, self.encode_style(styles))

    def encode_style(self, styles: Sequence[Style]) -> list[StyleCode]:
        """Return the code of each style; equal ones are read once."""
        # The pixels are part of the key: two crops may share a name.
        keys = [(style.id, style.image.shape[1], hash(style.image.tobytes())) for style in styles]
        different = dict(zip(keys, styles, strict=True))
        waiting = list(different.items())
        codes: dict[tuple[str, int, int], StyleCode] = {}
        with torch.inference_mode(), self._precision():
            for batch in self._batches([style.image.shape[1] for _, style in waiting]):
                images = to_network([waiting[i][1].image for i in batch])
                levels = self._generator.encode_style(images.to(self._device))
                for row, i in enumerate(batch):
                    codes[waiting[i][0]] = StyleCode(tuple(_row(level, row) for level in levels))
        return [codes[key] for key in keys]

    def paint(self, masks: Sequence[np.ndarray], codes: Sequence[StyleCode]) -> list[np.ndarray]:
        """Paint ink masks in encoded styles: `decode(align(masks, codes))`, with the memory of a batch."""
        _check_counts(masks, codes)
        images: dict[int, np.ndarray] = {}
        with torch.inference_mode(), self._precision():
            for batch, levels in self._aligned(masks, codes):
                grains = [_grain(masks[i]) for i in batch]
                images.update(zip(batch, self._decoded(levels, grains), strict=True))
        return [_without_margins(images[i], mask.shape[1]) for i, mask in enumerate(masks)]

    def align(self, masks: Sequence[np.ndarray], codes: Sequence[StyleCode]) -> list[StyledContent]:
        """Give each mask's content the statistics of those places of its style that look alike.

        A word of 128 px takes about 400 KB.
        """
        _check_counts(masks, codes)
        aligned: dict[int, StyledContent] = {}
        with torch.inference_mode(), self._precision():
            for batch, levels in self._aligned(masks, codes):
                for row, i in enumerate(batch):
                    own = tuple(level[row : row + 1] for level in levels)
                    aligned[i] = StyledContent(own, masks[i].shape[1], _grain(masks[i]))
        return [aligned[i] for i in range(len(masks))]

    def align_between(
        self, mask: np.ndarray, other: np.ndarray, share: float, code: StyleCode
    ) -> StyledContent:
        """As `align`, for content between two masks of one size: `share` of the way to the other.

        What is mixed are the network's features of both masks, so letters that differ in shape pass
        into one another where they lie on each other.
        """
        framed = [with_margins(one, self._execution.width_step_px) for one in (mask, other)]
        with torch.inference_mode(), self._precision():
            images = to_network([plain_image(one) for one in framed])
            levels = self._generator.read_content(images.to(self._device))
            contents = [torch.lerp(level[:1], level[1:], share) for level in levels]
            aligned = self._generator.align(contents, list(code.levels))
        return StyledContent(tuple(aligned), mask.shape[1], _grain(mask))

    def decode(self, aligned: Sequence[StyledContent]) -> list[np.ndarray]:
        """Paint what `align` returned, as uint8 (H, W_i, 3)."""
        images: dict[int, np.ndarray] = {}
        with torch.inference_mode(), self._precision():
            for batch in self._batches([word.levels[0].shape[-1] for word in aligned]):
                levels = [torch.cat(one) for one in zip(*(aligned[i].levels for i in batch), strict=True)]
                painted = self._decoded(levels, [aligned[i].grain for i in batch])
                images.update(zip(batch, painted, strict=True))
        return [_without_margins(images[i], word.width_px) for i, word in enumerate(aligned)]

    def features(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return the encoder's features of pictures, uint8 (H, W_i, 3), as vectors: distances of looks.

        Sides are multiples of the network's stride. Every level counts the same, whatever its scale.
        """
        found = []
        with torch.inference_mode(), self._precision():
            for image in images:
                levels = self._generator.encoder(to_network([image]).to(self._device))
                parts = [level.float().flatten().cpu().numpy() / level[0].numel() ** 0.5 for level in levels]
                found.append(np.concatenate(parts))
        return found

    def correlations(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return how the encoder's instance-normalised features vary together, a vector a picture.

        It says how strokes look, not which letters they form or where those stand.
        """
        found = []
        with torch.inference_mode(), self._precision():
            for image in images:
                parts = []
                for level in self._generator.encoder(to_network([image]).to(self._device)):
                    values = instance_norm(level)[0].flatten(1)
                    matrix = values @ values.T / values.shape[1]
                    rows, columns = torch.triu_indices(*matrix.shape, device=matrix.device)
                    parts.append(matrix[rows, columns].cpu().numpy() / len(rows) ** 0.5)
                found.append(np.concatenate(parts))
        return found

    def _aligned(
        self, masks: Sequence[np.ndarray], codes: Sequence[StyleCode]
    ) -> Iterator[tuple[list[int], list[Tensor]]]:
        """Yield the numbers of the masks of a batch, and their styled features level by level."""
        network = self._generator
        framed = [with_margins(mask, self._execution.width_step_px) for mask in masks]
        for batch in self._batches([mask.shape[1] for mask in framed]):
            images = to_network([plain_image(framed[i]) for i in batch])
            contents = network.read_content(images.to(self._device))
            styles = [_stacked(levels) for levels in zip(*(codes[i].levels for i in batch), strict=True)]
            yield batch, network.align(contents, styles)

    def _decoded(self, levels: Sequence[Tensor], grains: Sequence[int]) -> list[np.ndarray]:
        painted = self._generator.decode(levels, self._noise(levels[-1], grains)).image
        # Pixels lie between -1 and 1, so that their sum is a number if they all are.
        if not bool(painted.sum().isfinite()):
            raise GenerationError(
                "The network painted values that are not numbers: its weights are damaged, or were "
                "trained too fast. Use other weights."
            )
        return from_network(painted)

    def _noise(self, finest: Tensor, grains: Sequence[int]) -> Tensor | None:
        if self._tile is None:
            return None
        rows, columns = (self._generator.encoder.strides[-1] * size for size in finest.shape[-2:])
        cuts = [self._tile.cut(rows, columns, sample_rng(seed, "grain")) for seed in grains]
        return torch.from_numpy(np.stack(cuts)).to(self._device)

    def _batches(self, widths_px: Sequence[int]) -> Iterator[list[int]]:
        for batch in width_batches(widths_px, self._execution.batch_size):
            stopping.check()
            yield batch

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda")


def blended(one: StyledContent, other: StyledContent, share: float) -> StyledContent:
    """Return content in a style between two: `share` of the way from one to the other, 0 to 1.

    Both are the same mask, aligned with different styles. SimAN gives normalised content q the mean m and
    the deviation s aligned with a style: q s + m. That is linear in both, so mixing the results mixes means
    and deviations, place by place, before anything is painted.
    """
    levels = [torch.lerp(a, b, share) for a, b in zip(one.levels, other.levels, strict=True)]
    return StyledContent(tuple(levels), one.width_px, one.grain)


def plain_image(mask: np.ndarray) -> np.ndarray:
    """Turn an ink mask, uint8 (H, W), into black ink on white, uint8 (H, W, 3).

    Which colours hardly matters: training content is broken into random ones, and instance
    normalisation of its features removes what is left.
    """
    return np.repeat((255 - mask)[..., None], 3, axis=2)


def with_margins(mask: np.ndarray, step: int) -> np.ndarray:
    """Add ground to an ink mask, uint8 (H, W): the margin at both sides, and up to a multiple of `step`."""
    surplus = -(mask.shape[1] + 2 * MARGIN_PX) % step
    return np.pad(mask, ((0, 0), (MARGIN_PX, MARGIN_PX + surplus)))


def _without_margins(image: np.ndarray, width_px: int) -> np.ndarray:
    return image[:, MARGIN_PX : MARGIN_PX + width_px]


def _grain(mask: np.ndarray) -> int:
    """Return what a word's noise follows from: the word itself, so that equal input gives equal output."""
    return zlib.crc32(mask.tobytes())


def _check_counts(words: Sequence[object], styles: Sequence[object]) -> None:
    if len(words) != len(styles):
        raise SimanError(f"Each word needs a style, found {len(styles)} for {len(words)}.")


def _row(level: StyleLevel, row: int) -> StyleLevel:
    return StyleLevel(level.keys[row : row + 1], level.values[row : row + 1])


def _stacked(levels: Sequence[StyleLevel]) -> StyleLevel:
    """Stack one level of several styles, padding short ones."""
    lengths = [level.keys.shape[1] for level in levels]
    longest = max(lengths)
    valid: Tensor | None = None
    if min(lengths) < longest:
        positions = torch.arange(longest, device=levels[0].keys.device)
        valid = positions < torch.tensor(lengths, device=positions.device)[:, None]
    return StyleLevel(
        keys=torch.cat([_padded(level.keys, longest) for level in levels]),
        values=torch.cat([_padded(level.values, longest) for level in levels]),
        valid=valid,
        lengths=tuple(lengths),
    )


def _padded(x: Tensor, length: int) -> Tensor:
    missing = length - x.shape[1]
    return functional.pad(x, (0, 0, 0, missing)) if missing else x
