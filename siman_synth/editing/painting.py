"""From a crop's layers and two words in its frame to the pixels that replace it in the picture."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.editing.colours import edge_slope, softened
from siman_synth.editing.ground import copied_grain, fill_ground
from siman_synth.editing.ink import Floats, Layers, Pixels, mixture
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
_ALIKE = 0.75
"""A match this close says which pieces of ink belong to the word."""


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
    pieces = mask.copy()
    if rendered is not None:
        drawn = (rendered > 127).astype(np.uint8)
        around = np.asarray(cv2.dilate(drawn, _disc(0.06 * height)), np.uint8)
        if likeness >= _ALIKE:
            pieces = _touching(pieces, around)
        pieces |= drawn & (layers.alpha > 0.3).astype(np.uint8)
    near = cv2.dilate(pieces, _disc(_NEAR * height)) > 0
    away = np.abs(cv2.GaussianBlur(crop.astype(np.float32) - layers.ground, (0, 0), 0.8)).max(-1)
    quiet = away[~near]
    level = max(_ODD, 2.5 * float(np.median(quiet))) if quiet.size > 16 else _ODD
    odd = (near & (away > level)).astype(np.uint8)
    # Only what hangs together with the letters is theirs.
    odd = _touching(odd | pieces, pieces)
    hole = cv2.dilate(odd | pieces, _disc(0.03 * height))
    return np.asarray(cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 0.6))


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
    hole: Floats
    """(h, w): what the old word covers."""
    layers: Layers
    """The old word's."""
    ink: Floats
    """(h, w, 3): the new ink's colours."""
    lettering: Lettering
    """The new word in the frame."""
    outline: Outline
    extra: Floats | None = None
    """(h, w, 3): what is added beside flat ink on ground, such as rims and shadows."""


def paint(image: Image, layout: Layout) -> Painted:
    """Take the old word out of a picture and write the new one; beyond the quadrilateral nothing changes."""
    quad, (height, width) = layout.quad, layout.hole.shape
    x0, y0, x1, y1 = quad.bounds(image, _CONTEXT * quad.size[1])
    part = image[y0:y1, x0:x1]
    rows, columns = part.shape[:2]
    to_part = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]]) @ np.linalg.inv(quad.to_frame(width, height))
    inside = quad.inside(x0, y0, x1, y1)
    hole = warped(layout.hole, to_part, columns, rows) * inside
    usual = warped(layout.layers.ground, to_part, columns, rows)
    ground = _filled(part, hole, inside, usual, quad.size[1])
    ink = warped(layout.ink, to_part, columns, rows)
    matrix = to_part @ layout.lettering.matrix
    alpha = fill_mapped(layout.outline, matrix, rows, columns).astype(np.float32) / np.float32(255)
    seen = mixture(part.astype(np.float32), usual, warped(layout.layers.ink, to_part, columns, rows)) * inside
    alpha = softened(alpha, edge_slope(seen, hole > 0.5), quad.size[1]) * inside
    alpha[alpha < _TOUCHED] = 0
    core = cv2.erode((seen * hole > _PURE).astype(np.float32), _disc(0.02 * quad.size[1]))
    if core.any():
        ink = ink + copied_grain(part.astype(np.float32), core, alpha > 0)
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


def _filled(
    part: Image, hole: Floats, inside: npt.NDArray[np.bool_], usual: Floats, height_px: float
) -> Floats:
    """Return the ground (H, W, 3), filled where the old word was; only the sign itself lends its colours."""
    reach = cv2.dilate(inside.astype(np.uint8), _disc(_CONTEXT * height_px))
    beyond = (reach == 0).astype(np.float32)
    ground = fill_ground(part, np.maximum(hole, beyond), usual)
    return np.where(inside[..., None], ground, part.astype(np.float32))
