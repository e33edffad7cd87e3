"""PP-OCR's recognition network, whose weights are inside the PyPI package `rapidocr`.

Only words are read: no detection, no rotation. An image is scaled to the network's height of 48
and padded at the right to a multiple of 32 px; images of one such width go through together. So a
reading depends on its image alone. (`rapidocr` itself pads to at least 320 px and to the widest
image of a batch: 2.4 times slower on words, and no more accurate.)
"""

import importlib.metadata
import importlib.util
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth import stopping
from siman_synth.extras import MissingPackageError, require
from siman_synth.imaging.width_batches import width_batches
from siman_synth.ocr.comparison import is_unsure
from siman_synth.ocr.recognizer import Image, Reading

_HEIGHT_PX = 48
_WIDTH_STEP_PX = 32
_MAX_WIDTH_PX = 2048
_BATCH = 16
_BLANK = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """A character that was read: how certain it is, and where it stands, as a share of the image's width."""

    character: str
    score: float
    place: float


@dataclass(frozen=True, slots=True)
class WidthBatch:
    """Images of like width, ready for the network.

    `pixels` is float32 (B, 3, 48, W) in [-1, 1], 0 where padded; image `i` of it is number
    `indices[i]` of the input and fills `widths_px[i]` columns.
    """

    indices: list[int]
    widths_px: list[int]
    pixels: npt.NDArray[np.float32]


class PpOcr:
    """PP-OCR as `Ocr`."""

    def __init__(self, session: Any) -> None:
        self._session = session
        characters = session.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = ["", *characters, " "]
        self._alphabet = frozenset(self._characters) - {""}
        self.separates = frozenset(one for one in self._alphabet if len(one) == 1 and not is_unsure(one))
        """It reads "a" for "ą" and Latin letters for Greek ones, although it can write both."""

    @classmethod
    def load(cls, threads: int = 1) -> Self:
        """Load the network from the installed package.

        Raises:
            MissingPackageError: `rapidocr` or `onnxruntime` is missing, or holds no such network.
        """
        return cls(open_session(model_file().read_bytes(), threads))

    @property
    def name(self) -> str:
        """The network's file and the package's version."""
        return f"{model_file().stem} (rapidocr {importlib.metadata.version('rapidocr')})"

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters of the network's output layer."""
        return self._alphabet

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Return one reading an image: the best class of each column, repetitions and blanks removed.

        The score is the mean probability of the characters; 0 when nothing was read.
        """
        readings = [Reading("", 0.0)] * len(images)
        for batch in padded_batches(images):
            stopping.check()
            (probabilities,) = self._session.run(None, {self._session.get_inputs()[0].name: batch.pixels})
            for index, columns in zip(batch.indices, probabilities, strict=True):
                readings[index] = self._decode(columns)
        return readings

    def spell(self, images: Sequence[Image]) -> list[list[Letter]]:
        """Return the characters of each image with their places; see `read`."""
        spelled: list[list[Letter]] = [[] for _ in images]
        for batch in padded_batches(images):
            (probabilities,) = self._session.run(None, {self._session.get_inputs()[0].name: batch.pixels})
            shares = [batch.pixels.shape[3] / width_px for width_px in batch.widths_px]
            for index, share, columns in zip(batch.indices, shares, probabilities, strict=True):
                best = columns.argmax(axis=1)
                kept = self._kept(best).nonzero()[0]
                spelled[index] = [
                    Letter(
                        self._characters[best[at]],
                        float(columns[at, best[at]]),
                        min(1.0, (float(at) + 0.5) / len(best) * share),
                    )
                    for at in kept
                ]
        return spelled

    @staticmethod
    def _kept(best: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        kept: npt.NDArray[np.bool_] = best != _BLANK
        kept[1:] &= best[1:] != best[:-1]
        return kept

    def _decode(self, columns: npt.NDArray[np.float32]) -> Reading:
        best = columns.argmax(axis=1)
        kept = self._kept(best)
        if not kept.any():
            return Reading("", 0.0)
        text = "".join(self._characters[number] for number in best[kept])
        return Reading(text, float(columns[kept, best[kept]].mean()))


def model_file() -> Path:
    """Return the file of the recognition network inside `rapidocr`.

    Raises:
        MissingPackageError: the package is missing, or holds no such network.
    """
    folder = models_folder()
    found = sorted(folder.glob("*rec*.onnx"))
    if not found:
        raise MissingPackageError(
            f"{folder} holds no recognition network (*rec*.onnx). "
            'Run: pip uninstall rapidocr, then: pip install "siman-synth[readability]"'
        )
    return found[0]


def models_folder() -> Path:
    """Return the folder of the networks inside `rapidocr`.

    Raises:
        MissingPackageError: the package is missing.
    """
    require("readability", "Reading words with PP-OCR", ("rapidocr", "onnxruntime"))
    spec = importlib.util.find_spec("rapidocr")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "models"


def load_runtime() -> Any:
    """Import onnxruntime without its reports.

    Newer builds tell Microsoft when they are loaded and where they run, unless this variable is set before
    (`Privacy.md` in the package). A value that is set already is left.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def open_session(model: bytes, threads: int) -> Any:
    """Return an onnxruntime session on the CPU."""
    onnxruntime = load_runtime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def padded_batches(images: Sequence[Image]) -> Iterator[WidthBatch]:
    """Yield the images in batches of one padded width, narrow ones first."""
    widths_px = [_scaled_width_px(image) for image in images]
    padded_px = [math.ceil(width_px / _WIDTH_STEP_PX) * _WIDTH_STEP_PX for width_px in widths_px]
    for indices in width_batches(padded_px, _BATCH):
        pixels = np.zeros((len(indices), 3, _HEIGHT_PX, padded_px[indices[0]]), np.float32)
        for row, index in enumerate(indices):
            pixels[row, :, :, : widths_px[index]] = _scaled(images[index], widths_px[index])
        yield WidthBatch(indices, [widths_px[index] for index in indices], pixels)


def _scaled_width_px(image: Image) -> int:
    height, width = int(image.shape[0]), int(image.shape[1])
    return min(_MAX_WIDTH_PX, math.ceil(_HEIGHT_PX * width / height))


def _scaled(image: Image, width_px: int) -> npt.NDArray[np.float32]:
    # The network was trained on OpenCV's channel order, blue first, and its bilinear scaling.
    scaled = cv2.resize(image, (width_px, _HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
    pixels: npt.NDArray[np.float32] = scaled[..., ::-1].astype(np.float32).transpose(2, 0, 1)
    return pixels / np.float32(127.5) - np.float32(1.0)
