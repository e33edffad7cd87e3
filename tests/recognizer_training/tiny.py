"""A tiny recognizer, tiny data sets, and runs to vary."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from siman_synth.config import from_mapping
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

WORDS = ("sale", "42", "egg", "quay", "Hotel", "7up")


def written(word: str, seed: int = 0) -> np.ndarray:
    """Draw a word, uint8 (40, W, 3), in colours of its own."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(150, 255, 3).tolist()
    image = np.full((40, 26 + 18 * len(word), 3), ground, np.uint8)
    ink = rng.integers(0, 90, 3).tolist()
    cv2.putText(image, word, (8, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.8, ink, 2)
    return image


def write_words(folder: Path, words: Sequence[str] = WORDS, repeats: int = 4) -> Path:
    """Write a labeled LMDB of drawn words."""
    with LmdbWriter.create(folder) as writer:
        for number, word in enumerate(list(words) * repeats):
            image = written(word, number)
            data = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
            writer.write(Sample(data, word, image.shape[1], image.shape[0]))
    return folder


def tiny(**training: object) -> RecognizerTrainingConfig:
    """Return settings of a run of a second; keywords change how it is optimised."""
    return from_mapping(
        RecognizerTrainingConfig,
        {
            "model": {"encoder": "pyramid", "hidden": 8},
            "training": {"steps": 6, "batch_size": 4, "average_half_life": 8, **training},
            "logging": {"stats_every": 1, "checkpoint_every": 2, "validate_every": 2},
        },
        "test",
    )


def stops_after(steps: int) -> Callable[[], bool]:
    """Return what says after so many questions that a signal came."""
    asked = 0

    def requested() -> bool:
        nonlocal asked
        asked += 1
        return asked >= steps

    return requested
