"""A word in one font, laid over a crop's ink as closely as it goes."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from siman_synth.editing.lettering import (
    Lettering,
    Matrix,
    Outline,
    box_matrix,
    fill_mapped,
    scaling,
    set_line,
)
from siman_synth.editing.target import Pose, Target, blurred
from siman_synth.render.shaping import TextLine

STRETCH_COST = 0.04
_SPACINGS_EM = ((0.06, 0.14), (-0.04,))
_WEIGHTS_EM = ((0.015, 0.03), (-0.015, -0.03))
_ALIGN_STEPS = 20
_ALIGN_BLUR_PX = 3
_MOST_GAIN = 0.03
"""A word that is further behind would not win with heavier or lighter letters."""
NO_SHIFT: Matrix = np.eye(3)


@dataclass(frozen=True, slots=True)
class Fit:
    """How a word in one font lies on the ink."""

    line: TextLine
    lettering: Lettering
    pose: Pose
    overlap: float
    """Correlation with the ink."""
    font_cost: float
    """What is taken off for an unlikely font."""
    stretch_cost: float
    """What is taken off for stretched letters."""
    shift: Matrix
    """How it was moved, in pixels, since it was laid over the ink's box."""

    @property
    def font(self) -> str:
        """The font's id."""
        return self.lettering.font

    @property
    def likeness(self) -> float:
        """How well the word explains the ink."""
        return self.overlap - self.font_cost - self.stretch_cost

    @property
    def outline(self) -> Outline:
        """The word as it is set."""
        return set_line(self.line, self.lettering.weight_em, self.lettering.spacing_em)


def laid_over(
    font: str, line: TextLine, target: Target, pose: Pose, cost: float = 0.0, shift: Matrix = NO_SHIFT
) -> Fit:
    """Lay a word over the ink's box, moved by `shift` in pixels; `cost` is that of the font."""
    outline = set_line(line, 0.0, pose.spacing_em)
    turned = pose.matrix
    posed = Outline(outline.points @ turned[:2, :2].T, outline.contour_ends) if pose.turns else outline
    matrix = box_matrix(posed.box, target.box)
    stretch = abs(float(np.log(matrix[0, 0] / -matrix[1, 1])))
    matrix = shift @ matrix @ turned
    lettering = Lettering(font, matrix, 0.0, pose.spacing_em)
    return Fit(line, lettering, pose, target.likeness(outline, matrix), cost, STRETCH_COST * stretch, shift)


def shifted(fit: Fit, target: Target, shift: Matrix) -> Fit:
    """Return a fit moved by `shift` if that makes it better, or else as it is."""
    moved = laid_over(fit.font, fit.line, target, fit.pose, fit.font_cost, shift)
    return max(fit, moved, key=lambda one: one.likeness)


def refined(fit: Fit, target: Target, rival: float = 0.0) -> Fit:
    """Try letters further apart, move the whole until it lies on the ink, and try heavier letters.

    The last is left out where the likeness of a `rival` is out of reach.
    """
    aligned = _aligned(_spaced(fit, target), target)
    return aligned if aligned.likeness + _MOST_GAIN < rival else _weighted(aligned, target)


def _spaced(fit: Fit, target: Target) -> Fit:
    def spaced(spacing_em: float) -> Fit:
        pose = dataclasses.replace(fit.pose, spacing_em=spacing_em)
        return laid_over(fit.font, fit.line, target, pose, fit.font_cost, fit.shift)

    return _climbed(fit, _SPACINGS_EM, spaced)


def _weighted(fit: Fit, target: Target) -> Fit:
    def heavier(weight_em: float) -> Fit:
        return _with(fit, dataclasses.replace(fit.lettering, weight_em=weight_em), target)

    return _climbed(fit, _WEIGHTS_EM, heavier)


def _aligned(fit: Fit, target: Target) -> Fit:
    shift = _aligning(fit.outline, fit.lettering.matrix, target)
    moved = dataclasses.replace(_with(fit, fit.lettering.moved(shift), target), shift=shift @ fit.shift)
    return max(fit, moved, key=lambda one: one.likeness)


def _with(fit: Fit, lettering: Lettering, target: Target) -> Fit:
    outline = set_line(fit.line, lettering.weight_em, lettering.spacing_em)
    return dataclasses.replace(fit, lettering=lettering, overlap=target.likeness(outline, lettering.matrix))


def _climbed(fit: Fit, ways: Sequence[Sequence[float]], tried: Callable[[float], Fit]) -> Fit:
    """Go one of several ways, step by step, as long as that makes the fit better."""
    best = fit
    for way in ways:
        for step in way:
            other = tried(step)
            if other.likeness <= best.likeness:
                break
            best = other
        if best is not fit:
            break
    return best


def _aligning(outline: Outline, matrix: Matrix, target: Target) -> Matrix:
    """Return what moves, turns, shears and scales a rendering, in pixels, until it lies on the ink."""
    (height, width), (full_height, full_width) = target.small.shape, target.alpha.shape
    to_small = scaling(width / full_width, height / full_height)
    drawn = blurred(
        fill_mapped(outline, to_small @ matrix, height, width).astype(np.float32),
        to_small[1, 1] * target.softness_px,
    )
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ALIGN_STEPS, 1e-3)
    start, everywhere = np.eye(2, 3, dtype=np.float32), np.ones_like(drawn, np.uint8)
    try:
        _, warp = cv2.findTransformECC(
            target.small, drawn, start, cv2.MOTION_AFFINE, criteria, everywhere, _ALIGN_BLUR_PX
        )
    except cv2.error:  # they have too little in common
        return NO_SHIFT
    whole = np.vstack([warp, [0, 0, 1]]).astype(np.float64)
    # The warp leads from the ink to the rendering, counted from the middle of the first pixel.
    counted = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]]) @ to_small
    return np.asarray(np.linalg.inv(counted) @ np.linalg.inv(whole) @ counted)
