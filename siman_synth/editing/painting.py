"""From a crop's layers and two words in its frame to the pixels that replace it in the picture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.editing.colours import blurred_by, edge_slope, softening
from siman_synth.editing.ground import copied_grain, fill_ground
from siman_synth.editing.ink import Floats, Layers, Pixels, along
from siman_synth.editing.lettering import Lettering, Mask, Outline, fill_mapped
from siman_synth.editing.quad import Image, Quad, warped

_CONTEXT = 0.06
"""Of the quadrilateral's height: what may lend its ground from outside."""
_NEAR = 0.14
"""Of the frame's height: how far from letters their shadows, rims and blur are looked for."""
_ODD = 14.0
"""Grey levels from the ground's colour from which a pixel near ink is not ground."""
_TOUCHED = 0.004
_PURE = 0.85
"""Ink from which its grain is taken."""
ALIKE = 0.75
"""A match this close says which pieces of ink belong to the word, and how dark strokes like its own look."""
_PEAK = 0.8
"""Quantile of ink and of what is drawn at which they are compared: noise is further out."""
_STROKE = 0.4
_MOST_DARKER = 1.5
_FAINT = 0.1
"""Paler ink is noise of the ground."""
_STEP_EM = 0.01
_MOST_EM = 0.03
_ROUNDS = 2
_IN_PERSPECTIVE = 1.25
"""So many times as high as the other end an end is where darkness is looked at place by place."""
_PARTS, _PART = (0.0, 0.2, 0.4, 0.6, 0.8), 0.2


@dataclass(frozen=True, slots=True)
class Painted:
    """A picture after an edit."""

    image: Image
    changed: Mask
    """uint8 (H, W): how far each pixel was painted anew."""
    word: Mask
    """uint8 (H, W): how far each pixel is new ink."""


def old_ink(crop: Pixels, layers: Layers, mask: Pixels, rendered: Mask | None, likeness: float) -> Floats:
    """Return (H, W), 0 to 1: what of a crop the old word covers, with its shadow, rim and blur."""
    height = crop.shape[0]
    pieces, others = mask.copy(), np.zeros_like(mask)
    if rendered is not None:
        drawn = (rendered > 127).astype(np.uint8)
        around = np.asarray(cv2.dilate(drawn, _disc(0.06 * height)), np.uint8)
        if likeness >= ALIKE:
            pieces = _touching(pieces, around)
        pieces |= drawn & (layers.alpha > 0.3).astype(np.uint8)
        if likeness >= ALIKE:
            others = _others(layers.alpha, cv2.dilate(pieces, _disc(0.06 * height)))
    near = cv2.dilate(pieces, _disc(_NEAR * height)) > 0
    away = np.abs(cv2.GaussianBlur(crop.astype(np.float32) - layers.ground, (0, 0), 0.8)).max(-1)
    quiet = away[~near]
    level = max(_ODD, 2.5 * float(np.median(quiet))) if quiet.size > 16 else _ODD
    odd = (near & (away > level)).astype(np.uint8)
    # Only what hangs together with the letters is theirs.
    odd = _touching((odd & ~others) | pieces, pieces)
    hole = cv2.dilate(odd | pieces, _disc(0.03 * height)) & ~others
    return np.asarray(cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.6))


def _others(alpha: Floats, word: Pixels) -> Pixels:
    """Return (H, W), 1 where something else has the ink's colour, such as the edge of a sign.

    That is what reaches in from outside and does not touch the word.
    """
    beside = (alpha > 0.5).astype(np.uint8)
    count, labels = cv2.connectedComponents(beside, connectivity=8)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    reaches_in = np.zeros(count, bool)
    reaches_in[edge] = True
    reaches_in[0] = False
    touched = np.bincount(labels[word > 0], minlength=count) > 0
    # Its blurred edge is not the word's, either.
    found = (reaches_in & ~touched).astype(np.uint8)[labels]
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)) & ~word & 1, np.uint8)


def _touching(pieces: Pixels, where: Pixels) -> Pixels:
    """Return those connected pieces that reach into a mask by a fifth of their area or more than a little."""
    count, labels = cv2.connectedComponents(pieces, connectivity=8)
    area = np.bincount(labels.ravel(), minlength=count)
    inside = np.bincount(labels[where > 0], minlength=count)
    kept = (inside > 0.2 * area) & (inside > 0)
    kept[0] = False
    return np.asarray(kept.astype(np.uint8)[labels], np.uint8)


def _disc(radius: float) -> Pixels:
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


@dataclass(frozen=True, slots=True)
class Layout:
    """All that a picture is painted from; frames have the size of `hole`."""

    quad: Quad
    """The word's plane, which the frames show."""
    within: Quad
    """What may be painted on."""
    hole: Floats
    """(h, w): what the old word covers."""
    layers: Layers
    """The old word's."""
    ink: Floats
    """(h, w, 3): the new ink's colours."""
    lettering: Lettering
    """The new word in the frame."""
    outline: Outline
    old: tuple[Lettering, Outline] | None = None
    """The old word in the frame, where it is known well: strokes become as heavy and dark as its own."""
    extra: Floats | None = None
    """(h, w, 3): what is added beside flat ink on ground, such as rims and shadows."""


def paint(image: Image, layout: Layout) -> Painted:
    """Take the old word out of a picture and write the new one; beyond `within` nothing changes."""
    quad, (height, width) = layout.quad, layout.hole.shape
    x0, y0, x1, y1 = quad.bounds(image, _CONTEXT * quad.size[1])
    part = image[y0:y1, x0:x1]
    rows, columns = part.shape[:2]
    to_part = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ np.linalg.inv(quad.to_frame(width, height))
    inside = quad.inside(x0, y0, x1, y1)
    if layout.within is not quad:
        inside &= layout.within.inside(x0, y0, x1, y1)
    hole = warped(layout.hole, to_part, columns, rows) * inside
    usual = warped(layout.layers.ground, to_part, columns, rows)
    ground = _filled(part, hole, inside, usual, quad.size[1])
    ink = warped(layout.ink, to_part, columns, rows)
    matrix = to_part @ layout.lettering.matrix
    pixels, own = part.astype(np.float32), warped(layout.layers.ink, to_part, columns, rows)
    far = along(pixels, usual, own)
    seen = np.clip(far, 0, 1) * inside
    slope = edge_slope(seen, hole > 0.5)
    outline = layout.outline
    if layout.old is None:
        drawn = _drawn(outline, matrix, seen)
        sigma_px = softening(drawn, slope, quad.size[1])
    else:
        lettering, old = layout.old
        old_matrix = to_part @ lettering.matrix
        sigma_px = softening(_drawn(old, old_matrix, seen) * inside, slope, quad.size[1])

        def drawn_old(heavier_em: float) -> Floats:
            return blurred_by(_drawn(old.heavier(heavier_em), old_matrix, seen), sigma_px) * inside

        far_inside = far * (hole > 0.5)
        strokes = _strokes(far_inside, drawn_old)
        darker = np.full((1, 1), strokes.darker, np.float32)
        if _in_perspective(quad):
            darker = _darker_along(far_inside, drawn_old(strokes.heavier_em), quad, (x0, y0), strokes.darker)
        ink = usual + darker[..., None] * (ink - usual)
        drawn = _drawn(outline.heavier(strokes.heavier_em), matrix, seen)
    alpha = blurred_by(drawn, sigma_px) * inside
    alpha[alpha < _TOUCHED] = 0
    core = cv2.erode((seen * hole > _PURE).astype(np.float32), _disc(0.02 * quad.size[1]))
    if core.any():
        ink = ink + copied_grain(pixels, core, alpha > 0)
    painted = ground * (1 - alpha[..., None]) + ink * alpha[..., None]
    if layout.extra is not None:
        near = cv2.dilate(alpha, _disc(_NEAR * quad.size[1]))
        near = cv2.GaussianBlur(near, (0, 0), max(1.0, 0.04 * quad.size[1])) * inside
        painted = painted + warped(layout.extra, to_part, columns, rows) * near[..., None]
    result = image.copy()
    touched = ((hole > 0.02) | (alpha > 0) | (np.abs(painted - part).max(-1) > 0.5)) & inside
    region = result[y0:y1, x0:x1]
    region[touched] = np.clip(np.rint(painted[touched]), 0, 255).astype(np.uint8)
    changed = np.zeros(image.shape[:2], np.uint8)
    changed[y0:y1, x0:x1][touched] = np.rint(255 * np.clip(np.maximum(hole, alpha), 1 / 255, 1))[touched]
    word = np.zeros(image.shape[:2], np.uint8)
    word[y0:y1, x0:x1] = np.rint(255 * alpha)
    return Painted(result, changed, word)


def _drawn(outline: Outline, matrix: npt.NDArray[np.float64], like: Floats) -> Floats:
    return fill_mapped(outline, matrix, *like.shape).astype(np.float32) / np.float32(255)


class _Strokes(NamedTuple):
    """How strokes must be drawn to look as those that were seen."""

    heavier_em: float
    """How far edges move outwards."""
    darker: float
    """How much further from the ground the ink is."""


def _strokes(seen: Floats, drawn: Callable[[float], Floats]) -> _Strokes:
    """Compare the old word's ink, (H, W) in shares of it, with what is drawn of the old word.

    Blurred strokes show their ink nowhere in full, and what is drawn is blurred again, so the ink must be
    darker. And all that is drawn must be as much as all that was seen: thin fonts may be missing, and in the
    frame, where weights are compared, thin strokes are only some pixels wide.
    """
    peak = _peak(seen)
    wanted = float(np.clip(seen[seen > _FAINT], 0, _MOST_DARKER).sum())
    tried = drawn(0.0)
    weight, slope = 0.0, (float(tried.sum()) - float(drawn(-_STEP_EM).sum())) / _STEP_EM
    if peak is None or slope <= 0:
        return _Strokes(0.0, 1.0)
    darker = 1.0
    for _ in range(_ROUNDS):
        found = _peak(tried)
        darker = 1.0 if found is None else _darker(peak, found)
        missing = (wanted / darker - float(tried[tried > _FAINT].sum())) / slope
        weight = min(max(weight + missing, -_MOST_EM), _MOST_EM)
        tried = drawn(weight)
    return _Strokes(weight, darker)


def _darker(seen: float, drawn: float) -> float:
    return min(max(seen / drawn, 1.0), _MOST_DARKER)


def _in_perspective(quad: Quad) -> bool:
    sides = np.linalg.norm(quad.points - np.roll(quad.points, 1, axis=0), axis=1)
    return bool(max(sides[0], sides[2]) >= _IN_PERSPECTIVE * min(sides[0], sides[2]))


def _darker_along(seen: Floats, drawn: Floats, quad: Quad, corner: tuple[int, int], whole: float) -> Floats:
    """Return (H, W) or (1, 1): by how much the ink must be darker, for a word in perspective at either end.

    Small strokes at the far end show their ink less than those at the near end do.
    """
    rows, columns = seen.shape
    xs, ys = np.meshgrid(np.arange(columns) + 0.5 + corner[0], np.arange(rows) + 0.5 + corner[1])
    across = quad.to_frame(1, 1)
    depth = across[2, 0] * xs + across[2, 1] * ys + across[2, 2]
    share = (across[0, 0] * xs + across[0, 1] * ys + across[0, 2]) / depth
    places, found = [], []
    for first in _PARTS:
        part = (share >= first) & (share < first + _PART)
        peaks = _peak(seen[part]), _peak(drawn[part])
        if peaks[0] is not None and peaks[1] is not None:
            places.append(first + _PART / 2)
            found.append(_darker(peaks[0], peaks[1]))
    if len(found) < 2:
        return np.full((1, 1), whole, np.float32)
    return np.asarray(np.interp(share, places, found), np.float32)


def _peak(alpha: Floats) -> float | None:
    strokes = alpha[alpha > _STROKE]
    return float(np.quantile(strokes, _PEAK)) if strokes.size >= 16 else None


def _filled(
    part: Image, hole: Floats, inside: npt.NDArray[np.bool_], usual: Floats, height_px: float
) -> Floats:
    """Return the ground (H, W, 3), filled where the old word was; only the sign itself lends its colours."""
    reach = cv2.dilate(inside.astype(np.uint8), _disc(_CONTEXT * height_px))
    beyond = (reach == 0).astype(np.float32)
    ground = fill_ground(part, np.maximum(hole, beyond), usual)
    return np.where(inside[..., None], ground, part.astype(np.float32))
