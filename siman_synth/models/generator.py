"""Encoder, SimAN at every level, decoder: the network that a weights file holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple, cast

import torch
from torch import Tensor, nn

from siman_synth.errors import ConfigError
from siman_synth.limits import Between, check_settings
from siman_synth.models.decoder import Decoder
from siman_synth.models.encoder import PlainRenderEncoder, PyramidEncoder, ResNet29
from siman_synth.models.grain import Grain
from siman_synth.models.siman import SimilarityAwareNorm, StyleLevel

# Far beyond what is of use; what is more would fill the memory before it fails.
_Width = Annotated[int, Between(1, 1024)]
_Blocks = Annotated[int, Between(0, 32)]
_Stride = Annotated[int, Between(1, 16)]


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratorConfig:
    """The shape of the generator. Defaults are those of recipe `small`, but for `smooth`."""

    encoder: Literal["pyramid", "resnet29"] = "pyramid"
    """`pyramid` for a CPU, `resnet29` for the paper's backbone."""
    widths: tuple[_Width, _Width, _Width] = (24, 64, 96)
    """Encoder channels at strides 2, 4 and 8 (pyramid only; ResNet-29 is what it is)."""
    blocks: tuple[_Blocks, _Blocks, _Blocks] = (1, 2, 2)
    """Residual blocks at strides 2, 4 and 8 (pyramid only)."""
    decoder_widths: tuple[_Width, _Width] = (64, 40)
    """Decoder channels at the coarse and the fine SimAN level."""
    decoder_blocks: tuple[_Blocks, _Blocks] = (1, 1)
    """Decoder residual blocks at the coarse and the fine SimAN level."""
    paint_width: _Width = 12
    """Decoder channels at full resolution."""
    key_strides: tuple[_Stride, _Stride] = (1, 2)
    """Every how many style positions are keys, at the coarse and the fine SimAN level."""

    content: Literal["shared", "plain"] = "shared"
    """Who reads content: `shared`, the style's encoder, as in the paper; `plain`, a light encoder of its own,
    which reads plain renders only (train it with `augmentation.plain = 1`)."""
    smooth: bool = False
    """Whether pixel shuffles are kept from leaving a grid (see `models/decoder.py`)."""
    grain: bool = False
    """Whether noise is painted where the style is grainy."""

    def __post_init__(self) -> None:
        check_settings(self)
        if self.content == "plain" and self.encoder != "pyramid":
            raise ConfigError(f"content = 'plain' needs encoder = 'pyramid', found '{self.encoder}'.")


class Painting(NamedTuple):
    """A painted batch, float (B, 3, H, W) in [-1, 1]."""

    image: Tensor
    """With grain, where noise was given and the network paints it."""
    clean: Tensor
    """Without grain: what can be rebuilt."""


class Generator(nn.Module):
    """Rebuild content in the style of another image (paper, figure 2).

    Images are float (B, 3, H, W) in [-1, 1], H and W multiples of `stride`. Content and
    style may differ in width. `noise` is (B, 4, H, W) of the content's size (`models/grain.py`);
    without it, or where the config has no grain, nothing is left to chance.
    """

    stride = 4

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: PyramidEncoder | ResNet29 = (
            PyramidEncoder(config.widths, config.blocks) if config.encoder == "pyramid" else ResNet29()
        )
        self.content_encoder = (
            PlainRenderEncoder(self.encoder.channels) if config.content == "plain" else None
        )
        self.siman = nn.ModuleList(
            SimilarityAwareNorm(channels, key_stride)
            for channels, key_stride in zip(self.encoder.channels, config.key_strides, strict=True)
        )
        self.decoder = Decoder(
            self.encoder.channels,
            self.encoder.strides,
            config.decoder_widths,
            config.decoder_blocks,
            config.paint_width,
            config.smooth,
        )
        self.grain = Grain(self.encoder.channels[-1]) if config.grain else None

    def check_height(self, height_px: int) -> None:
        """Check that the network reads images of this height.

        Raises:
            ConfigError: it does not.
        """
        if self.encoder.height_px not in (None, height_px):
            raise ConfigError(
                f"These weights read images {self.encoder.height_px} px high ({self.config.encoder}), found "
                f"height_px = {height_px}. Use height_px = {self.encoder.height_px}, or other weights."
            )

    def encode_style(self, style: Tensor) -> list[StyleLevel]:
        """Read style images once; the result restyles any content."""
        return self._style_levels(self.encoder(style))

    def restyle(self, content: Tensor, style: Sequence[StyleLevel], noise: Tensor | None = None) -> Tensor:
        """Paint content images (B, 3, H, W) in encoded styles."""
        return self._paint(self.read_content(content), style, noise).image

    def forward(self, content: Tensor, style: Tensor, noise: Tensor | None = None) -> Painting:
        """Rebuild `content` (B, 3, H, W) in the style of `style` (B, 3, H, W')."""
        if content.shape == style.shape and self.content_encoder is None:
            # One pass over both is what training does, and a third faster than two.
            pairs = [level.chunk(2) for level in self.encoder(torch.cat([content, style]))]
            style_levels = self._style_levels(tuple(style for _, style in pairs))
            return self._paint(tuple(content for content, _ in pairs), style_levels, noise)
        return self._paint(self.read_content(content), self.encode_style(style), noise)

    def align(self, content: Sequence[Tensor], style: Sequence[StyleLevel]) -> list[Tensor]:
        """Give content levels the statistics of those places of the style that look alike.

        Returns the levels, (B, C_l, H_l, W_l), and behind them, where grain is painted, the deviation
        aligned with the finest.
        """
        restyled = [
            siman(level, level_style)
            for siman, level, level_style in zip(self.siman, content, style, strict=True)
        ]
        levels = [features for features, _ in restyled]
        return levels if self.grain is None else [*levels, restyled[-1][1]]

    def decode(self, aligned: Sequence[Tensor], noise: Tensor | None = None) -> Painting:
        """Paint what `align` returned."""
        image: Tensor = self.decoder(aligned[: len(self.siman)])
        clean = torch.tanh(image)
        if self.grain is None or noise is None:
            return Painting(clean, clean)
        return Painting(torch.tanh(image + self.grain(aligned[-1], noise)), clean)

    def read_content(self, content: Tensor) -> tuple[Tensor, ...]:
        """Return the levels of content images (B, 3, H, W), coarse to fine."""
        levels: tuple[Tensor, ...] = (self.content_encoder or self.encoder)(content)
        return levels

    def _style_levels(self, levels: tuple[Tensor, ...]) -> list[StyleLevel]:
        return [
            cast(SimilarityAwareNorm, siman).encode_style(level)
            for siman, level in zip(self.siman, levels, strict=True)
        ]

    def _paint(
        self, levels: tuple[Tensor, ...], style: Sequence[StyleLevel], noise: Tensor | None
    ) -> Painting:
        return self.decode(self.align(levels, style), noise)
