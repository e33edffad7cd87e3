"""Making a picture as soft as another."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.imaging.sharpness import sharpness, soften


def bars(period: int) -> np.ndarray:
    row = np.where(np.arange(128) // period % 2, 220, 30).astype(np.uint8)
    return np.repeat(np.repeat(row[None], 32, 0)[..., None], 3, 2)


@given(period=st.integers(3, 12), sigma=st.floats(0.6, 2.0))
def test_becomes_as_soft_as_the_other(period: int, sigma: float) -> None:
    sharp = bars(period)
    wanted = sharpness(cv2.GaussianBlur(sharp, (0, 0), sigma))
    found = sharpness(soften(sharp, wanted))
    assert found <= wanted * 1.05
    assert found == pytest.approx(wanted, rel=0.2)


def test_what_is_softer_already_stays_as_it_is() -> None:
    soft = cv2.GaussianBlur(bars(6), (0, 0), 2.0)
    assert soften(soft, sharpness(bars(6))) is soft


def test_a_flat_picture_is_left_alone() -> None:
    flat = np.full((32, 64, 3), 90, np.uint8)
    assert sharpness(flat) == 0
    assert np.array_equal(soften(flat, 0.0), flat)
