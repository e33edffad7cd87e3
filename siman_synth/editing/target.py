"""The ink of a crop, against which renderings of its word are held, and how letters may lean on it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from siman_synth.editing.colours import edge_slope
from siman_synth.editing.ink import Box, Floats, Pixels, mask_box
from siman_synth.editing.lettering import Matrix, Outline, fill_mapped

_BLUR = 1 / 40
"""Of the frame's height: how far edges may lie apart and still count as alike."""
_MOST_SOFTNESS = 1 / 40
"""Of the frame's height: noise and texture make edges look softer than they are."""
_SHARP_PX = 0.8
"""Sigma that a filled outline's edges seem to have."""
_SMALL_COST, _LOW_COST = 0.6, 1.0
_LEANS = (0.0, 0.2, -0.2)
_LEAST_SLOPE, _MOST_SLOPE = 0.03, 0.6
_LEAST_PX = 3


@dataclass(frozen=True, slots=True)
class Pose:
    """How letters lean, how their line rises, how far apart they stand, before they are laid over the ink."""

    lean: float = 0.0
    slope: float = 0.0
    spacing_em: float = 0.0

    @property
    def turns(self) -> bool:
        """Whether letters lean or their line rises."""
        return bool(self.lean or self.slope)

    @property
    def matrix(self) -> Matrix:
        """(3, 3), of points whose y is upwards."""
        return np.array([[1, self.lean, 0], [self.slope, 1, 0], [0, 0, 1]], np.float64)


UPRIGHT = Pose()


@dataclass(frozen=True, slots=True)
class Target:
    """The ink of a crop."""

    alpha: Floats
    """(H, W), 0 to 1."""
    normal: Floats
    """The same, blurred, with a mean of 0 and a length of 1."""
    small: Floats
    """That at half the size: where a word lies shows there, too, at a quarter of the cost."""
    box: Box
    softness_px: float
    """By how much it is blurred itself.

    Renderings are, too, before they are compared: the thin strokes of a blurred serif are pale, and sharp
    renderings of heavier fonts would be more like it.
    """

    @classmethod
    def of(cls, alpha: Floats) -> "Target | None":
        """Take a crop's ink, (H, W) from 0 to 1; None where there is hardly any."""
        box = ink_box(alpha)
        if box is None:
            return None
        normal = _normal(alpha)
        height, width = alpha.shape
        half = max(2, width // 2), max(2, height // 2)
        small = cv2.resize(normal, half, interpolation=cv2.INTER_AREA)
        return cls(alpha, normal, small, box, _softness_px(alpha))

    def likeness(self, outline: Outline, matrix: Matrix) -> float:
        """Return the correlation of the ink with an outline, both blurred: 1 for the same, 0 for unlike."""
        mask = fill_mapped(outline, matrix, *self.alpha.shape).astype(np.float32)
        soft = blurred(mask, self.softness_px)
        _, deviation = cv2.meanStdDev(soft)
        length = float(deviation[0, 0]) * float(np.sqrt(mask.size))
        return float(np.vdot(soft, self.normal)) / max(length, 1e-6)


def size_cost(box: Box, height: int, width: int) -> float:
    """Return what speaks against ink of this size: a word fills most of the crop that was cut around it."""
    across, down = (box[2] - box[0]) / width, (box[3] - box[1]) / height
    return float(_SMALL_COST * (1 - across) + _LOW_COST * max(0.0, 0.6 - down))


def straightened(alpha: Floats, box: Box, pose: Pose) -> tuple[Floats, Box] | None:
    """Return ink without a pose's lean and slope, and its box; None where nothing is left."""
    if not pose.turns:
        return alpha, box
    height, width = alpha.shape
    down = np.diag([1.0, -1.0])
    back = down @ np.linalg.inv(pose.matrix[:2, :2]) @ down
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)]) @ back.T
    low, high = corners.min(0), corners.max(0)
    size = np.ceil(high - low).astype(int).tolist()
    straight = np.asarray(cv2.warpAffine(alpha, np.column_stack([back, -low]), size))
    found = ink_box(straight)
    return None if found is None else (straight, found)


def poses(mask: Pixels) -> list[Pose]:
    """Return upright, then leaning to either side, on a level line and on one as steep as the mask's."""
    columns = np.flatnonzero(mask.any(0))
    heights = np.array([np.flatnonzero(mask[:, column]).mean() for column in columns])
    steepness = -float(np.polyfit(columns, heights, 1)[0]) if len(columns) > mask.shape[0] else 0.0
    slopes = (0.0, steepness) if _LEAST_SLOPE < abs(steepness) < _MOST_SLOPE else (0.0,)
    return [Pose(lean, slope) for slope in slopes for lean in _LEANS]


def ink_box(alpha: Floats) -> Box | None:
    """Return the box of what is mostly ink, None where it is too small for a word."""
    return large_box((alpha > 0.5).astype(np.uint8))


def large_box(mask: Pixels) -> Box | None:
    """Return the box of a mask of 0 and 1, None where it is too small for a word."""
    box = mask_box(mask)
    if box is None or box[2] - box[0] < _LEAST_PX or box[3] - box[1] < _LEAST_PX:
        return None
    return box


def _normal(alpha: Floats) -> Floats:
    soft = blurred(alpha)
    centred = soft - soft.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6))


def blurred(alpha: Floats, softness_px: float = 0.0) -> Floats:
    """Blur a frame's ink by as much as edges may lie apart, and first by `softness_px`."""
    return np.asarray(
        cv2.GaussianBlur(alpha, (0, 0), math.hypot(max(0.5, alpha.shape[0] * _BLUR), softness_px))
    )


def _softness_px(alpha: Floats) -> float:
    """Return the sigma of a Gaussian blur after which sharp edges would be as steep as those of the ink."""
    slope = max(edge_slope(alpha), 0.05)
    sigma = 1 / (slope * math.sqrt(2 * math.pi))
    most = alpha.shape[0] * _MOST_SOFTNESS
    return min(float(most), math.sqrt(max(0.0, sigma * sigma - _SHARP_PX**2)))
