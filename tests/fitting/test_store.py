"""What a search keeps: read back as it was, or said to be damaged."""

import re
from pathlib import Path

import numpy as np
import pytest

from siman_synth.errors import OutputError
from siman_synth.evaluation.spectrum import Spectrum
from siman_synth.fitting.belief import Belief
from siman_synth.fitting.measures import Measured
from siman_synth.fitting.store import Store, Trial
from siman_synth.fitting.weighing import Round
from tests.fitting.domain import TABLE

TRIAL = Trial(0, {"caution": 0.5}, [[1.0, 2.0]], 180, {"ocr": 3.0}, {"ocr": 4.0}, 0.75)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path, TABLE)


def measured() -> Measured:
    rng = np.random.default_rng(0)
    spectrum = Spectrum(3, rng.random(16), rng.random(16), 0.125)
    return Measured({"ocr": rng.random((5, 4)).astype(np.float32)}, rng.random((5, 2)), spectrum)


def test_what_was_measured_is_read_back(store: Store) -> None:
    assert store.measured("crops") is None
    store.keep_measured("crops", measured())
    found = store.measured("crops")
    assert found is not None
    assert found.spectrum is not None
    np.testing.assert_array_equal(found.features["ocr"], measured().features["ocr"])
    np.testing.assert_array_equal(found.looks, measured().looks)
    assert found.spectrum.high_share == 0.125


def test_trials_are_read_back(store: Store) -> None:
    assert store.trials() == []
    store.keep_trials([TRIAL])
    assert store.trials() == [TRIAL]


def test_what_another_painter_made_is_removed_and_crops_stay(store: Store, tmp_path: Path) -> None:
    store.keep_measured("guide", measured())
    belief = Belief.wide(TABLE)
    points = belief.draw(4, np.random.default_rng(0), 0.5)
    store.keep_round(0, Round(belief, 0.5, points, {"ocr": np.zeros((4, 2), np.float32)}))
    store.keep_trials([TRIAL])
    same = Store(tmp_path, TABLE)
    assert same.trials() == [TRIAL]
    assert same.round(0) is not None
    other = Store(tmp_path, TABLE, "hash of other weights")
    assert other.trials() == []
    assert other.round(0) is None
    assert other.measured("guide") is not None
    other.keep_trials([TRIAL])
    assert Store(tmp_path, TABLE, "hash of other weights").trials() == [TRIAL]
    assert Store(tmp_path, TABLE).trials() == []


@pytest.mark.parametrize("kind", ["cut", "changed", "empty"])
def test_damage_is_said(store: Store, tmp_path: Path, kind: str) -> None:
    store.keep_measured("crops", measured())
    store.keep_trials([TRIAL])
    rng = np.random.default_rng(0)
    for name in ("crops.npz", "trials.json"):
        data = (tmp_path / name).read_bytes()
        for _ in range(50):
            damaged = bytearray(data)
            place = int(rng.integers(len(data)))
            damaged[place] ^= 1 << int(rng.integers(4))
            cut = damaged[: 0 if kind == "empty" else place]
            (tmp_path / name).write_bytes(damaged if kind == "changed" else cut)
            with pytest.raises(OutputError, match=f"{re.escape(name)} is damaged. Overwrite the fit."):
                store.trials() if name == "trials.json" else store.measured("crops")
