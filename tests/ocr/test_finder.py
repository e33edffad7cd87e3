"""Lines and words of photos, and the places of a word."""

import numpy as np
import pytest

from siman_synth.ocr.finder import FoundLine, TextFinder
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
