"""The same settings give the same words as long as `ALGORITHM_VERSION` stays what it is."""

import numpy as np
import pytest

from tests.runs import words_of_a_version as words

_HINT = (
    "The same settings give other words. If that is meant, raise ALGORITHM_VERSION in runs/job.py (once a "
    "release), say so in CHANGELOG.md, and run: python tests/runs/words_of_a_version.py"
)


@pytest.fixture(scope="module")
def measured() -> tuple[dict[str, object], np.ndarray]:
    return words.measured()


def test_plans_and_ink_are_those_of_this_version(measured: tuple[dict[str, object], np.ndarray]) -> None:
    assert measured[0] == words.stored()[0], _HINT


def test_pictures_are_those_of_this_version(measured: tuple[dict[str, object], np.ndarray]) -> None:
    # Other kernels round the last bit otherwise, and JPEG makes some levels of it here and there.
    apart = np.abs(measured[1].astype(int) - words.stored()[1])
    rows = apart.reshape(words.COUNT, -1).mean(axis=1)
    assert rows.max() < 0.5, _HINT
