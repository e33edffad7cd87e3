"""A word that is seen from the side, in a box or a rectangle: its far letters are as small as they were."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from siman_synth.editing.editor import EditResult, TextEditor
from siman_synth.resources import resource_folder

# mypy: disable-error-code="no-untyped-def"

GROUND, INK = np.array([214.0, 208.0, 196.0]), np.array([40.0, 44.0, 70.0])


def seen_from_the_side(
    word: str, far: float, turned: bool = False, font_name: str = "roboto/Roboto_900Black.ttf"
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a word whose letters at one end are `far` times as high; return the photo and its ink, 0 to 1."""
    font = ImageFont.truetype(resource_folder("fonts") / font_name, 240)
    left, top, right, bottom = font.getbbox(word)
    width, height = int(right - left), int(bottom - top)
    plain = Image.new("L", (width, height))
    ImageDraw.Draw(plain).text((-left, -top), word, 255, font)
    w, h = width / 4, height / 4
    inset, length = h * (1 - far) / 2, w * (1 + far) / 2
    corners = [(40, 40), (40 + length, 40 + inset), (40 + length, 40 + h - inset), (40, 40 + h)]
    if turned:
        corners = [(40, 40 + inset), (40 + length, 40), (40 + length, 40 + h), (40, 40 + h - inset)]
    source = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, 4 * np.array(corners, np.float32))
    size = int(w) + 80, int(h) + 80
    large = cv2.warpPerspective(np.asarray(plain), matrix, (4 * size[0], 4 * size[1]))
    ink = cv2.GaussianBlur(cv2.resize(large, size, interpolation=cv2.INTER_AREA) / 255, (0, 0), 0.7)
    photo = GROUND + (INK - GROUND) * ink[..., None]
    photo = photo + np.random.default_rng(0).normal(0, 2, (size[1], size[0], 1))
    return np.clip(photo, 0, 255).astype(np.uint8), ink


def box_of(ink: np.ndarray) -> list[tuple[int, int]]:
    rows, columns = np.flatnonzero(ink.max(1) > 0.5), np.flatnonzero(ink.max(0) > 0.5)
    x0, x1, y0, y1 = columns[0] - 4, columns[-1] + 5, rows[0] - 4, rows[-1] + 5
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def heights(ink: np.ndarray) -> tuple[float, float]:
    """Return how high ink is at the left end and at the right end, in pixels."""
    columns = np.flatnonzero(ink.max(0) > 0.5)
    ends = ink[:, columns[0] : columns[0] + 12], ink[:, columns[-1] - 11 : columns[-1] + 1]
    return tuple(float(end.max(1).sum()) for end in ends)  # type: ignore[return-value]


def edited(editor: TextEditor, photo: np.ndarray, ink: np.ndarray, text: str, old: str) -> EditResult:
    corners = box_of(ink)
    result = editor.edit(photo, corners, text, old=old)
    (x0, y0), _, (x1, y1), _ = corners
    changed = (result.image != photo).any(-1) | (result.mask > 0)
    changed[y0:y1, x0:x1] = False
    assert not changed.any()
    assert result.quad.corners == tuple(map(tuple, corners))
    return result


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("far", [0.75, 0.5])
def test_first_and_last_letters_are_as_high_as_they_were(editor, far: float, turned: bool) -> None:
    photo, ink = seen_from_the_side("HINDENBURG", far, turned)
    result = edited(editor, photo, ink, "HINDENBURG", "HINDENBURG")
    assert heights(result.word / 255) == pytest.approx(heights(ink), rel=0.08)
    difference = (result.image.astype(float) - photo) / 255
    assert 10 * np.log10(1 / (difference**2).mean()) > 24


def test_a_new_word_goes_along_with_the_old_one(editor) -> None:
    photo, ink = seen_from_the_side("HINDENBURG", 0.5)
    result = edited(editor, photo, ink, "MEDITERRAN", "HINDENBURG")
    assert result.is_read
    assert heights(result.word / 255) == pytest.approx(heights(ink), rel=0.1)


def test_a_level_word_stays_level(editor) -> None:
    photo, ink = seen_from_the_side("HINDENBURG", 1.0)
    result = edited(editor, photo, ink, "HINDENBURG", "HINDENBURG")
    assert result.likeness > 0.95
    assert heights(result.word / 255) == pytest.approx(heights(ink), rel=0.04)


def test_small_letters_at_the_far_end_are_as_dark_as_they_were(editor) -> None:
    word, far, font = "NEBRASKA", 0.35, "roboto/Roboto_400Regular.ttf"
    photo, ink = seen_from_the_side(word, far, font_name=font)
    rows, columns = np.flatnonzero(ink.max(1) > 0.3), np.flatnonzero(ink.max(0) > 0.3)
    (left, right), (top, bottom) = (columns[0], columns[-1] + 1), (rows[0], rows[-1] + 1)
    inset, margin = (bottom - top) * (1 - far) / 2, 6
    corners = [
        (left - margin, top - margin),
        (right + margin, top + inset - margin / 2),
        (right + margin, bottom - inset + margin / 2),
        (left - margin, bottom + margin),
    ]
    result = editor.edit(photo, corners, word, old=word)
    end = slice(right - 20, right)
    before, after = (GROUND[1] - one[:, end, 1].astype(float) for one in (photo, result.image))
    assert np.quantile(after, 0.95) == pytest.approx(np.quantile(before, 0.95), rel=0.04)
