"""Finding words in photos: detector and reader of the PyPI package `rapidocr`, whose weights are inside."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.extras import require
from siman_synth.ocr.comparison import comparable
from siman_synth.ocr.recognizer import Image

Corners = npt.NDArray[np.float64]
"""(4, 2) in pixels: top left, top right, bottom right, bottom left of the text."""

_QUIET = "critical"
_MARGIN = 0.15
"""Of a word's height: what its box gets at both sides, at most half the gap to the next word."""


@dataclass(frozen=True, slots=True)
class FoundText:
    """A line, or a word of one, in a photo."""

    text: str
    score: float
    corners: Corners


class TextFinder:
    """Finds the lines of a photo and their words."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    @classmethod
    def load(cls, threads: int = 1) -> Self:
        """Load both networks.

        Raises:
            MissingPackageError: `rapidocr` or `onnxruntime` is missing.
        """
        require("readability", "Finding words in a photo", ("rapidocr", "onnxruntime"))
        from rapidocr import RapidOCR

        engine = "EngineConfig.onnxruntime"
        options = {
            "Global.log_level": _QUIET,
            "Global.use_cls": False,
            f"{engine}.intra_op_num_threads": threads,
            f"{engine}.inter_op_num_threads": 1,
        }
        return cls(RapidOCR(params=options))

    def find(self, image: Image) -> list[list[FoundText]]:
        """Return the lines of a photo, uint8 (H, W, 3) RGB, each as itself and then its words."""
        # The networks were trained on OpenCV's channel order, blue first.
        found = self._engine(np.ascontiguousarray(image[..., ::-1]), return_word_box=True)
        if found.boxes is None or found.txts is None:
            return []
        lines = []
        for corners, text, score, words in zip(
            found.boxes, found.txts, found.scores, found.word_results, strict=True
        ):
            line = FoundText(str(text), float(score), np.asarray(corners, np.float64))
            lines.append([line, *_words(line, words)])
        return lines

    def matching(self, image: Image, text: str) -> tuple[list[FoundText], list[str]]:
        """Return the places that say `text`, from top to bottom, and all lines that were read.

        Letter case and punctuation do not count. Whole lines come before words of lines.
        """
        wanted, lines = comparable(text), self.find(image)
        whole = [line[0] for line in lines if comparable(line[0].text) == wanted]
        parts = [
            word
            for line in lines
            if comparable(line[0].text) != wanted
            for word in line[1:]
            if comparable(word.text) == wanted
        ]
        places = sorted(whole + parts, key=lambda one: (one.corners[:, 1].mean(), one.corners[:, 0].mean()))
        return places, [line[0].text for line in lines]


def _words(line: FoundText, words: Sequence[Any]) -> list[FoundText]:
    """Return the words of a line, as high as the line, with margins at both sides."""
    if len(words) < 2:
        return []
    width = max(float(np.linalg.norm(line.corners[1] - line.corners[0])), 1.0)
    height = max(float(np.linalg.norm(line.corners[3] - line.corners[0])), 1.0)
    frame = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    to_frame = cv2.getPerspectiveTransform(line.corners.astype(np.float32), frame)
    spans = []
    for _, _, corners in words:
        level = cv2.perspectiveTransform(np.asarray(corners, np.float32)[None], to_frame)[0]
        spans.append((float(level[:, 0].min()), float(level[:, 0].max())))
    found = []
    for number, ((text, score, _), (left, right)) in enumerate(zip(words, spans, strict=True)):
        before = spans[number - 1][1] if number else -np.inf
        after = spans[number + 1][0] if number + 1 < len(spans) else np.inf
        left = max(left - _MARGIN * height, min(left, (left + before) / 2), 0.0)
        right = min(right + _MARGIN * height, max(right, (right + after) / 2), width)
        box = np.array([(left, 0), (right, 0), (right, height), (left, height)], np.float32)
        corners = cv2.perspectiveTransform(box[None], np.linalg.inv(to_frame))[0]
        found.append(FoundText(str(text), float(score), np.asarray(corners, np.float64)))
    return found
