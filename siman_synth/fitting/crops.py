"""The crops that a fit looks at: drawn at random, half to guide it, half to check it."""

import numpy as np
from tqdm import tqdm

from siman_synth import stopping
from siman_synth.crops.pool import CropPool
from siman_synth.errors import CropError
from siman_synth.fitting.measures import Measured, Measures
from siman_synth.fitting.search import Targets
from siman_synth.fitting.store import Store
from siman_synth.imaging.resize import shrink_to_height
from siman_synth.ocr.recognizer import Image
from siman_synth.seeding import sample_rng
from siman_synth.tally import Tally

MOST, FEWEST = 1200, 100
"""How many crops a fit looks at, at most and at least."""
_KEPT_HEIGHT_PX = 96


def drawn_crops(pool: CropPool, seed: int, most: int = MOST) -> list[Image]:
    """Return up to `most` crops in random order; what cannot be decoded is passed over.

    Raises:
        CropError: there are fewer than `FEWEST`.
    """
    crops: list[Image] = []
    tally = Tally()
    order = sample_rng(seed, "fit", "crops").permutation(len(pool)).tolist()
    for index in order:
        stopping.check()
        if len(crops) == most:
            break
        try:
            crops.append(shrink_to_height(pool.decode(index), _KEPT_HEIGHT_PX))
        except CropError as error:
            tally.add(error.reason, pool.name(index))
    if len(crops) < FEWEST:
        reasons = f" ({'; '.join(tally.lines())})" if tally.total else ""
        raise CropError(
            f"{pool.path} gives {len(crops)} usable crops{reasons}; a fit needs at least {FEWEST}, and says "
            "little below 500.",
            "too few",
        )
    return crops


def measured_crops(crops: list[Image], measures: Measures, store: Store, progress: bool | None) -> Targets:
    """Return both halves as measured: of the disk, or measured now."""
    halves = {"guide": crops[::2], "checked": crops[1::2]}
    found = {}
    with tqdm(total=len(crops), desc="look at crops", unit="crop", disable=hidden(progress)) as bar:
        for name, images in halves.items():
            one = store.measured(name)
            if one is None:
                one = measures.measure(images)
                store.keep_measured(name, one)
            found[name] = one
            bar.update(len(images))
    return Targets(found["guide"], found["checked"])


def hidden(progress: bool | None) -> bool | None:
    """Return tqdm's `disable` for "show a bar": None is on a terminal only."""
    return None if progress is None else not progress


def least_like(crops: Measured, words: Measured, kind: str, count: int) -> list[int]:
    """Return which crops are the farthest from any word, the farthest first."""
    real, made = crops.features[kind].astype(np.float64), words.features[kind].astype(np.float64)
    squares = (real**2).sum(1)[:, None] + (made**2).sum(1)[None] - 2 * real @ made.T
    return [int(index) for index in np.argsort(-squares.min(1))[:count]]
