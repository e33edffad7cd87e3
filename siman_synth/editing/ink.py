"""Which pixels of a crop are ink: unions of its colours, of which one looks most like a word."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

Pixels = np.ndarray
"""uint8."""
Floats = np.ndarray
"""float32."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

_COLOURS = (2, 3, 4)
_ATTEMPTS = 1
_COST = 0.02
_LEAST_SHARE, _MOST_SHARE = 0.02, 0.75
"""Of a crop, letters cover a quarter, give or take."""
_BESIDE = 0.12
"""Of the height: how far from ink its own ground reaches."""
_BLUR_STEPS = 3.0
"""Pixels to a wide blur's sigma."""
_SPECK = 0.0008
"""Pieces smaller than this share of the squared height are noise."""


@dataclass(frozen=True, slots=True)
class Layers:
    """A crop taken apart: `image = (1 - alpha) * ground + alpha * ink`, all float32."""

    alpha: Floats
    """(H, W), 0 to 1: how far a pixel is ink."""
    ground: Floats
    """(H, W, 3), smooth."""
    ink: Floats
    """(H, W, 3), smooth."""


def candidate_masks(image: Pixels) -> Iterator[tuple[float, Pixels]]:
    """Yield masks (H, W), 1 where ink might be, each with what it costs to believe it.

    They are the unions of 1 to 3 of the 2 to 4 main colours; the first two are the two halves of the
    crop by colour, and cost nothing.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    # Hue is noisy in small crops: light and dark count most.
    lab[..., 1:] *= 1.2
    samples = lab.reshape(-1, 3)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 12, 0.5)
    unlabeled = np.zeros((len(samples), 1), np.int32)
    for count in _COLOURS:
        cv2.setRNGSeed(count)
        _, labels, _ = cv2.kmeans(samples, count, unlabeled, criteria, _ATTEMPTS, cv2.KMEANS_PP_CENTERS)
        classes = labels.reshape(image.shape[:2]).astype(np.uint8)
        for size in range(1, count):
            for chosen in itertools.combinations(range(count), size):
                is_chosen = np.zeros(256, np.uint8)
                is_chosen[list(chosen)] = 1
                mask = np.asarray(cv2.LUT(classes, is_chosen))
                if _LEAST_SHARE <= np.count_nonzero(mask) / mask.size <= _MOST_SHARE:
                    yield _COST * (count - _COLOURS[0]), without_specks(mask)


def inner_parts(mask: Pixels) -> Iterator[tuple[float, Pixels]]:
    """Yield a mask, then without the pieces that touch top and bottom edges, then without any at an edge.

    With each goes the share of ink that was dropped though it stands in the line of what is kept: it may
    be the word's own first and last letters.
    """
    yield 0.0, mask
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    tops = stats[:, cv2.CC_STAT_TOP]
    bottoms, areas = tops + stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    kept = np.ones(count, bool)
    kept[0] = False
    for edges in ((labels[0], labels[-1]), (labels[:, 0], labels[:, -1])):
        for edge in edges:
            kept[edge] = False
        if not 0 < np.count_nonzero(kept) < count - 1:
            continue
        top, bottom = tops[kept].min(), bottoms[kept].max()
        slack = 0.25 * (bottom - top)
        in_line = ~kept & (tops >= top - slack) & (bottoms <= bottom + slack)
        in_line[0] = False
        yield (
            float(areas[in_line].sum() / (areas[in_line].sum() + areas[kept].sum())),
            kept.astype(np.uint8)[labels],
        )


def without_specks(mask: Pixels) -> Pixels:
    """Return a mask without its smallest pieces."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < _SPECK * mask.shape[0] ** 2
    small[0] = False
    if not small.any():
        return mask
    kept = np.ones(count, np.uint8)
    kept[0], kept[small] = 0, 0
    return np.asarray(kept[labels])


def border_share(mask: Pixels) -> float:
    """Return the share of the outermost pixels that a mask covers: ground often, letters seldom."""
    edge = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return np.count_nonzero(edge) / edge.size


def mask_box(mask: Pixels) -> Box | None:
    """Return the box (x0, y0, x1, y1) around a mask's pixels, None around none."""
    x, y, width, height = cv2.boundingRect(mask)
    return (float(x), float(y), float(x + width), float(y + height)) if width else None


def separate(image: Pixels, mask: Pixels) -> Layers:
    """Take a crop, uint8 (H, W, 3), apart, knowing about where its ink is, (H, W) of 0 and 1."""
    height = image.shape[0]
    pixels = image.astype(np.float32)
    away = 1 - cv2.dilate(mask, np.ones((3, 3), np.uint8))
    if away.sum() < 0.05 * away.size:
        away = 1 - mask
    ground = _ground(pixels, mask, away)
    weights = mask.astype(np.float32)
    ink = spread(pixels, weights, height / 3)
    # Thin strokes show the ink's colour nowhere in full: what is furthest from the ground is nearest to it.
    far = along(pixels, ground, ink)
    furthest = max(float(np.quantile(far[mask > 0], 0.9)), 0.1) if mask.any() else 1.0
    ink = spread(pixels, weights * np.clip(far / furthest, 0.05, 1.0) ** 6, height / 3)
    return Layers(mixture(pixels, ground, ink), ground, ink)


def _ground(pixels: Floats, mask: Pixels, away: Pixels) -> Floats:
    """Return the ground's colours (H, W, 3): of what lies beside the ink, without what stands out of it."""
    height = mask.shape[0]
    reach = 2 * max(1, round(_BESIDE * height)) + 1
    beside = away * cv2.dilate(mask, np.ones((reach, reach), np.uint8))
    if beside.sum() < 16:
        beside = away
    weights = 0.02 * away + beside.astype(np.float32)
    middle = np.median(pixels[beside > 0], axis=0) if beside.any() else pixels.mean((0, 1))
    for sigma in (height / 2, height / 4):
        off = np.linalg.norm(pixels - middle, axis=-1)
        usual = max(8.0, float(np.median(off[beside > 0]))) if beside.any() else 255.0
        middle = spread(pixels, weights / (1 + (off / (2 * usual)) ** 4) + 1e-6, sigma)
    return np.asarray(middle, np.float32)


def mixture(pixels: Floats, ground: Floats, ink: Floats) -> Floats:
    """Return how far each pixel is on the way from its ground to its ink, 0 to 1."""
    return np.asarray(np.clip(along(pixels, ground, ink), 0, 1), np.float32)


def along(pixels: Floats, ground: Floats, ink: Floats) -> Floats:
    """Return how far each pixel is on the way from its ground, 0, to its ink, 1, and beyond."""
    across = ink - ground
    length = np.maximum((across * across).sum(-1), 25.0)
    return np.asarray(((pixels - ground) * across).sum(-1) / length, np.float32)


def spread(values: Floats, weights: Floats, sigma_px: float) -> Floats:
    """Return (H, W, 3), everywhere a weighted average of what is near by, or of what is further off."""
    weighted = np.dstack([values * weights[..., None], weights])
    total, left = np.zeros_like(values), np.ones((*weights.shape, 1), np.float32)
    for sigma in (sigma_px, 4 * sigma_px):
        sums = _wide_blur(weighted, sigma)
        near = sums[..., 3:]
        share = left * np.minimum(near / np.float32(0.05), 1)
        total += share / np.maximum(near, np.float32(1e-6)) * sums[..., :3]
        left = left - share
        if not left.any():
            return total
    *sums_of_all, weight = cv2.mean(weighted)
    return np.asarray(total + left * (np.array(sums_of_all, np.float32) / np.float32(weight + 1e-9)))


def _wide_blur(values: Floats, sigma_px: float) -> Floats:
    """Blur (H, W, 4); what a wide blur leaves can be told from fewer pixels, which cost less."""
    height, width = values.shape[:2]
    step = max(1.0, sigma_px / _BLUR_STEPS)
    size = max(1, round(width / step)), max(1, round(height / step))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(small, (0, 0), sigma_px / step)
    return np.asarray(cv2.resize(blurred, (width, height), interpolation=cv2.INTER_LINEAR))
