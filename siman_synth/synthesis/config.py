"""The settings of a generation run; `--recipe` and `--set` change them."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from siman_synth.limits import Between, Share, check_settings
from siman_synth.render.word import RenderConfig
from siman_synth.synthesis.gate import GateConfig
from siman_synth.text.mixture import TextConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class StyleConfig:
    """Which crops may lend their style."""

    height_px: Annotated[int, Between(16, 128, multiple_of=4)] = 32
    """Height at which the network reads crops, or that of the words if it is less: the height of the crops it
    learned from (`data.height_px` of `pretrain`). Higher ones have strokes wider than any it saw, and
    their colours get lost: at 64 px one Chinese word in eight was too faint, now one in forty."""
    max_width_px: Annotated[int, Between(8, 8192)] = 256
    """Styles wider than this, as the network reads them, lend the style of their middle."""
    min_aspect: Annotated[float, Between(0, 100)] = 0.8
    """Crops narrower than this many heights are not used: they rarely hold a text line."""
    min_contrast: Annotated[int, Between(0, 255)] = 40
    """Least spread (5th to 95th percentile, 0 to 255, as read) of a crop with visible text."""
    scan_limit: Annotated[int, Between(0, 1_000_000)] = 20_000
    """Pools up to this size are looked at before the run, which takes seconds at the default and grows
    with the square; of larger ones crops are checked as they are drawn, all equally often."""
    balance: Share = 0.5
    """How far crops that look alike share their turns: 0 draws every crop equally often, 1 every look."""
    blend: Share = 0.0
    """Share of samples painted between the looks of two crops (docs/editing.md): off, since it was not shown
    to make recognizers better."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishConfig:
    """What happens to an image after the network."""

    image_format: Literal["jpeg", "png"] = "jpeg"
    """How images are stored."""
    jpeg_quality: Annotated[tuple[int, int], Between(1, 100)] = (60, 95)
    """Range of the JPEG quality, drawn for each sample."""
    full_chroma: Share = 0.5
    """Share of JPEGs that keep colour at full resolution (4:4:4); the others are 4:2:0."""
    match_sharpness: bool = True
    """Whether images are blurred until they are no sharper than the crop that lent its style."""
    noise_sigma: Annotated[tuple[float, float], Between(0, 100)] = (0.0, 3.0)
    """Range of the deviation of sensor noise, in grey levels."""
    vertical_image: Literal["turned", "upright"] = "turned"
    """How words that run downwards (`render.vertical`) are stored: turned to the left by 90 degrees, as high
    as all others, which is how PaddleOCR reads them; or upright, as wide as others are high."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionConfig:
    """How work is cut; part of the fingerprint, since batches decide the last bit of a pixel."""

    shard_size: Annotated[int, Between(1, 100_000)] = 500
    """Samples a shard: the unit of work, of failure and of resume."""
    batch_size: Annotated[int, Between(1, 65_536)] = 16
    """Words of equal width that pass through the network together."""
    width_step_px: Annotated[int, Between(4, 1024, multiple_of=4)] = 16
    """Words enter the network at multiples of this width (ground is added, and cut afterwards)."""
    max_attempts: Annotated[int, Between(1, 1000)] = 8
    """How often a sample is tried before its index is dropped."""
    max_dropped: Annotated[float, Between(0, 0.99)] = 0.02
    """The run fails when more than this share of the samples is dropped."""

    def __post_init__(self) -> None:
        check_settings(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateConfig:
    """Everything that decides what is generated, but for inputs, count, seed and device."""

    height_px: Annotated[int, Between(16, 128, multiple_of=4)] = 32
    """Output height, a multiple of 4; the width follows the text."""
    scene_share: Share = 0.0
    """Share of the words whose fonts, layouts, margins, damage, noise and JPEG quality are those of the
    recipe `scene`, whatever else this one says: variety for a narrow recipe. `fit` finds how much of it."""
    text: TextConfig = field(default_factory=TextConfig)
    """What is written."""
    render: RenderConfig = field(default_factory=RenderConfig)
    """How content is drawn: layouts and framing."""
    style: StyleConfig = field(default_factory=StyleConfig)
    """Which crops lend their style."""
    finish: FinishConfig = field(default_factory=FinishConfig)
    """Noise and encoding."""
    gate: GateConfig = field(default_factory=GateConfig)
    """What is rejected and resampled."""
    execution: ExecutionConfig = field(default_factory=ExecutionConfig)
    """Shards, batches, attempts."""

    def __post_init__(self) -> None:
        check_settings(self)
