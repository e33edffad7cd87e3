"""As many other words as leave the distance alike."""

import numpy as np
import pytest

from siman_synth.evaluation.distances import kernel_distance
from siman_synth.fitting.measures import Measured
from siman_synth.fitting.variety import largest_share


def words(seed: int, *middle: float) -> Measured:
    """Return what a network sees in 300 words around a point."""
    features = 2 + np.array(middle) + np.random.default_rng(seed).normal(size=(300, 2))
    return Measured({"imagenet": features.astype(np.float32)}, np.zeros((300, 5)), None)


def apart(one: Measured, other: Measured) -> float:
    found, real = (which.features["imagenet"].astype(np.float64) for which in (one, other))
    scale = np.sqrt((real**2).mean())
    return kernel_distance(found / scale, real / scale)


CROPS, OTHER = words(0, 0, 0), words(1, 3, 0)
BEFORE = {"imagenet": apart(OTHER, CROPS)}


@pytest.mark.parametrize("alike", [0.0, 0.03])
def test_where_other_words_only_lead_away_there_are_none(alike: float) -> None:
    assert largest_share(words(2, 0, 0), OTHER, CROPS, BEFORE, alike=0.0) == 0
    assert largest_share(words(2, 0.5, 0), OTHER, CROPS, BEFORE, alike) <= 0.1


def test_where_both_are_alike_half_of_the_words_are() -> None:
    assert largest_share(words(2, 3, 0), OTHER, CROPS, BEFORE, alike=0.01) == 0.5


def test_where_crops_lie_between_both_a_good_part_of_the_words_is() -> None:
    assert largest_share(words(2, -2, 0), OTHER, CROPS, BEFORE, alike=0.0) >= 0.3


def test_the_share_that_is_found_is_as_near_as_promised() -> None:
    found = words(2, 0, 1)
    share = largest_share(found, OTHER, CROPS, BEFORE, alike=0.05)
    assert 0 < share < 0.5
    count = round(300 * share)

    def mixed(count: int) -> float:
        kept, other = found.features["imagenet"], OTHER.features["imagenet"]
        both = np.concatenate([kept[count:], other[:count]])
        return apart(Measured({"imagenet": both}, np.zeros((300, 5)), None), CROPS) / BEFORE["imagenet"]

    assert mixed(count) <= mixed(0) + 0.06
    assert mixed(count + 30) > mixed(0) + 0.04


def test_what_one_network_cannot_bear_another_does_not_outweigh() -> None:
    far, near = words(2, 0, 0).features["imagenet"], words(3, -3, 0).features["imagenet"]
    kinds = ("imagenet", "ocr")
    found = Measured(dict(zip(kinds, (far, near), strict=True)), np.zeros((300, 5)), None)
    other, crops = (
        Measured(dict.fromkeys(kinds, one.features["imagenet"]), np.zeros((300, 5)), None)
        for one in (OTHER, CROPS)
    )
    before = dict.fromkeys(kinds, BEFORE["imagenet"])
    assert largest_share(found, other, crops, before, alike=0.0) == 0
