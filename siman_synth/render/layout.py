"""How the line of a word lies: straight, slanted, spaced, curved, in perspective, rotated, or two of these.

A layout maps points of the line, in em, to points in em; what it does to a letter it does
to its frame too. To add one: write a frozen dataclass with `kind`, `place` and `drawn`,
name it in `LAYOUTS`, and give `LayoutConfig` a weight of the same name (and its ranges).
"""

import dataclasses
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from siman_synth.limits import check_range, check_share
from siman_synth.render.outlines import Points
from siman_synth.render.shaping import TextLine
from siman_synth.seeding import uniform

Units = npt.NDArray[np.int64]

_TYPICAL_ADVANCE_EM = 0.55
_TIGHTEST_RADIUS_EM = 0.8


@dataclass(frozen=True, kw_only=True, slots=True)
class LayoutConfig:
    """How often each layout is drawn (weights, not probabilities), and its ranges."""

    straight: float = 0.34
    """Weight of words on a straight line."""
    slanted: float = 0.12
    """Weight of words with every letter leaning, like an italic."""
    letter_spaced: float = 0.12
    """Weight of words with the letters set apart (or a little closer)."""
    curved: float = 0.08
    """Weight of words on an arc, as on round signs and labels."""
    perspective: float = 0.4
    """Weight of words seen from the side."""
    rotated: float = 0.1
    """Weight of words on a line that rises or falls."""
    combined: float = 0.0
    """Weight of words slanted or letter-spaced, and curved, in perspective or rotated as well."""
    slant_deg: tuple[float, float] = (-10.0, 20.0)
    """Lean of slanted letters in degrees; positive leans to the right."""
    letter_spacing_em: tuple[float, float] = (-0.02, 0.3)
    """Distance added between letters, in em."""
    arc_deg: tuple[float, float] = (15.0, 60.0)
    """The part of a circle that a curved word covers, in degrees."""
    arc_up: float = 0.7
    """Share of curved words whose middle is higher than their ends."""
    foreshortening: tuple[float, float] = (0.05, 0.5)
    """By how much of its height the far side of a word in perspective is smaller."""
    slope_deg: tuple[float, float] = (-4.0, 4.0)
    """About how far the line of words in perspective rises, in degrees, while letters stay upright."""
    rotation_deg: tuple[float, float] = (-10.0, 10.0)
    """Angle of rotated words in degrees; positive rises to the right."""
    most_rise_em: float = 0.4
    """About how far arcs, slopes and rotations may lift a part of the line; long words get flatter ones."""

    def __post_init__(self) -> None:
        weights = {kind: getattr(self, kind) for kind in LAYOUTS}
        for name, weight in weights.items():
            if not 0 <= weight < math.inf:
                raise ValueError(f"{name} must be a weight of 0 or more, found {weight}.")
        if sum(weights.values()) <= 0:
            raise ValueError(f"{', '.join(weights)} must not all be 0.")
        check_range("slant_deg", self.slant_deg, -45, 45)
        check_range("letter_spacing_em", self.letter_spacing_em, -0.1, 2)
        check_range("arc_deg", self.arc_deg, 0, 180)
        check_range("foreshortening", self.foreshortening, 0, 0.7)
        check_range("slope_deg", self.slope_deg, -45, 45)
        check_range("rotation_deg", self.rotation_deg, -45, 45)
        check_share("arc_up", self.arc_up)
        if not 0 < self.most_rise_em <= 5:
            raise ValueError(f"most_rise_em must be more than 0 and at most 5, found {self.most_rise_em}.")


class Layout(Protocol):
    """What every layout offers; its fields are numbers, so that a plan can become JSON."""

    kind: ClassVar[str]

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Return where `points` (P, 2) of the line, each belonging to one of `units` (P,), go."""
        ...

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Draw a layout of this kind that suits `text`."""
        ...


L = TypeVar("L", bound=Layout)


@dataclass(frozen=True, slots=True)
class Straight:
    """The line as the font sets it."""

    kind: ClassVar[str] = "straight"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Return the points as they are."""
        return points

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Return the one straight layout."""
        return cls()


@dataclass(frozen=True, slots=True)
class Slanted:
    """Every letter leans by `angle_deg`, to the right if positive."""

    angle_deg: float
    kind: ClassVar[str] = "slanted"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Shear the points along x."""
        shear = math.tan(math.radians(self.angle_deg))
        return np.stack([points[:, 0] + shear * points[:, 1], points[:, 1]], axis=1)

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Draw an angle."""
        return cls(uniform(rng, config.slant_deg))


@dataclass(frozen=True, slots=True)
class LetterSpaced:
    """`spacing_em` more between letters than the font sets."""

    spacing_em: float
    kind: ClassVar[str] = "letter_spaced"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Shift each unit by what was added before it."""
        order = np.argsort(np.argsort(line.unit_starts, kind="stable"), kind="stable")
        return points + np.stack([order[units] * self.spacing_em, np.zeros(len(units))], axis=1)

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Draw a spacing; none for Arabic letters, which join."""
        if not text.isascii() and any(unicodedata.bidirectional(character) == "AL" for character in text):
            return cls(0.0)
        return cls(uniform(rng, config.letter_spacing_em))


@dataclass(frozen=True, slots=True)
class Curved:
    """On an arc of `arc_deg`; `up` has the middle above the ends. Letters turn, but do not bend."""

    arc_deg: float
    up: bool
    kind: ClassVar[str] = "curved"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Turn each unit about the point of the arc that it stands on."""
        if self.arc_deg <= 0 or line.advance <= 0:
            return points
        # Letters crowd on the inner side of the arc, so that side keeps the font's spacing.
        inner = 0.0 if self.up else line.metrics.x_height
        radius = max(line.advance / math.radians(self.arc_deg), _TIGHTEST_RADIUS_EM)
        turn = ((line.centers - line.advance / 2) / radius)[units]
        sine, cosine = np.sin(turn), np.cos(turn)
        along, above = points[:, 0] - line.centers[units], points[:, 1] - inner
        sign = 1.0 if self.up else -1.0
        x = radius * sine + along * cosine + sign * above * sine
        y = sign * (radius * (cosine - 1) - along * sine) + above * cosine
        return np.stack([x, y], axis=1)

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Draw an arc, flatter for long words, whose letters would become tiny."""
        arc = uniform(rng, config.arc_deg)
        # The middle of an arc of length a and angle t (radians) rises by about a * t / 8.
        most = math.degrees(8 * config.most_rise_em / (_TYPICAL_ADVANCE_EM * len(text)))
        return cls(min(arc, round(most, 4)), bool(rng.random() < config.arc_up))


@dataclass(frozen=True, slots=True)
class Perspective:
    """Seen from the side: each corner of the line moves by (dx, dy), dx in widths, dy in heights."""

    top_left: tuple[float, float]
    top_right: tuple[float, float]
    bottom_right: tuple[float, float]
    bottom_left: tuple[float, float]
    kind: ClassVar[str] = "perspective"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Map the points by the homography that moves the corners so."""
        width, height = max(line.advance, 0.1), line.metrics.top - line.metrics.bottom
        size = np.array([width, height])
        square = np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
        moves = np.array([self.top_left, self.top_right, self.bottom_right, self.bottom_left])
        homography = _homography(square, square + moves)
        unit_points = (points - [0.0, line.metrics.bottom]) / size
        mapped = np.column_stack([unit_points, np.ones(len(points))]) @ homography.T
        placed: Points = mapped[:, :2] / np.maximum(mapped[:, 2:], 0.05) * size
        return placed

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Draw which side is far, by how much it shrinks, and how it is tilted."""
        shrink = uniform(rng, config.foreshortening)
        from_top = float(rng.uniform(0.1, 0.9)) * shrink
        tilt = float(rng.uniform(-0.3, 0.3)) * shrink
        closer = 0.25 * shrink
        slope = math.tan(math.radians(uniform(rng, config.slope_deg)))
        rise = slope * _TYPICAL_ADVANCE_EM * len(text)
        rise = max(-config.most_rise_em, min(config.most_rise_em, rise))
        far_left = rng.random() >= 0.5
        # A rise to the right is a fall of the left side.
        tilt += -rise if far_left else rise
        top, bottom = round(tilt - from_top, 4), round(tilt + shrink - from_top, 4)
        if far_left:
            return cls((round(closer, 4), top), (0.0, 0.0), (0.0, 0.0), (round(closer, 4), bottom))
        return cls((0.0, 0.0), (round(-closer, 4), top), (round(-closer, 4), bottom), (0.0, 0.0))


@dataclass(frozen=True, slots=True)
class Rotated:
    """The whole line turned by `angle_deg`, rising to the right if positive."""

    angle_deg: float
    kind: ClassVar[str] = "rotated"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Turn the points about the start of the line."""
        angle = math.radians(self.angle_deg)
        cosine, sine = math.cos(angle), math.sin(angle)
        turned: Points = points @ np.array([[cosine, sine], [-sine, cosine]])
        return turned

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Draw an angle, smaller for long words, whose letters would become tiny."""
        angle = uniform(rng, config.rotation_deg)
        most = math.degrees(math.asin(min(1.0, config.most_rise_em / (_TYPICAL_ADVANCE_EM * len(text)))))
        return cls(round(max(-most, min(most, angle)), 4))


@dataclass(frozen=True, slots=True)
class Combined:
    """A layout of the letters on the line, then one of the line."""

    letters: Layout
    line: Layout
    kind: ClassVar[str] = "combined"

    def place(self, points: Points, units: Units, line: TextLine) -> Points:
        """Place the points on the line, then with it."""
        return self.line.place(self.letters.place(points, units, line), units, self._placed(line))

    def _placed(self, line: TextLine) -> TextLine:
        """Return the line with its units where the first layout puts them."""
        units = np.arange(len(line.unit_starts))
        starts, ends = (
            self.letters.place(np.stack([xs, np.zeros(len(xs))], axis=1), units, line)[:, 0]
            for xs in (line.unit_starts, line.unit_ends)
        )
        return dataclasses.replace(
            line, unit_starts=starts, unit_ends=ends, advance=float(ends.max() - starts.min())
        )

    @classmethod
    def drawn(cls, text: str, config: LayoutConfig, rng: np.random.Generator) -> Self:
        """Draw one of each, by the weights that each has alone; evenly if all of these are 0."""
        letters = _weighted((Slanted, LetterSpaced), config, rng).drawn(text, config, rng)
        spacing = letters.spacing_em if isinstance(letters, LetterSpaced) else 0.0
        # The longer a line, the less it may turn or bend, and letters set apart make it longer.
        as_long = "x" * round(len(text) * (1 + spacing / _TYPICAL_ADVANCE_EM))
        line = _weighted((Curved, Perspective, Rotated), config, rng).drawn(as_long, config, rng)
        return cls(letters, line)


LAYOUTS: Mapping[str, type[Layout]] = MappingProxyType(
    {kind.kind: kind for kind in (Straight, Slanted, LetterSpaced, Curved, Perspective, Rotated, Combined)}
)
"""Every layout by its kind, which is also the name of its weight in `LayoutConfig`."""


def draw_layout(text: str, config: LayoutConfig, rng: np.random.Generator) -> Layout:
    """Draw a kind by the weights, then a layout of that kind for `text`."""
    return _weighted(tuple(LAYOUTS.values()), config, rng).drawn(text, config, rng)


def _weighted(kinds: Sequence[type[L]], config: LayoutConfig, rng: np.random.Generator) -> type[L]:
    """Draw a kind by its weight."""
    weights = [getattr(config, kind.kind) for kind in kinds]
    if not any(weights):
        weights = [1.0] * len(kinds)
    point = rng.random() * sum(weights)
    chosen = kinds[0]
    for kind, weight in zip(kinds, weights, strict=True):
        if weight <= 0:
            continue
        chosen = kind
        if (point := point - weight) < 0:
            break
    return chosen


def layout_to_json(layout: Layout) -> dict[str, Any]:
    """Return the layout as plain values: its kind, then its fields."""
    values: dict[str, Any] = {"kind": layout.kind}
    for field in dataclasses.fields(layout):  # type: ignore[arg-type]
        value = getattr(layout, field.name)
        if isinstance(value, tuple):
            value = list(value)
        values[field.name] = layout_to_json(value) if hasattr(value, "kind") else value
    return values


def layout_from_json(values: Mapping[str, Any]) -> Layout:
    """Restore what `layout_to_json` returned."""
    fields = {name: _restored(value) for name, value in values.items() if name != "kind"}
    return LAYOUTS[values["kind"]](**fields)


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return layout_from_json(value)
    return tuple(value) if isinstance(value, list) else value


def _homography(corners: Points, targets: Points) -> Points:
    """Return the 3 x 3 matrix that maps four points to four others."""
    rows = []
    for (x, y), (u, v) in zip(corners.tolist(), targets.tolist(), strict=True):
        rows.append([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y])
        rows.append([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y])
    solved = np.linalg.solve(np.array(rows), targets.reshape(-1))
    return np.append(solved, 1.0).reshape(3, 3)
