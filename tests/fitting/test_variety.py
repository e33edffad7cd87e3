"""As many other words as lead no farther away."""

import numpy as np

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


def test_where_other_words_only_lead_away_there_are_none() -> None:
    assert largest_share(words(2, 0, 0), OTHER, CROPS) == 0
    assert largest_share(words(2, 0.5, 0), OTHER, CROPS) == 0


def test_where_the_others_are_nearer_half_of_the_words_are() -> None:
    assert largest_share(words(2, 3.5, 0), OTHER, CROPS) == 0.5


def test_where_crops_lie_between_both_a_good_part_of_the_words_is() -> None:
    assert largest_share(words(2, -2, 0), OTHER, CROPS) >= 0.3


def test_a_greater_share_than_was_found_leads_away() -> None:
    found = words(2, -0.6, 0)
    share = largest_share(found, OTHER, CROPS)
    assert 0.1 < share < 0.5

    def mixed(count: int) -> float:
        kept, other = found.features["imagenet"], OTHER.features["imagenet"]
        both = np.concatenate([kept[count:], other[:count]])
        return apart(Measured({"imagenet": both}, np.zeros((300, 5)), None), CROPS)

    assert mixed(round(300 * share)) < 1.1 * mixed(0)
    assert mixed(round(300 * (share + 0.1))) > mixed(0)


def test_what_one_network_cannot_bear_another_does_not_outweigh() -> None:
    far, near = words(2, 0, 0).features["imagenet"], words(3, -3, 0).features["imagenet"]
    kinds = ("imagenet", "ocr")
    found = Measured(dict(zip(kinds, (far, near), strict=True)), np.zeros((300, 5)), None)
    other, crops = (
        Measured(dict.fromkeys(kinds, one.features["imagenet"]), np.zeros((300, 5)), None)
        for one in (OTHER, CROPS)
    )
    assert largest_share(found, other, crops) == 0
