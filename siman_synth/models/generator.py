"""Encoder, SimAN at every level, decoder: the network that a weights file holds."""

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from siman_synth.models.blocks import mask_at
from siman_synth.models.decoder import Decoder
from siman_synth.models.encoder import PyramidEncoder, ResNet29
from siman_synth.models.siman import SimilarityAwareNorm, StyleLevel


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneratorConfig:
    """The shape of the generator. Defaults are the `small` preset."""

    encoder: Literal["pyramid", "resnet29"] = "pyramid"
    """`pyramid` for a CPU, `resnet29` for the paper's backbone."""
    widths: tuple[int, int, int] = (24, 64, 96)
    """Encoder channels at strides 2, 4 and 8 (pyramid only; ResNet-29 is what it is)."""
    blocks: tuple[int, int, int] = (1, 2, 2)
    """Residual blocks at strides 2, 4 and 8 (pyramid only)."""
    decoder_widths: tuple[int, int] = (64, 40)
    """Decoder channels at the coarse and the fine SimAN level."""
    decoder_blocks: tuple[int, int] = (1, 1)
    """Decoder residual blocks at the coarse and the fine SimAN level."""
    paint_width: int = 12
    """Decoder channels at full resolution."""
    key_strides: tuple[int, int] = (1, 2)
    """Every how many style positions are keys, at the coarse and the fine SimAN level."""

    def __post_init__(self) -> None:
        for name in ("widths", "decoder_widths", "key_strides"):
            if min(getattr(self, name)) < 1:
                raise ValueError(f"{name} must be positive, found {getattr(self, name)}.")
        if self.paint_width < 1:
            raise ValueError(f"paint_width must be positive, found {self.paint_width}.")


class Generator(nn.Module):
    """Rebuild content in the style of another image (paper, figure 2).

    Images are float (B, 3, H, W) in [-1, 1], H and W multiples of `stride`. Content and
    style may differ in width; column masks (B, 1, 1, W) mark the real columns of a padded
    batch.
    """

    stride = 4

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: PyramidEncoder | ResNet29 = (
            PyramidEncoder(config.widths, config.blocks) if config.encoder == "pyramid" else ResNet29()
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
        )

    def encode_style(self, style: Tensor, mask: Tensor | None = None) -> list[StyleLevel]:
        """Read style images once; the result restyles any content."""
        return self._style_levels(self.encoder(style, mask), mask)

    def restyle(self, content: Tensor, style: list[StyleLevel], mask: Tensor | None = None) -> Tensor:
        """Paint content images (B, 3, H, W) in encoded styles."""
        return self._paint(self.encoder(content, mask), style, mask)

    def forward(
        self,
        content: Tensor,
        style: Tensor,
        content_mask: Tensor | None = None,
        style_mask: Tensor | None = None,
    ) -> Tensor:
        """Rebuild `content` (B, 3, H, W) in the style of `style` (B, 3, H, W')."""
        if content.shape == style.shape and content_mask is None and style_mask is None:
            # One pass over both is what training does, and a third faster than two.
            pairs = [level.chunk(2) for level in self.encoder(torch.cat([content, style]))]
            style_levels = self._style_levels(tuple(style for _, style in pairs), None)
            return self._paint(tuple(content for content, _ in pairs), style_levels, None)
        return self.restyle(content, self.encode_style(style, style_mask), content_mask)

    def _style_levels(self, levels: tuple[Tensor, ...], mask: Tensor | None) -> list[StyleLevel]:
        return [
            cast(SimilarityAwareNorm, siman).encode_style(level, mask_at(mask, stride))
            for siman, level, stride in zip(self.siman, levels, self.encoder.strides, strict=True)
        ]

    def _paint(self, levels: tuple[Tensor, ...], style: list[StyleLevel], mask: Tensor | None) -> Tensor:
        restyled = [
            siman(level, level_style, mask_at(mask, stride))
            for siman, level, level_style, stride in zip(
                self.siman, levels, style, self.encoder.strides, strict=True
            )
        ]
        image: Tensor = self.decoder(restyled, mask)
        return image
