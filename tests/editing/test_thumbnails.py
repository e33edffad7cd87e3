"""Thumbnails are what the fonts draw, and tell fonts apart."""

import cv2
import numpy as np
import pytest

from siman_synth.editing.lettering import box_matrix, fill_mapped, set_line
from siman_synth.editing.thumbnails import Thumbnailer, Thumbnails
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line


def drawn(
    fonts: FontLibrary, name: str, text: str, height: int = 40
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return a word as its font draws it in a frame, 0 to 1, and the box that it fills."""
    font = fonts.font(name)
    outline = set_line(shape_line(text, fonts.face(font), font.family), 0.0, 0.0)
    left, bottom, right, top = outline.box
    width = round(height * (right - left) / (top - bottom))
    matrix = box_matrix(outline.box, (6, 4, 6 + width, 4 + height))
    mask = fill_mapped(outline, matrix, height + 8, width + 12)
    return mask.astype(np.float32) / 255, (6, 4, 6 + width, 4 + height)


@pytest.mark.parametrize(
    "text", ["Harbour", "OPEN 24", "gå", "ca\N{COMBINING DIAERESIS}b", "in\N{SOFT HYPHEN}to"]
)
def test_letters_side_by_side_look_like_the_shaped_word(editing_fonts: FontLibrary, text: str) -> None:
    names = [font.id for font in editing_fonts.covering(text)]
    thumbnails = Thumbnailer(editing_fonts).draw(text, names)
    assert thumbnails is not None
    assert thumbnails.names == tuple(names)
    for number, name in enumerate(names):
        alpha, box = drawn(editing_fonts, name, text)
        likeness = thumbnails.likeness(alpha, box)
        assert likeness[number] > 0.88
        assert likeness[number] >= likeness.max() - 0.02


def test_likeness_is_a_correlation_over_the_whole_frame(editing_fonts: FontLibrary) -> None:
    name = "roboto/Roboto_400Regular"
    thumbnails = Thumbnailer(editing_fonts).draw("Harbour", [name])
    assert thumbnails is not None
    rows, columns = thumbnails.ink.shape[1:]
    x0, y0 = 5, 3
    alpha = np.zeros((rows + 9, columns + 12), np.float32)
    seen = np.random.default_rng(0).random((rows, columns)).astype(np.float32)
    alpha[y0 : y0 + rows, x0 : x0 + columns] = seen
    word = np.zeros_like(alpha)
    word[y0 : y0 + rows, x0 : x0 + columns] = thumbnails.ink[0]
    blurred = np.zeros_like(alpha)
    blurred[y0 : y0 + rows, x0 : x0 + columns] = cv2.GaussianBlur(seen, (0, 0), 0.4)
    expected = np.corrcoef(word.ravel(), blurred.ravel())[0, 1]
    found = thumbnails.likeness(alpha, (x0, y0, x0 + columns, y0 + rows))
    assert found[0] == pytest.approx(expected, abs=1e-4)


def test_words_shrunk_together_are_as_if_shrunk_alone() -> None:
    rng = np.random.default_rng(1)
    words = [rng.integers(0, 256, size, np.uint8) for size in ((20, 50), (33, 90), (25, 12), (16, 40))]
    together = Thumbnails.of(list("abcd"), words)
    columns = together.ink.shape[2]
    for word, seen in zip(words, together.ink, strict=True):
        small = cv2.resize(word, (columns, 16), interpolation=cv2.INTER_AREA)
        assert np.array_equal(seen, cv2.GaussianBlur(small, (0, 0), 0.4).astype(np.float32) / np.float32(255))


def test_letters_that_join_are_shaped() -> None:
    fonts = FontLibrary.open(scripts=["Arab"])
    text = "سلام"
    names = [font.id for font in fonts.covering(text)][:3]
    thumbnails = Thumbnailer(fonts).draw(text, names)
    assert thumbnails is not None
    for number, name in enumerate(names):
        alpha, box = drawn(fonts, name, text)
        assert thumbnails.likeness(alpha, box)[number] > 0.95


def test_a_word_is_drawn_once_and_the_same_whatever_was_drawn_before(editing_fonts: FontLibrary) -> None:
    names = [font.id for font in editing_fonts.covering("SHUT")]
    busy, fresh = Thumbnailer(editing_fonts), Thumbnailer(editing_fonts)
    for number in range(20):
        busy.draw(f"HUTS {number}", names)
    first, again, other = busy.draw("SHUT", names), busy.draw("SHUT", names), fresh.draw("SHUT", names)
    assert first is again
    assert first is not None
    assert other is not None
    assert np.array_equal(first.ink, other.ink)
    assert fresh.draw("SHUT", []) is None
