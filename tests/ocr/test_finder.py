"""Lines and words of photos, and the places of a word."""

from dataclasses import replace

import numpy as np
import pytest

from siman_synth.ocr.finder import FoundLine, TextFinder
from siman_synth.ocr.ppocr import Letter
from siman_synth.ocr.words import core_of
from tests.photos.conftest import WORDS, drawn_photo

# mypy: disable-error-code="no-untyped-def"


@pytest.fixture(scope="module")
def finder() -> TextFinder:
    return TextFinder.load()


def middle(quad) -> np.ndarray:
    return np.mean(quad, axis=0)


def test_lines_and_their_words(finder: TextFinder) -> None:
    lines = finder.find(drawn_photo())
    said = {line.whole.reading.text: line for line in lines}
    assert set(said) == set(WORDS)
    line: FoundLine = said["Open daily"]
    assert [word.reading.text for word in line.words] == ["Open", "daily"]
    first, second = (middle(word.quad) for word in line.words)
    assert first[0] < middle(line.whole.quad)[0] < second[0]
    assert line.words[0].image.shape[0] == pytest.approx(line.whole.image.shape[0], abs=1)


def test_places_of_a_word(finder: TextFinder) -> None:
    photo = drawn_photo({"Open": (30, 200), "open daily": (60, 60)})
    places, read = finder.matching(photo, "OPEN")
    assert [place.reading.text for place in places] == ["open", "Open"]
    assert read == ["open daily", "Open"]
    (whole,), _ = finder.matching(photo, "Open Daily")
    assert whole.reading.text == "open daily"
    assert finder.matching(photo, "EXIT")[0] == []


def test_text_that_stands_upright_is_read(finder: TextFinder) -> None:
    photo = drawn_photo({"Weekend": (20, 40)}, (360, 130))
    for turns in (1, 3):
        (line,) = finder.find(np.ascontiguousarray(np.rot90(photo, turns)))
        assert line.whole.reading.text == "Weekend"


def test_punctuation_that_was_not_asked_for_is_left_out(finder: TextFinder) -> None:
    photo = drawn_photo({"NOTHING?": (60, 60)})
    (place,), read = finder.matching(photo, "nothing")
    (whole,), _ = finder.matching(photo, "NOTHING?")
    assert read == [whole.reading.text] == ["NOTHING?"]
    assert place.reading.text == "NOTHING"
    assert place.quad[0] == whole.quad[0]
    assert place.quad[1][0] < whole.quad[1][0] - 10
    # What is left out holds ink, and the place's last columns do not cut any.
    assert np.ptp(place.image[:, -1].astype(int)) < 40


def test_a_sign_beside_a_word_is_left_out() -> None:
    line = np.full((48, 300, 3), 230, np.uint8)
    for x in (10, 50, 90, 130):
        line[10:38, x : x + 24] = 30
    line[14:34, 180:290] = 30  # no letter was read here
    letters = [Letter(one, 0.9, (x + 12) / 300) for one, x in zip("SAFE", (10, 50, 90, 130), strict=True)]
    left, right = core_of(line, letters, "safe")
    assert left == 0
    assert 155 <= right * 300 <= 179
    assert core_of(line[:, :170], [replace(one, place=one.place * 300 / 170) for one in letters], "safe") == (
        0.0,
        1.0,
    )
