"""Corners: which are refused and why, and what lies inside."""

import numpy as np
import pytest

from siman_synth.editing.errors import EditError
from siman_synth.editing.quad import Quad

PICTURE = np.zeros((100, 200, 3), np.uint8)


@pytest.mark.parametrize(
    ("corners", "message"),
    [
        ([(10, 10), (250, 10), (250, 40), (10, 40)], "The quadrilateral 10,10 250,10 250,40 10,40 leaves the "
         "picture, which is 200 x 100 px. Give corners inside it."),
        ([(-1, 10), (90, 10), (90, 40), (10, 40)], "leaves the picture"),
        ([(10, 10), (90, 40), (90, 10), (10, 40)], "The quadrilateral 10,10 90,40 90,10 10,40 crosses itself or "  # noqa: E501
         "has a dent. Give its corners clockwise, from the word's top left."),
        ([(10, 10), (10, 40), (90, 40), (90, 10)], "runs counterclockwise"),
        ([(10, 10), (14, 10), (14, 40), (10, 40)], "is too small: 4 x 30 px; at least 8 x 8 are needed."),
        ([(10, 10), (10, 10), (10, 10), (10, 10)], "runs counterclockwise"),
        ([(10, 10), (90, 10), (90, 40)], "A quadrilateral needs four corners of two numbers each, found "),
        ([(10, 10), (90, 10), (90, float("nan")), (10, 40)], "needs four corners"),
        ("what", "needs four corners"),
    ],
)  # fmt: skip
def test_corners_that_cannot_be_used(corners: object, message: str) -> None:
    with pytest.raises(EditError) as caught:
        Quad.of(corners, PICTURE)  # type: ignore[arg-type]
    assert message in str(caught.value)
    assert str(caught.value).count(". ") <= 1


def test_too_long() -> None:
    with pytest.raises(EditError, match=r"is too long: 62 times as wide as high; the most is 40\."):
        Quad.of_box((0, 0, 500, 8), np.zeros((10, 500, 3), np.uint8))


def test_the_inside_of_a_box_is_its_pixels() -> None:
    inside = Quad.of_box((20, 30, 50, 40), PICTURE).inside(0, 0, 200, 100)
    expected = np.zeros((100, 200), bool)
    expected[30:70, 20:70] = True
    assert np.array_equal(inside, expected)


def test_no_pixel_that_a_slanted_side_cuts_is_inside() -> None:
    quad = Quad.of([(20, 30), (120, 50), (110, 90), (15, 70)], PICTURE)
    inside = quad.inside(0, 0, 200, 100)
    ys, xs = np.nonzero(inside)
    for dx in (0, 1):
        for dy in (0, 1):
            for start, end in zip(quad.points, np.roll(quad.points, -1, axis=0), strict=True):
                along = end - start
                assert (along[0] * (ys + dy - start[1]) - along[1] * (xs + dx - start[0]) >= -1e-3).all()
    assert inside.sum() > 0.85 * 100 * 40


def test_a_box_is_rectified_to_itself() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (100, 200, 3)).astype(np.uint8)
    assert np.array_equal(Quad.of_box((20, 30, 50, 40), picture).rectified(picture), picture[30:70, 20:70])
