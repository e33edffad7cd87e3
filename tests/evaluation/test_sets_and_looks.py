"""Which images an evaluation takes, and the simple measures of looks."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from siman_synth.errors import CropError, DatasetError
from siman_synth.evaluation.appearance import MEASURES, Histogram, appearance
from siman_synth.evaluation.word_set import WordSet, in_width_order
from tests.evaluation.drawn_words import drawn_word

Write = Callable[..., Path]


def test_a_sample_follows_from_the_seed(write_words: Write, labels: list[str]) -> None:
    folder = write_words("words", labels)
    one, same, other = (WordSet.load(folder, 55, seed) for seed in (1, 1, 2))
    assert (len(one), one.total, one.labeled) == (55, 60, 55)
    assert one.labels == same.labels != other.labels
    assert all(np.array_equal(a, b) for a, b in zip(one.images, same.images, strict=True))


def test_damaged_images_are_counted(tmp_path: Path) -> None:
    for seed in range(52):
        cv2.imwrite(str(tmp_path / f"{seed:02d}.png"), drawn_word("word", seed))
    for name in ("53.png", "54.png"):
        (tmp_path / name).write_bytes(b"")
    words = WordSet.load(tmp_path, 1000, 0)
    assert (len(words), words.labeled) == (52, 0)
    assert words.skipped.counts == {"zero bytes": 2}
    with pytest.raises(DatasetError) as found:
        words.require_labels()
    assert str(found.value) == (
        f"{tmp_path} has no labels, so nothing can be said about its readability. "
        "Give a labeled LMDB, or leave out OCR to compare looks alone."
    )
    (tmp_path / "00.png").write_bytes(b"")
    (tmp_path / "01.png").unlink()
    (tmp_path / "02.png").unlink()
    with pytest.raises(CropError) as few:
        WordSet.load(tmp_path, 1000, 0)
    assert str(few.value).startswith(f"{tmp_path} gives 49 usable images (3 zero bytes (")
    assert str(few.value).endswith(")); an evaluation needs at least 50, and says little below 500.")


def test_one_height_and_a_limit_of_width() -> None:
    shapes = [(64, 100), (16, 40), (32, 70), (10, 900), (90, 2)]
    images = [np.zeros((*shape, 3), np.uint8) for shape in shapes]
    scaled = WordSet(Path("x"), 5, images, [None] * 5).of_one_height()
    assert [image.shape for image in scaled] == [
        (32, 50, 3), (32, 80, 3), (32, 70, 3), (32, 256, 3), (32, 1, 3),
    ]  # fmt: skip
    assert scaled[2] is images[2]


def test_work_gets_similar_widths_and_answers_in_order() -> None:
    widths_px = np.random.default_rng(0).permutation(np.arange(10, 210))
    images = [np.zeros((8, width, 3), np.uint8) for width in widths_px]
    spans: list[int] = []

    def work(chunk: Sequence[np.ndarray]) -> list[int]:
        spans.append(chunk[-1].shape[1] - chunk[0].shape[1])
        return [image.shape[1] for image in chunk]

    assert in_width_order(images, work, "work") == widths_px.tolist()
    assert len(spans) == 4
    assert max(spans) == 63


def test_known_looks() -> None:
    sharp = drawn_word("Harbour", 0)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 1.5)
    flat = np.full((32, 64, 3), 119, np.uint8)
    red = np.full((32, 64, 3), (200, 30, 30), np.uint8)
    image_sets = [[sharp, flat, red], [blurred, flat, red]]
    one, other = (WordSet(Path("x"), 3, images, [None] * 3) for images in image_sets)
    found = {histogram.measure: histogram for histogram in appearance(one, other, *image_sets)}
    assert list(found) == list(MEASURES)[:5]

    def values(image: np.ndarray) -> dict[str, float]:
        words = WordSet(Path("x"), 1, [image], [None])
        return {h.measure: h.dataset_median for h in appearance(words, words, [image], [image])}

    assert values(flat)["lightness"] == pytest.approx(50, abs=1)
    assert values(flat)["contrast"] == pytest.approx(0, abs=0.01)
    assert values(flat)["colour"] == pytest.approx(0, abs=0.5)
    assert values(red)["colour"] > 50
    assert values(sharp)["sharpness"] > 1.5 * values(blurred)["sharpness"]
    assert values(sharp)["aspect"] == pytest.approx(sharp.shape[1] / 32)


def test_overlap() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=400)
    assert Histogram.of("colour", values, values).overlap == pytest.approx(1)
    assert Histogram.of("colour", values, values + 100).overlap == 0
    shifted = Histogram.of("colour", values, values + 1)
    assert 0.4 < shifted.overlap < 0.75  # of two normal distributions at one sigma: 0.62
    assert shifted.dataset.sum() == pytest.approx(1)
    assert shifted.real_median == pytest.approx(shifted.dataset_median + 1)
    lengths = Histogram.of("label length", np.array([3.0, 3, 5]), np.array([4.0, 4, 5]))
    assert lengths.edges.tolist() == [2.5, 3.5, 4.5, 5.5]
    assert lengths.overlap == pytest.approx(1 / 3)
