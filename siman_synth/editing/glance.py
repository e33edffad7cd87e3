"""First looks at a crop: which colours may be its ink, and which fonts may have drawn that, by thumbnails."""

from typing import NamedTuple

import numpy as np

from siman_synth.editing.fit import STRETCH_COST
from siman_synth.editing.ink import Box, Floats, Pixels, border_share, candidate_masks, inner_parts
from siman_synth.editing.target import UPRIGHT, Pose, Target, large_box, poses, size_cost, straightened
from siman_synth.editing.thumbnails import Thumbnails

_KEPT = 6
_BORDER_COST, _DROPPED_COST = 0.1, 0.5
_SAME = 0.9
"""Overlap of two masks from which they are one."""


class Candidate(NamedTuple):
    """What may be the word's ink."""

    likeness: Floats
    """(F,): how much it is like the word in each font."""
    cost: float
    """What speaks against it, however much that is."""
    mask: Pixels

    @property
    def merit(self) -> float:
        """How likely it is the word's ink at first sight."""
        return float(self.likeness.max()) - self.cost


def candidates(crop: Pixels, probes: Thumbnails) -> list[Candidate]:
    """Return the likeliest unions of colours, with what touches the edges or without; no two alike."""
    height, width = crop.shape[:2]
    found: list[Candidate] = []
    for colours_cost, colours in candidate_masks(crop):
        for dropped, mask in inner_parts(colours):
            box = large_box(mask)
            if box is None:
                continue
            cost = colours_cost + size_cost(box, height, width)
            cost += _DROPPED_COST * dropped + _BORDER_COST * border_share(mask)
            alpha = mask.astype(np.float32)
            found.append(Candidate(_overlaid(alpha, box, probes, UPRIGHT), cost, mask))
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda one: -one.merit):
        if all(_overlap(one.mask, other.mask) < _SAME for other in kept):
            kept.append(one)
            if len(kept) == _KEPT:
                break
    return kept


def glance(target: Target, mask: Pixels, thumbnails: Thumbnails) -> tuple[Floats, list[Pose]]:
    """Return (F,), how much each thumbnail is like the ink, and the pose in which it is most."""
    tried = poses(mask)
    rows = [_overlaid(target.alpha, target.box, thumbnails, pose) for pose in tried]
    table = np.stack(rows)
    return table.max(0), [tried[number] for number in table.argmax(0)]


def _overlaid(alpha: Floats, box: Box, thumbnails: Thumbnails, pose: Pose) -> Floats:
    """Return (F,): the likeness of thumbnails with ink, laid over its box, less what their stretch costs."""
    straight = straightened(alpha, box, pose)
    if straight is None:
        return np.full(len(thumbnails.names), -1.0)
    alpha, (x0, y0, x1, y1) = straight
    stretch = np.abs(np.log((x1 - x0) / (y1 - y0) / thumbnails.aspects))
    return np.asarray(thumbnails.likeness(alpha, (x0, y0, x1, y1)) - STRETCH_COST * stretch)


def _overlap(one: Pixels, other: Pixels) -> float:
    return float((one & other).sum()) / max(float((one | other).sum()), 1.0)
