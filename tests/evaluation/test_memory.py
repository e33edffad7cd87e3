"""What large pictures cost: they are reduced as they are read, and never kept."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from siman_synth.evaluation.word_set import WordSet
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

PeakMemory = Callable[..., tuple[int, str]]
COUNT = 52
WIDTH, HEIGHT = 2400, 800


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 6 MB as pixels; as many as an evaluation needs are 300 MB."""
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    Image.effect_noise((WIDTH, HEIGHT), 60).convert("RGB").save(path)
    return path


@pytest.fixture
def photos(photo: Path, tmp_path: Path) -> Path:
    for number in range(COUNT):
        os.link(photo, tmp_path / f"{number:02d}.jpg")
    return tmp_path


def test_an_evaluation_keeps_crops_at_its_own_height(photos: Path, peak_memory: PeakMemory) -> None:
    added_mb, output = peak_memory(
        "from pathlib import Path; from siman_synth.evaluation.word_set import WordSet",
        "print(len(WordSet.load(Path(sys.argv[1]), 1000, 0)))",
        photos,
    )
    assert output == str(COUNT)
    assert added_mb < 100
    words = WordSet.load(photos, COUNT, 0)
    assert {image.shape for image in words.images} == {(96, 288, 3)}


def test_a_sheet_keeps_images_at_its_own_height(photo: Path, tmp_path: Path, peak_memory: PeakMemory) -> None:
    with LmdbWriter.create(tmp_path / "set") as writer:
        for _ in range(COUNT):
            writer.write(Sample(photo.read_bytes(), "word", WIDTH, HEIGHT))
    added_mb, output = peak_memory(
        "from siman_synth.storage.dataset_sheet import dataset_sheet\n"
        "from siman_synth.storage.lmdb_reader import LmdbReader",
        "print(dataset_sheet(LmdbReader.open(sys.argv[1])).size[0])",
        tmp_path / "set",
    )
    assert output == "1200"
    assert added_mb < 150  # of which the file itself, mapped, is a part
