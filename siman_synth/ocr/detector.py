"""PP-OCR's text detector, whose weights are inside the PyPI package `rapidocr`."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.extras import MissingPackageError, require
from siman_synth.ocr.ppocr import load_runtime, models_folder, open_session
from siman_synth.ocr.recognizer import Image

Quad = tuple[tuple[float, float], ...]
"""Four corners in pixels: top left, top right, bottom right, bottom left as the text runs."""

_LONGEST_PX = 2000
"""Photos are shown to the network at most so long: more takes gigabytes and finds little."""
_LEAST_SIDE_PX = 736
_SQUEEZED_PX = 64
"""Beyond the longest, no side gets lower than this."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A line of text, or a part of one, that was found in a photo."""

    quad: Quad
    score: float
    """How sure the network is, from 0 to 1."""


class PpDetector:
    """Finds text in photos. What it finds depends on the photo alone."""

    def __init__(self, session: Any) -> None:
        load_runtime()  # before rapidocr, which imports it, too
        from rapidocr.ch_ppocr_det.utils import DBPostProcess, DetPreProcess

        self._session = session
        self._prepared = DetPreProcess(_LEAST_SIDE_PX, "min", [0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
        # The package's own settings (`config.yaml`).
        self._boxes = DBPostProcess(
            thresh=0.3, box_thresh=0.5, max_candidates=3000, unclip_ratio=1.6, use_dilation=True
        )

    @classmethod
    def load(cls, threads: int = 1) -> Self:
        """Load the network from the installed package.

        Raises:
            MissingPackageError: `rapidocr` or `onnxruntime` is missing, or holds no such network.
        """
        require("ocr", "Finding text in photos", ("rapidocr", "onnxruntime"))
        return cls(open_session(detector_file().read_bytes(), threads))

    def find(self, photo: Image) -> list[Detection]:
        """Return what text there is in uint8 (H, W, 3), from top to bottom, then from left to right."""
        height, width = photo.shape[:2]
        shown = _of_bounded_size(photo)
        # The network was trained on OpenCV's channel order, blue first.
        (found,) = self._session.run(
            None, {self._session.get_inputs()[0].name: self._prepared(shown[..., ::-1])}
        )
        quads, scores = self._boxes(found, (shown.shape[0], shown.shape[1]))
        scale = np.array([width / shown.shape[1], height / shown.shape[0]])
        detections = [
            Detection(_ordered(np.asarray(quad, np.float64) * scale), float(score))
            for quad, score in zip(quads, scores, strict=True)
        ]
        return sorted(detections, key=lambda one: (one.quad[0][1], one.quad[0][0]))


def detector_file() -> Path:
    """Return the file of the detection network inside `rapidocr`.

    Raises:
        MissingPackageError: the package holds no such network.
    """
    folder = models_folder()
    found = sorted(folder.glob("*det*.onnx"))
    if not found:
        raise MissingPackageError(
            f"{folder} holds no detection network (*det*.onnx). "
            'Run: pip uninstall rapidocr, then: pip install "siman-synth[ocr]"'
        )
    return found[0]


def _of_bounded_size(photo: Image) -> Image:
    height, width = photo.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    # The package would enlarge the shorter side to 736 px, and the longer one with it, however long.
    size = [max(_SQUEEZED_PX, round(side * scale)) for side in (width, height)]
    enlarged = _LEAST_SIDE_PX / min(size)
    if max(size) * enlarged > 2 * _LONGEST_PX:
        size = [max(_LEAST_SIDE_PX, side) for side in size]
    if size == [width, height]:
        return photo
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(photo, (size[0], size[1]), interpolation=how))


def _ordered(corners: npt.NDArray[np.float64]) -> Quad:
    """Return the corners of a box clockwise on the screen, beginning at the top left one."""
    centre = corners.mean(axis=0)
    around = sorted(
        corners.tolist(), key=lambda corner: math.atan2(corner[1] - centre[1], corner[0] - centre[0])
    )
    first = min(range(4), key=lambda number: sum(around[number]))
    turned = around[first:] + around[:first]
    return tuple((float(x), float(y)) for x, y in turned)
