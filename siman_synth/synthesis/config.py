"""The settings of a generation run; `--recipe` and `--set` change them."""

from dataclasses import dataclass, field
from typing import Literal

from siman_synth.limits import check_range, check_share
from siman_synth.render.word import RenderConfig
from siman_synth.synthesis.quality import GateConfig
from siman_synth.text.mixture import TextConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class StyleConfig:
    """Which crops may lend their style."""

    max_width_px: int = 256
    """Styles wider than this, at output height, lend the style of their middle."""
    min_aspect: float = 0.8
    """Crops narrower than this many heights are not used: they rarely hold a text line."""
    min_contrast: int = 40
    """Least spread (5th to 95th percentile, 0 to 255, at output height) of a crop with visible text."""
    scan_limit: int = 20_000
    """Pools up to this size are looked at before the run, which takes seconds at the default and grows
    with the square; of larger ones crops are checked as they are drawn, all equally often."""
    balance: float = 0.5
    """How far crops that look alike share their turns: 0 draws every crop equally often, 1 every look."""

    def __post_init__(self) -> None:
        if self.max_width_px < 8:
            raise ValueError(f"max_width_px must be at least 8, found {self.max_width_px}.")
        if self.min_aspect < 0:
            raise ValueError(f"min_aspect must not be negative, found {self.min_aspect}.")
        if self.scan_limit < 0:
            raise ValueError(f"scan_limit must not be negative, found {self.scan_limit}.")
        check_share("balance", self.balance)
        if not 0 <= self.min_contrast <= 255:
            raise ValueError(f"min_contrast must be in 0..255, found {self.min_contrast}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class FinishConfig:
    """What happens to an image after the network."""

    image_format: Literal["jpeg", "png"] = "jpeg"
    """How images are stored."""
    jpeg_quality: tuple[int, int] = (60, 95)
    """Range of the JPEG quality, drawn for each sample."""
    full_chroma: float = 0.5
    """Share of JPEGs that keep colour at full resolution (4:4:4); the others are 4:2:0."""
    match_sharpness: bool = True
    """Whether images are blurred until they are no sharper than the crop that lent its style."""
    noise_sigma: tuple[float, float] = (0.0, 3.0)
    """Range of the deviation of sensor noise, in grey levels."""

    def __post_init__(self) -> None:
        check_range("jpeg_quality", self.jpeg_quality, 1, 100)
        check_share("full_chroma", self.full_chroma)
        check_range("noise_sigma", self.noise_sigma, 0, 100)


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionConfig:
    """How work is cut; part of the fingerprint, since batches decide the last bit of a pixel."""

    shard_size: int = 500
    """Samples a shard: the unit of work, of failure and of resume."""
    batch_size: int = 16
    """Words of equal width that pass through the network together."""
    width_step_px: int = 16
    """Words enter the network at multiples of this width (ground is added, and cut afterwards)."""
    max_attempts: int = 8
    """How often a sample is drawn anew before its index is dropped."""
    max_dropped: float = 0.02
    """The run fails when more than this share of the samples is dropped."""

    def __post_init__(self) -> None:
        for name in ("shard_size", "batch_size", "max_attempts"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, found {getattr(self, name)}.")
        if self.width_step_px < 4 or self.width_step_px % 4:
            raise ValueError(f"width_step_px must be a multiple of 4, found {self.width_step_px}.")
        if not 0.0 <= self.max_dropped < 1.0:
            raise ValueError(f"max_dropped must be in [0, 1), found {self.max_dropped}.")


@dataclass(frozen=True, kw_only=True, slots=True)
class GenerateConfig:
    """Everything that decides what is generated, but for inputs, count, seed and device."""

    height_px: int = 32
    """Output height, a multiple of 4; the width follows the text."""
    text: TextConfig = field(default_factory=TextConfig)
    """What is written."""
    render: RenderConfig = field(default_factory=RenderConfig)
    """How content is drawn: layouts and framing."""
    style: StyleConfig = field(default_factory=StyleConfig)
    """Which crops lend their style."""
    finish: FinishConfig = field(default_factory=FinishConfig)
    """Noise and encoding."""
    gate: GateConfig = field(default_factory=GateConfig)
    """What is rejected and drawn anew."""
    execution: ExecutionConfig = field(default_factory=ExecutionConfig)
    """Shards, batches, attempts."""

    def __post_init__(self) -> None:
        if self.height_px < 16 or self.height_px % 4:
            raise ValueError(f"height_px must be a multiple of 4, at least 16; found {self.height_px}.")
