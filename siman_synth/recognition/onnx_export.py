"""A recognizer as an ONNX file, for programs without torch."""

import io
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from siman_synth.extras import require
from siman_synth.files import write_bytes
from siman_synth.recognition.attention import START, AttentionDecoder
from siman_synth.recognition.recognizer import Recognizer

_OPSET = 17
"""The least that holds the sampling of rectification, and read by every onnxruntime since 1.13."""


def export_onnx(recognizer: Recognizer, out: Path) -> None:
    """Write a recognizer, for any number of images at once.

    Input `images` is float (B, 3, H, W): RGB, resized to the recognizer's size whatever the aspect,
    from 0 to 255 mapped to -1 to 1. Output `probabilities` is (B, T, K). The metadata say how to read
    it: `characters` (class 1 is the first), `decoder`, `height_px`, `width_px`.
    With `ctc` take the best class of each step, merge repeats, leave out class 0; with `attention`
    take the best class of each step up to the first class 0.

    Args:
        recognizer: is not changed.
        out: a file, written whole or not at all.

    Raises:
        MissingPackageError: the package onnx is missing.
    """
    require("onnx", "Writing ONNX", ("onnx",))
    import onnx

    config = recognizer.config
    images = torch.zeros(2, 3, config.height_px, config.width_px, device=next(recognizer.parameters()).device)
    module = _Probabilities(recognizer).train(recognizer.training)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that needs no further package is deprecated, and warns of shapes that are fixed here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            (images,),
            buffer,  # type: ignore[arg-type]  # the exporter asked for takes it
            dynamo=False,
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_axes={"images": {0: "batch"}, "probabilities": {0: "batch"}},
            opset_version=_OPSET,
        )
    model = onnx.load_from_string(buffer.getvalue())
    metadata = {
        "characters": config.charset,
        "decoder": config.decoder,
        "height_px": str(config.height_px),
        "width_px": str(config.width_px),
    }
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(model)
    write_bytes(out, model.SerializeToString())


class _Probabilities(nn.Module):
    """A recognizer with one output, written in operations that the exporter knows."""

    def __init__(self, recognizer: Recognizer) -> None:
        super().__init__()
        self.recognizer = recognizer

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, T, K)."""
        columns = self.recognizer(images)
        decoder = self.recognizer.decoder
        if isinstance(decoder, AttentionDecoder):
            return _greedy(decoder, columns)
        logits: Tensor = decoder(columns)
        return logits.softmax(dim=2)


def _greedy(decoder: AttentionDecoder, columns: Tensor) -> Tensor:
    """Read as `AttentionDecoder.read` does, to the end, keeping all probabilities."""
    cell, units = decoder.cell, decoder.hidden
    hidden = state = (columns[:, 0, :1] * 0).expand(-1, units)
    keys = decoder.columns_in(columns)
    characters = torch.eye(decoder.classes, device=columns.device)
    before = characters[START].expand(columns.shape[0], -1)
    steps = []
    for _ in range(decoder.longest + 1):
        energy = decoder.score(torch.tanh(keys + decoder.state_in(hidden)[:, None]))
        glimpse = (torch.softmax(energy, dim=1) * columns).sum(dim=1)
        gates = torch.cat([glimpse, before], dim=1) @ cell.weight_ih.T + cell.bias_ih
        gates = gates + hidden @ cell.weight_hh.T + cell.bias_hh
        enter, forget, fresh, leave = (gates[:, units * i : units * (i + 1)] for i in range(4))
        state = forget.sigmoid() * state + enter.sigmoid() * fresh.tanh()
        hidden = leave.sigmoid() * state.tanh()
        chances = decoder.classify(hidden).softmax(dim=1)
        before = characters[chances.argmax(dim=1)]
        steps.append(chances)
    return torch.stack(steps, dim=1)
