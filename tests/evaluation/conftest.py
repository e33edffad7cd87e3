"""Drawn words with labels, as data sets and as folders."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import pytest

from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from tests.evaluation.drawn_words import WORDS, drawn_word


@pytest.fixture
def write_words(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes drawn words as an LMDB; None as a label leaves it out."""

    def write(name: str, labels: Sequence[str | None], first_seed: int = 0, height: int = 32) -> Path:
        with LmdbWriter.create(tmp_path / name) as writer:
            for seed, label in enumerate(labels, first_seed):
                image = drawn_word(label or "none", seed, height)
                encoded = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
                writer.write(Sample(encoded, label, image.shape[1], height))
        return tmp_path / name

    return write


@pytest.fixture
def labels() -> list[str]:
    """Sixty words: just enough for an evaluation."""
    return [WORDS[number % len(WORDS)] for number in range(60)]
