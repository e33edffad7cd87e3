"""Which font, and how set, explains the word in a crop."""

import dataclasses
from collections.abc import Sequence, Set
from dataclasses import dataclass

import cv2
import numpy as np

from siman_synth.editing.ink import (
    Floats,
    Layers,
    Pixels,
    border_share,
    candidate_masks,
    inner_parts,
    mask_box,
    separate,
)
from siman_synth.editing.lettering import Lettering, Mask, Matrix, Outline, box_matrix, fill_mapped, set_line
from siman_synth.editing.looks import FontLooks
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import TextLine, shape_line

_PROBES = 6
_FINALISTS = 8
_SPACINGS_EM = (-0.04, 0.06, 0.14)
_WEIGHTS_EM = (-0.03, -0.015, 0.015, 0.03)
_BLUR = 1 / 40
"""Of the frame's height: how far edges may lie apart and still count as alike."""
_STRETCH_COST = 0.04
_ALIGN_STEPS = 25
_BORDER_COST, _DROPPED_COST = 0.1, 0.5
_SMALL_COST, _LOW_COST = 0.6, 1.0
_KIND_COSTS = {"display": 0.02, "script": 0.03, "handwriting": 0.03, "slab": 0.01, "mono": 0.02}
_WIDE_EM = 0.1
_SAME = 0.9
"""Overlap of two masks from which they are one."""
_LEANS = (0.0, 0.2, -0.2)
_LEAST_SLOPE, _MOST_SLOPE = 0.03, 0.6


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of what comes into question is taken: 0 is the likeliest."""

    mask: int = 0
    family: int = 0


FIRST = Choice()


@dataclass(frozen=True, slots=True)
class Match:
    """What a crop was found to show."""

    lettering: Lettering
    """Of the old word, in the crop's frame."""
    likeness: float
    """Correlation of its rendering with the crop's ink: 1 for the same, 0 for unlike."""
    layers: Layers
    mask: Pixels
    """(H, W), 1 where its ink is."""
    text: str
    """The old word; empty if it is not known."""
    span: tuple[float, float]
    """From where to where, across the frame, the old word reaches."""
    ranking: tuple[tuple[str, float], ...]
    """Fonts and their likeness, best first: those that were compared closely."""

    def rendered(self, fonts: FontLibrary) -> Mask:
        """Return the old word as the font draws it: uint8 (H, W)."""
        return self.lettering.mask(self.lettering.outline(self.text, fonts), *self.mask.shape)


@dataclass(frozen=True, slots=True)
class _Fit:
    font: str
    line: TextLine
    lettering: Lettering
    pose: "_Pose"
    likeness: float


@dataclass(frozen=True, slots=True)
class _Pose:
    """How letters lean and their line rises, before they are laid over the ink."""

    lean: float = 0.0
    slope: float = 0.0
    spacing_em: float = 0.0

    @property
    def matrix(self) -> Matrix:
        return np.array([[1, self.lean, 0], [self.slope, 1, 0], [0, 0, 1]], np.float64)


_UPRIGHT = _Pose()


class FontMatcher:
    """Compares a crop with what the fonts of a library would make of its word."""

    def __init__(self, fonts: FontLibrary, looks: FontLooks | None = None) -> None:
        self._fonts = fonts
        self._looks = looks

    def match(
        self, crop: Pixels, text: str, allowed: Set[str], font: str | None = None, choice: Choice = FIRST
    ) -> Match | None:
        """Find font and place of a word in a crop, uint8 (H, W, 3), H about 48.

        None where there is no such choice.

        Args:
            crop: the word, level.
            text: what it says; empty if that is not known.
            allowed: ids of fonts that may be found.
            font: id of the font to use whatever matches.
            choice: which of the masks and families that come into question.

        Raises:
            FontError: there is no such font.
        """
        if font is not None:
            allowed = {self._fonts.font(font).id}
        lines = self._lines(text, allowed) if text else {}
        found = self._by_word(crop, text, lines, choice) if lines else None
        if found is None and choice == FIRST:
            return self._by_look(crop, sorted(allowed))
        return found

    def _by_word(self, crop: Pixels, text: str, lines: dict[str, TextLine], choice: Choice) -> Match | None:
        """Compare the crop with the word in each font; None where nothing in it looks like a word."""
        names = list(lines)
        probes = [names[i] for i in np.linspace(0, len(names) - 1, min(_PROBES, len(names))).astype(int)]
        masks = self._likeliest(crop, [lines[name] for name in probes], choice.mask + 1)
        if len(masks) <= choice.mask:
            return None
        mask = masks[choice.mask]
        layers = separate(crop, mask)
        target = _Target.of(layers.alpha * cv2.dilate(mask, np.ones((3, 3), np.uint8)))
        if target is None:
            return None
        poses = _poses(mask)
        tried = [
            (max(_fit(name, lines[name], target, pose).likeness for name in probes), pose) for pose in poses
        ]
        likely = {poses[0], max(tried, key=lambda one: one[0])[1]}
        fits = [_fit(name, lines[name], target, pose) for name in names for pose in likely]
        fits = _best_of_each([self._weighed(fit) for fit in fits])
        finalists = [_refined(fit, target) for fit in fits[:_FINALISTS]]
        finalists.sort(key=lambda fit: -fit.likeness)
        families = list(dict.fromkeys(self._fonts.font(fit.font).family for fit in finalists))
        if len(families) <= choice.family:
            return None
        wanted = families[choice.family]
        found = next(fit for fit in finalists if self._fonts.font(fit.font).family == wanted)
        ranking = tuple((fit.font, round(fit.likeness, 4)) for fit in finalists)
        outline = set_line(found.line, found.lettering.weight_em, found.lettering.spacing_em)
        across = outline.points @ found.lettering.matrix[0, :2] + found.lettering.matrix[0, 2]
        span = float(across.min()), float(across.max())
        return Match(found.lettering, found.likeness, layers, mask, text, span, ranking)

    def _by_look(self, crop: Pixels, names: Sequence[str]) -> Match:
        """Without a word: ink is what seldom touches the edges, its height that of capitals.

        The font is the one whose strokes look most alike to the network.
        """
        masks = [mask for cost, mask in candidate_masks(crop) if cost == 0 and mask_box(mask)]
        mask = min(masks, key=border_share) if masks else np.ones(crop.shape[:2], np.uint8)
        layers = separate(crop, mask)
        x0, y0, x1, y1 = mask_box(mask) or (0.0, 0.0, float(crop.shape[1]), float(crop.shape[0]))
        ranking = names if self._looks is None else self._looks.ranking(layers.alpha * mask, names)
        name = ranking[0]
        metrics = self._fonts.face(self._fonts.font(name)).metrics
        scale = (y1 - y0) / metrics.top
        matrix = np.array([[scale, 0, x0], [0, -scale, y1], [0, 0, 1]])
        return Match(
            Lettering(name, matrix),
            0.0,
            layers,
            mask,
            "",
            (x0, x1),
            tuple((one, 0.0) for one in ranking[:_FINALISTS]),
        )

    def _weighed(self, fit: _Fit) -> _Fit:
        """Take off what makes a font unlikely before it was looked at."""
        cost = _KIND_COSTS.get(self._fonts.font(fit.font).kind, 0.0)
        return dataclasses.replace(fit, likeness=fit.likeness - cost)

    def _likeliest(self, crop: Pixels, probes: Sequence[TextLine], count: int) -> list[Pixels]:
        """Return the masks of colours, with what touches the edges or without, most like the word.

        Best first, `count` of them at most, no two nearly the same.
        """
        found: list[tuple[float, Pixels]] = []
        for cost, colours in candidate_masks(crop):
            for dropped, mask in inner_parts(colours):
                target = _Target.of(mask.astype(np.float32))
                if target is None:
                    continue
                likeness = max(_fit("", line, target, _UPRIGHT).likeness for line in probes)
                likeness -= cost + target.cost + _DROPPED_COST * dropped + _BORDER_COST * border_share(mask)
                found.append((likeness, mask))
        kept: list[Pixels] = []
        for _, mask in sorted(found, key=lambda one: -one[0]):
            if len(kept) == count:
                break
            if all(_overlap(mask, other) < _SAME for other in kept):
                kept.append(mask)
        return kept

    def _lines(self, text: str, allowed: Set[str]) -> dict[str, TextLine]:
        lines = {}
        for font in self._fonts.covering(text):
            if font.id not in allowed:
                continue
            try:
                line = shape_line(text, self._fonts.face(font), font.family)
            except RenderError:
                continue
            if len(line.points):
                lines[font.id] = line
        return lines


@dataclass(frozen=True, slots=True)
class _Target:
    """The ink of a crop, softened, against which renderings are held."""

    alpha: Floats
    normal: Floats
    """The same, blurred, with a mean of 0 and a length of 1."""
    box: tuple[float, float, float, float]

    @classmethod
    def of(cls, alpha: Floats) -> "_Target | None":
        box = mask_box((alpha > 0.5).astype(np.uint8))
        if box is None or box[2] - box[0] < 3 or box[3] - box[1] < 3:
            return None
        return cls(alpha, _normal(alpha), box)

    @property
    def cost(self) -> float:
        """What speaks against it: a word fills most of the crop that was cut around it."""
        height, width = self.alpha.shape
        across, down = (self.box[2] - self.box[0]) / width, (self.box[3] - self.box[1]) / height
        return float(_SMALL_COST * (1 - across) + _LOW_COST * max(0.0, 0.6 - down))

    def likeness(self, outline: Outline, matrix: Matrix) -> float:
        mask = fill_mapped(outline, matrix, *self.alpha.shape)
        return float(np.vdot(_normal(mask.astype(np.float32)), self.normal))


def _overlap(one: Pixels, other: Pixels) -> float:
    return float((one & other).sum()) / max(float((one | other).sum()), 1.0)


def _normal(mask: Floats) -> Floats:
    blurred = cv2.GaussianBlur(mask, (0, 0), max(0.5, mask.shape[0] * _BLUR))
    centred = blurred - blurred.mean()
    return np.asarray(centred / max(float(np.linalg.norm(centred)), 1e-6))


def _poses(mask: Pixels) -> list[_Pose]:
    """Return upright, then leaning to either side, on a level line and on one as steep as the mask's."""
    columns = np.flatnonzero(mask.any(0))
    heights = np.array([np.flatnonzero(mask[:, column]).mean() for column in columns])
    steepness = -float(np.polyfit(columns, heights, 1)[0]) if len(columns) > mask.shape[0] else 0.0
    slopes = (0.0, steepness) if _LEAST_SLOPE < abs(steepness) < _MOST_SLOPE else (0.0,)
    poses = [_Pose(lean, slope) for slope in slopes for lean in _LEANS]
    return [*poses, *(_Pose(0.0, slope, _WIDE_EM) for slope in slopes)]


def _fit(name: str, line: TextLine, target: _Target, pose: _Pose) -> _Fit:
    """Lay a word over the ink's box."""
    outline = set_line(line, 0.0, pose.spacing_em)
    posed = outline.points @ pose.matrix[:2, :2].T
    matrix = box_matrix(Outline(posed, outline.contour_ends).box, target.box)
    stretch = abs(float(np.log(matrix[0, 0] / -matrix[1, 1])))
    matrix = matrix @ pose.matrix
    likeness = target.likeness(outline, matrix) - _STRETCH_COST * stretch
    return _Fit(name, line, Lettering(name, matrix, 0.0, pose.spacing_em), pose, likeness)


def _best_of_each(fits: Sequence[_Fit]) -> list[_Fit]:
    """Return the best fit of each font, best first."""
    best: dict[str, _Fit] = {}
    for fit in sorted(fits, key=lambda fit: -fit.likeness):
        best.setdefault(fit.font, fit)
    return list(best.values())


def _refined(fit: _Fit, target: _Target) -> _Fit:
    """Try letters further apart, move the whole until it lies on the ink, and try heavier letters."""
    cost = _fit(fit.font, fit.line, target, fit.pose).likeness - fit.likeness
    for spacing in _SPACINGS_EM:
        pose = dataclasses.replace(fit.pose, spacing_em=spacing)
        other = _fit(fit.font, fit.line, target, pose)
        other = dataclasses.replace(other, likeness=other.likeness - cost)
        fit = max(fit, other, key=lambda one: one.likeness)
    lettering = fit.lettering
    outline = set_line(fit.line, 0.0, lettering.spacing_em)
    best = before = target.likeness(outline, lettering.matrix)
    matrix = _aligned(outline, lettering.matrix, target)
    if (after := target.likeness(outline, matrix)) > best:
        best, lettering = after, dataclasses.replace(lettering, matrix=matrix)
    for weight in _WEIGHTS_EM:
        heavier = set_line(fit.line, weight, lettering.spacing_em)
        if (after := target.likeness(heavier, lettering.matrix)) > best:
            best, lettering = after, dataclasses.replace(lettering, weight_em=weight)
    return dataclasses.replace(fit, lettering=lettering, likeness=fit.likeness + best - before)


def _aligned(outline: Outline, matrix: Matrix, target: _Target) -> Matrix:
    """Return the matrix moved, turned, sheared and scaled until its rendering lies on the ink."""
    height, width = target.alpha.shape
    sigma = max(0.5, height * _BLUR)
    drawn = cv2.GaussianBlur(fill_mapped(outline, matrix, height, width).astype(np.float32), (0, 0), sigma)
    seen = cv2.GaussianBlur(255 * target.alpha, (0, 0), sigma)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, _ALIGN_STEPS, 1e-3)
    start = np.eye(2, 3, dtype=np.float32)
    try:
        _, warp = cv2.findTransformECC(seen, drawn, start, cv2.MOTION_AFFINE, criteria)
    except cv2.error:  # they have too little in common
        return matrix
    whole = np.vstack([warp, [0, 0, 1]]).astype(np.float64)
    # The warp leads from the ink to the rendering, counted from the middle of the first pixel.
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    back = half @ np.linalg.inv(whole) @ np.linalg.inv(half)
    return np.asarray(back @ matrix)
