"""Samples and data sets that the storage tests share."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import pytest
from PIL import Image

from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter


def encoded(width_px: int, height_px: int = 32, kind: str = "PNG", seed: int = 0) -> bytes:
    """Return a small noisy image as a file."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height_px, width_px, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def make_sample(number: int, label: str | None = None, **changes: Any) -> Sample:
    """Return a sample whose every field follows from `number`."""
    width_px = 40 + number % 7
    values: dict[str, Any] = {
        "image": encoded(width_px, seed=number),
        "label": label if label is not None else f"word{number}",
        "width_px": width_px,
        "height_px": 32,
        "meta": {"font": f"font{number % 3}", "style": number % 2, "layout": "straight", "seed": number},
    }
    return Sample(**(values | changes))


@pytest.fixture
def sample() -> Callable[..., Sample]:
    return make_sample


@pytest.fixture
def write_set(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a data set of the given samples and returns its folder."""

    def write(*samples: Sample, name: str = "words", **options: Any) -> Path:
        folder = tmp_path / name
        with LmdbWriter.create(folder, **options) as writer:
            for one in samples:
                writer.write(one)
        return folder

    return write


@pytest.fixture
def write_raw(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes an LMDB of any keys and values."""

    def write(entries: dict[bytes, bytes], name: str = "raw") -> Path:
        folder = tmp_path / name
        environment = lmdb.open(str(folder), map_size=1 << 24)
        with environment.begin(write=True) as transaction:
            for key, value in entries.items():
                transaction.put(key, value)
        environment.close()
        return folder

    return write
