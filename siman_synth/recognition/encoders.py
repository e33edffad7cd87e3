"""The encoder of trained weights as a product of its own: a module with feature maps, or a file for others.

Shapes: B batch, C channels, H x W pixels.
"""

import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from siman_synth.errors import WeightsError
from siman_synth.files import utf8_name, write_bytes
from siman_synth.models.bundled import BUNDLED, weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.models.device import resolve_device
from siman_synth.models.encoder import PyramidEncoder, ResNet29
from siman_synth.recognition.file_names import recognizer_file
from siman_synth.recognition.weights import RECOGNIZER_FORMAT, load_recognizer

DTRB_PREFIX = "module.FeatureExtraction.ConvNet."
"""Where the deep text recognition benchmark's wrapped model keeps its ResNet."""


class FeatureEncoder(nn.Module):
    """Feature maps of word images by level, from fine to coarse.

    Args:
        encoder: a SimAN encoder; it is trained or frozen as any module.
    """

    def __init__(self, encoder: PyramidEncoder | ResNet29) -> None:
        super().__init__()
        self.encoder = encoder
        self.channels = tuple(reversed(encoder.channels))
        """Of each level."""
        self.strides = tuple(reversed(encoder.strides))
        """Horizontal pixels that a position of each level stands for."""
        self.height_px = encoder.height_px
        """The only height of images that it reads, None for any multiple of 4."""

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map RGB images, float (B, 3, H, W) in [-1, 1], W a multiple of 4, to a map (B, C, h, w) a level."""
        return list(reversed(self.encoder(images)))


def load_encoder(weights: str | Path = BUNDLED, device: torch.device | str = "cpu") -> FeatureEncoder:
    """Return the encoder of SimAN weights or of a recognizer, in evaluation mode, its weights trainable.

        encoder = load_encoder("bundled")
        fine, coarse = encoder(images)

    Args:
        weights: a file, the folder of a run of `pretrain` or `recognizer train`, or "bundled".
        device: where it is to run.

    Raises:
        WeightsError: the file cannot be read, or is a recognizer without a SimAN encoder.
        ConfigError: there is no such device.
    """
    path = encoder_file(weights)
    if is_recognizer(path):
        recognizer = load_recognizer(path).recognizer
        if recognizer.config.encoder == "crnn":
            raise WeightsError(f"{path} holds a recognizer of kind crnn, which has no SimAN encoder.")
        encoder = recognizer.encoder
    else:
        encoder = load_generator(path).generator.encoder
    assert isinstance(encoder, PyramidEncoder | ResNet29)
    return FeatureEncoder(encoder).requires_grad_(True).eval().to(resolve_device(str(device)))


def encoder_file(weights: str | Path) -> Path:
    """Return the file that is meant: itself, what a run left in its folder, or the bundled one.

    Raises:
        WeightsError: the bundled weights are missing.
    """
    return recognizer_file(weights_file(weights))


def is_recognizer(path: Path) -> bool:
    """Whether a file says that it is one; files that say nothing are left to the readers of the others."""
    try:
        with utf8_name(path) as name, safe_open(name, framework="pt") as file:
            return (file.metadata() or {}).get("format") == RECOGNIZER_FORMAT
    except (OSError, SafetensorError):
        return False


def export_encoder(weights: str | Path, layout: str, out: Path) -> int:
    """Write an encoder's state dict as a file for `torch.load`; return how many tensors it holds.

    Args:
        weights: as `load_encoder` takes them.
        layout: "torch" for our own names, or "dtrb" for those of the deep text recognition benchmark's
            ResNet feature extractor in its wrapped model, as its `train.py --FT --saved_model` takes it
            (`--rgb --FeatureExtraction ResNet`).
        out: a file, written whole or not at all.

    Raises:
        WeightsError: `weights` cannot be read, or "dtrb" is asked of another encoder than ResNet-29.
    """
    encoder = load_encoder(weights).encoder
    state: Mapping[str, Tensor] = encoder.state_dict()
    if layout == "dtrb":
        if not isinstance(encoder, ResNet29):
            raise WeightsError(
                f"{encoder_file(weights)} holds a pyramid encoder, and the benchmark reads ResNet-29. "
                "Pretrain with the recipe paper, or export with the layout torch."
            )
        state = {DTRB_PREFIX + name: state[ours] for name, ours in dtrb_names(state)}
    buffer = io.BytesIO()
    torch.save({name: tensor.contiguous() for name, tensor in state.items()}, buffer)
    write_bytes(out, buffer.getvalue())
    return len(state)


def dtrb_names(state: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Yield the benchmark's name and ours of each tensor of a ResNet-29's state dict."""
    for ours in state:
        *path, kind, part = ours.split(".")
        if len(path) == 1:
            stem = path[0] if kind == "conv" else path[0].replace("conv", "bn")
        else:
            layer, number, place = path
            stem = (
                f"{layer}.{number}."
                + {
                    ("first", "conv"): "conv1",
                    ("first", "norm"): "bn1",
                    ("second", "conv"): "conv2",
                    ("second", "norm"): "bn2",
                    ("shortcut", "conv"): "downsample.0",
                    ("shortcut", "norm"): "downsample.1",
                }[place, kind]
            )
        yield f"{stem}.{part}", ours
