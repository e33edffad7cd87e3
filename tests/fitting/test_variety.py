"""As many other words as the distance bears, and none of another domain."""

import numpy as np

from siman_synth.evaluation.distances import kernel_distance
from siman_synth.fitting.measures import Measured
from siman_synth.fitting.variety import borne_share


def words(seed: int, *middle: float) -> Measured:
    """Return what a network sees in 300 words around a point."""
    features = 2 + np.array(middle) + np.random.default_rng(seed).normal(size=(300, 2))
    return Measured({"imagenet": features.astype(np.float32)}, np.zeros((300, 5)), None)


def apart(one: Measured, other: Measured) -> float:
    found, real = (which.features["imagenet"].astype(np.float64) for which in (one, other))
    scale = np.sqrt((real**2).mean())
    return kernel_distance(found / scale, real / scale)


def mixed(one: Measured, other: Measured, count: int) -> Measured:
    """Return 300 words, `count` of them of the other."""
    kept, taken = one.features["imagenet"][count:], other.features["imagenet"][:count]
    return Measured({"imagenet": np.concatenate([kept, taken])}, np.zeros((300, 5)), None)


CROPS = words(0, 0, 0)


def test_words_that_are_of_another_domain_are_left_out() -> None:
    found = words(2, -1, 0)
    other = words(1, 3, 0)
    assert apart(other, CROPS) > 2 * apart(found, CROPS)
    # Even where a mixture would be nearer.
    assert apart(mixed(found, other, 60), CROPS) < apart(found, CROPS)
    assert borne_share(found, other, CROPS) == 0


def test_words_of_real_crops_bear_none() -> None:
    assert borne_share(words(2, 0, 0), words(3, 1, 0), CROPS) == 0


def test_where_the_others_are_as_near_half_of_the_words_are() -> None:
    assert borne_share(words(2, 1.5, 0), words(3, 1.5, 0), CROPS) == 0.5
    assert borne_share(words(2, 3.5, 0), words(3, 3, 0), CROPS) == 0.5


def test_as_many_are_taken_as_lead_a_tenth_farther_away() -> None:
    found, other = words(2, 1.5, 0), words(3, 1.65, 0)
    assert apart(found, CROPS) < apart(other, CROPS) < 2 * apart(found, CROPS)
    share = borne_share(found, other, CROPS)
    assert 0 < share < 0.5

    taken, more = (apart(mixed(found, other, round(300 * part)), CROPS) for part in (share, share + 0.1))
    assert taken < 1.15 * apart(found, CROPS)
    assert more > 1.08 * apart(found, CROPS)


def test_what_one_network_cannot_bear_another_does_not_outweigh() -> None:
    kinds = ("imagenet", "ocr")

    def both(*each: Measured) -> Measured:
        features = [one.features["imagenet"] for one in each]
        return Measured(dict(zip(kinds, features, strict=True)), np.zeros((300, 5)), None)

    near, far = words(2, 1, 0), words(3, 3, 0)
    crops = both(CROPS, CROPS)
    assert borne_share(both(near, near), both(near, near), crops) == 0.5
    assert borne_share(both(near, near), both(near, far), crops) == 0
