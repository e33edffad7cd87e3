"""A text recognizer: rectify, see, put into context, write.

Shapes: B batch, H x W pixels, T columns, C channels, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from siman_synth.errors import ConfigError, CropError
from siman_synth.limits import Between, check_settings
from siman_synth.models.encoder import PyramidEncoder, ResNet29
from siman_synth.models.generator import GeneratorConfig
from siman_synth.ocr.recognizer import Reading
from siman_synth.recognition.attention import END, AttentionDecoder, attention_loss
from siman_synth.recognition.charset import ALPHANUMERIC, BLANK, Charset
from siman_synth.recognition.columns import CrnnColumns, PyramidColumns, ResNetColumns
from siman_synth.recognition.context import Context
from siman_synth.recognition.ctc import ctc_loss, fits
from siman_synth.recognition.images import to_batch
from siman_synth.recognition.rectification import Rectification


@dataclass(frozen=True, kw_only=True, slots=True)
class RecognizerConfig:
    """The shape of a recognizer. Defaults are the preset `crnn`."""

    encoder: Literal["crnn", "pyramid", "resnet29"] = "crnn"
    """`crnn` for a CPU, `pyramid` or `resnet29` to start from a SimAN encoder."""
    rectify: bool = False
    """Whether a thin-plate spline straightens words first."""
    context_layers: Annotated[int, Between(0, 8)] = 1
    """Bidirectional LSTMs over the columns."""
    hidden: Annotated[int, Between(1, 4096)] = 96
    """Units of an LSTM in each direction."""
    decoder: Literal["ctc", "attention"] = "ctc"
    """How columns become characters."""
    charset: str = ALPHANUMERIC
    """The characters it can write."""
    height_px: Annotated[int, Between(16, 512, multiple_of=16)] = 32
    """Height that words are resized to."""
    width_px: Annotated[int, Between(4, 8192, multiple_of=4)] = 100
    """Width that words are resized to, whatever their aspect."""
    longest: Annotated[int, Between(1, 2048)] = 25
    """The most characters that the attention decoder writes."""

    def __post_init__(self) -> None:
        check_settings(self)
        Charset(self.charset)
        if self.encoder == "resnet29" and self.height_px != 32:
            raise ConfigError(f"resnet29 reads images 32 px high, found height_px = {self.height_px}.")


_PAPER = RecognizerConfig(encoder="resnet29", rectify=True, context_layers=2, hidden=256)
PRESETS = {
    "crnn": RecognizerConfig(),
    "small": RecognizerConfig(encoder="pyramid", hidden=128),
    "trbc": _PAPER,
    "trba": replace(_PAPER, decoder="attention"),
}
"""`trbc` and `trba` are the paper's: rectification, ResNet-29, two LSTMs, CTC or attention."""


class Recognizer(nn.Module):
    """Read word images, float (B, 3, H, W) in [-1, 1] of the configuration's size.

    Args:
        config: its shape.
        generator: shape of the SimAN generator that the `pyramid` encoder belongs to.
    """

    def __init__(self, config: RecognizerConfig, generator: GeneratorConfig | None = None) -> None:
        super().__init__()
        self.config = config
        self.generator = generator or GeneratorConfig()
        """Shape of the SimAN generator that the encoder belongs to."""
        self._frozen = False
        self.charset = Charset(config.charset)
        self.rectification = Rectification(config.height_px, config.width_px) if config.rectify else None
        self.columns = _columns(config, self.generator)
        self.context = Context(
            self.columns.channels, config.hidden, config.context_layers, project=config.encoder != "crnn"
        )
        channels, classes = self.context.channels, self.charset.classes
        self.decoder: nn.Linear | AttentionDecoder = (
            nn.Linear(channels, classes)
            if config.decoder == "ctc"
            else AttentionDecoder(channels, classes, config.hidden, config.longest)
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        """Return columns in context, (B, T, C)."""
        if self.rectification is not None:
            images = self.rectification(images)
        columns: Tensor = self.context(self.columns(images))
        return columns

    @property
    def encoder(self) -> nn.Module:
        """What a SimAN encoder's weights fit into.

        Raises:
            ConfigError: the preset has no such encoder.
        """
        if isinstance(self.columns, CrnnColumns):
            raise ConfigError("A recognizer with encoder 'crnn' holds no SimAN encoder. Use another preset.")
        return self.columns.encoder

    def freeze_encoder(self) -> None:
        """Keep the encoder as it is from now on, its batch statistics too."""
        self.encoder.requires_grad_(False)
        self._frozen = True
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """Set the mode; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if self._frozen:
            self.encoder.eval()
        return self

    def loss(self, images: Tensor, labels: Sequence[Sequence[int]]) -> Tensor:
        """Return the mean of -log p for labels as classes (`Charset.encode`).

        With CTC it is the mean over words of the mean over characters, with attention that over characters.
        """
        return self.loss_of(self(images), labels)

    def loss_of(self, columns: Tensor, labels: Sequence[Sequence[int]]) -> Tensor:
        """Return the loss of columns in context, (B, T, C), as `forward` makes them."""
        if isinstance(self.decoder, AttentionDecoder):
            return attention_loss(self.decoder, columns, labels)
        return ctc_loss(self._log_probabilities(columns), labels)

    def weight(self, labels: Sequence[Sequence[int]]) -> int:
        """Return how much labels weigh in the mean that `loss` returns: words, or characters and ends."""
        return sum(len(label) + 1 for label in labels) if self.config.decoder == "attention" else len(labels)

    def fits(self, label: Sequence[int]) -> bool:
        """Whether a label, as classes, is not too long to be learned."""
        if self.config.decoder == "attention":
            return 0 < len(label) <= self.config.longest
        return len(label) > 0 and fits(label, self.config.width_px // 4)

    def read(self, images: Sequence[np.ndarray], batch_size: int = 128) -> list[Reading]:
        """Read uint8 (H, W, 3) word images of any size, greedily.

        A score is the product of the probabilities of the characters.

        Raises:
            CropError: something among them is no such image.
        """
        for image in images:
            if not isinstance(image, np.ndarray) or image.ndim != 3 or image.shape[2] != 3 or not image.size:
                found = image.shape if isinstance(image, np.ndarray) else type(image).__name__
                raise CropError(f"RGB pictures are needed, uint8 (H, W, 3), in a list; found {found}.")
        device = next(self.parameters()).device
        was_training = self.training
        self.eval()
        readings: list[Reading] = []
        with torch.inference_mode():
            for start in range(0, len(images), batch_size):
                batch = to_batch(
                    images[start : start + batch_size], self.config.height_px, self.config.width_px
                )
                readings += self._read(self(batch.to(device)))
        self.train(was_training)
        return readings

    def _read(self, columns: Tensor) -> list[Reading]:
        if isinstance(self.decoder, AttentionDecoder):
            classes, chances = self.decoder.read(columns)
            ends = [row.index(END) if END in row else len(row) for row in classes.tolist()]
            return [
                Reading(self.charset.decode(row[:end]), float(chance[: end + 1].prod()))
                for row, chance, end in zip(classes.tolist(), chances, ends, strict=True)
            ]
        return [self._best_path(chances) for chances in self._log_probabilities(columns).exp().unbind(1)]

    def _best_path(self, chances: Tensor) -> Reading:
        """Read probabilities (T, K): the best class of each column, repeats merged, blanks left out."""
        best, path = chances.float().max(dim=1)
        score, characters, before = 1.0, [], BLANK
        # A character's probability is the best of the columns that it was merged from.
        for number, chance in zip(path.tolist(), best.tolist(), strict=True):
            if number != BLANK and number != before:
                characters.append([number, chance])
            elif number != BLANK:
                characters[-1][1] = max(characters[-1][1], chance)
            before = number
        for _, chance in characters:
            score *= chance
        return Reading(self.charset.decode([int(number) for number, _ in characters]), score)

    def _log_probabilities(self, columns: Tensor) -> Tensor:
        """Return (T, B, K), time first as CTC wants it."""
        return functional.log_softmax(self.decoder(columns).float(), dim=2).transpose(0, 1)


def _columns(
    config: RecognizerConfig, generator: GeneratorConfig
) -> CrnnColumns | PyramidColumns | ResNetColumns:
    if config.encoder == "crnn":
        return CrnnColumns(height_px=config.height_px)
    if config.encoder == "resnet29":
        return ResNetColumns(ResNet29())
    encoder = PyramidEncoder(generator.widths, generator.blocks)
    return PyramidColumns(encoder, 2 * config.hidden, config.height_px)
