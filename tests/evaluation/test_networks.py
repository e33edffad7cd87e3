"""PP-OCR, and the two kinds of features: real networks on drawn words."""

import numpy as np
import pytest

from siman_synth.evaluation.features import FEATURE_PACKAGES, FeatureExtractor, load_features
from siman_synth.ocr.ppocr import PpOcr, padded_batches
from siman_synth.ocr.recognizer import Ocr
from tests.evaluation.drawn_words import WORDS, drawn_word


@pytest.fixture(scope="module")
def ocr() -> Ocr:
    return PpOcr.load()


@pytest.fixture(scope="module", params=sorted(FEATURE_PACKAGES))
def extract(request: pytest.FixtureRequest) -> FeatureExtractor:
    return load_features(request.param, threads=1)


def images() -> list[np.ndarray]:
    return [drawn_word(word, seed, height=24 + 4 * seed) for seed, word in enumerate(WORDS)]


def test_it_reads_plain_words(ocr: Ocr) -> None:
    readings = ocr.read(images())
    assert [reading.text for reading in readings] == list(WORDS)
    assert all(0.9 < reading.score <= 1 for reading in readings)


def test_a_reading_depends_on_its_image_alone(ocr: Ocr) -> None:
    together = ocr.read(images())
    for image, reading in zip(images(), together, strict=True):
        (alone,) = ocr.read([image])
        assert alone.text == reading.text
        assert alone.score == pytest.approx(reading.score, abs=1e-4)


def test_nothing_to_read(ocr: Ocr) -> None:
    assert ocr.read([]) == []
    (reading,) = ocr.read([np.full((32, 100, 3), 128, np.uint8)])
    assert (reading.text, reading.score) == ("", 0)


def test_name_and_alphabet(ocr: Ocr) -> None:
    assert ocr.name.startswith("PP-OCR")
    assert set("azAZ09é €") <= ocr.alphabet
    assert all(len(character) == 1 for character in ocr.alphabet)


def test_batches_hold_every_image_once_at_its_own_width() -> None:
    seen = []
    given = [*images(), np.zeros((4, 900, 3), np.uint8), np.zeros((100, 10, 3), np.uint8)]
    for batch in padded_batches(given):
        assert batch.pixels.shape[1:3] == (3, 48)
        for index, width_px, pixels in zip(batch.indices, batch.widths_px, batch.pixels, strict=True):
            assert 0 <= pixels.shape[2] - width_px < 32
            assert not pixels[:, :, width_px:].any()
            assert -1 <= pixels.min() <= pixels.max() <= 1
            height, width = given[index].shape[:2]
            assert width_px == min(2048, int(np.ceil(48 * width / height)))
            seen.append(index)
    assert sorted(seen) == list(range(len(given)))


def test_features_depend_on_their_image_alone(extract: FeatureExtractor) -> None:
    given = [drawn_word(word, seed) for seed, word in enumerate(WORDS)]
    together = extract(given)
    alone = [extract([image])[0] for image in given]
    np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-3)
    assert np.isfinite(together).all()


def test_features_tell_looks_apart(extract: FeatureExtractor) -> None:
    rng = np.random.default_rng(0)
    plain = drawn_word("Harbour", 0)
    noisy = np.clip(plain + rng.normal(0, 60, plain.shape), 0, 255).astype(np.uint8)
    touched = np.clip(plain.astype(int) + 1, 0, 255).astype(np.uint8)
    reference, nearly, far = extract([plain, touched, noisy])
    assert np.linalg.norm(reference - nearly) < 0.2 * np.linalg.norm(reference - far)
