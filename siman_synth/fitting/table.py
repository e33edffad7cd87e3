"""What is fitted: one table of settings, and how far each may go.

Every setting of a recipe that is a range, a share or one of several weights can stand here, a line each.
An image is simulated with a *point* of this table: one value a range, yes or no for a share, one choice of
several. A recipe says how often each of these comes.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FAMILIES, CORPORA = "render.families", "corpus"
"""Names of the two entries whose choices are found at run time."""

LAYOUTS, CASE = "render.layout", "text.case"


@dataclass(frozen=True, slots=True)
class Condition:
    """An entry counts only where another one has this choice, or is true."""

    entry: str
    choice: str = "yes"


@dataclass(frozen=True, slots=True)
class Range:
    """A setting that is a range of numbers; a point of it is one number."""

    setting: str
    low: float
    high: float
    shown: str
    """What it is, for the report."""
    is_log: bool = False
    """Whether ratios count rather than differences."""
    is_whole: bool = False
    is_most: bool = False
    """Whether only the upper end is fitted, and the lower one stays where the range begins."""
    given: Condition | None = None

    @property
    def name(self) -> str:
        """Its name in the table."""
        return self.setting

    def value(self, unit: float) -> float:
        """Return the number at `unit`, from 0 to 1, of the way from the lowest to the highest."""
        unit = min(max(unit, 0.0), 1.0)
        if self.is_log:
            found = math.exp(math.log(self.low) + unit * math.log(self.high / self.low))
        else:
            found = self.low + unit * (self.high - self.low)
        return round(found) if self.is_whole else round(found, 4)

    def unit(self, value: float) -> float:
        """Return where a number lies, the inverse of `value`; beyond the ends it is cut off."""
        value = min(max(value, self.low), self.high)
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def settings(self, unit: float) -> dict[str, Any]:
        """Return the settings of a point."""
        value = self.value(unit)
        return {self.setting: (self.value(0.0) if self.is_most else value, value)}


@dataclass(frozen=True, slots=True)
class Share:
    """A setting that is a share of the images; a point of it is yes or no."""

    setting: str
    tried: float
    """Share of the simulated images that have it."""
    shown: str
    given: Condition | None = None

    @property
    def name(self) -> str:
        """Its name in the table."""
        return self.setting

    def settings(self, unit: float) -> dict[str, Any]:
        """Return the settings of a point, which is 1 or 0."""
        return {self.setting: float(unit > 0)}


@dataclass(frozen=True, slots=True)
class Weights:
    """Settings that are the weights of several choices; a point of it is one choice, by number."""

    name: str
    choices: Mapping[str, str]
    """The setting of each choice; "" for what is left where the settings are shares."""
    shown: str
    tried: tuple[float, ...] = ()
    """How often each choice is simulated; all alike if empty."""
    groups: tuple[str, ...] = ()
    """Which group each choice belongs to, where there are so many that few images show any one of them."""
    tied: bool = False
    """Whether choices of a group keep their proportions as far as images do not tell them apart."""
    given: Condition | None = None

    def settings(self, number: float) -> dict[str, Any]:
        """Return the settings of a point."""
        chosen = list(self.choices)[int(number)]
        return {setting: float(choice == chosen) for choice, setting in self.choices.items() if setting}


def _named(pattern: str, choices: Sequence[str]) -> dict[str, str]:
    return {choice: pattern.format(choice) for choice in choices}


Entry = Range | Share | Weights

_LAYOUT_KINDS = ("straight", "slanted", "letter_spaced", "curved", "perspective", "rotated")
_RELIEFS = ("shadow", "rim", "hollow")
_RULES = ("underline", "above", "below")
_RARE_OF_FOUR = (0.85, 0.05, 0.05, 0.05)
_CASES = ("as_is", "lower", "upper", "capitalized")

_SLANTED, _SPACED = Condition(LAYOUTS, "slanted"), Condition(LAYOUTS, "letter_spaced")
_CURVED, _ROTATED = Condition(LAYOUTS, "curved"), Condition(LAYOUTS, "rotated")
_PERSPECTIVE = Condition(LAYOUTS, "perspective")

SETTINGS: tuple[Entry, ...] = (
    Weights(CASE, _named("text.case.{}", _CASES), "letter case"),
    Range("text.words", 1, 16, "words of a line", is_log=True, is_whole=True, is_most=True),
    Share("text.cut", 0.08, "words cut at an end"),
    Weights(LAYOUTS, _named(LAYOUTS + ".{}.weight", _LAYOUT_KINDS), "how words lie"),
    Range(f"{LAYOUTS}.slanted.angle_deg", -15, 25, "slant", given=_SLANTED),
    Range(f"{LAYOUTS}.letter_spaced.spacing_em", -0.05, 0.5, "space between letters", given=_SPACED),
    Range(f"{LAYOUTS}.curved.arc_deg", 5, 110, "arc", given=_CURVED),
    Range(f"{LAYOUTS}.perspective.foreshortening", 0.0, 0.6, "foreshortening", given=_PERSPECTIVE),
    Range(f"{LAYOUTS}.perspective.slope_deg", -8, 8, "slope in perspective", given=_PERSPECTIVE),
    Range(f"{LAYOUTS}.rotated.angle_deg", -18, 18, "rotation", given=_ROTATED),
    Range("render.framing.horizontal", -0.02, 0.6, "margins left and right"),
    Range("render.framing.vertical", -0.02, 0.3, "margins at top and bottom"),
    Share("render.framing.line_share", 0.4, "words that stand in the line of their font"),
    Range("render.framing.stretch", 0.45, 1.6, "width of the letters", is_log=True),
    Range("render.letters.weight", 0.5, 1.8, "width of the strokes", is_log=True),
    Share("render.letters.uneven", 0.1, "letters set by an unsteady hand"),
    Range("render.letters.bend_em", 0.0, 0.03, "bent letters"),
    Range("render.letters.word_space", 0.5, 2.5, "space between words", is_log=True),
    Weights("render.relief", {"none": "", **_named("render.relief.{}", _RELIEFS)}, "relief", _RARE_OF_FOUR),
    Share("render.surroundings.above", 0.12, "lines above in sight"),
    Share("render.surroundings.below", 0.12, "lines below in sight"),
    Share("render.surface.edge", 0.12, "edges of the sign in sight"),
    Share("render.dots.share", 0.15, "letters made of dots"),
    Range("render.dots.rows", 6, 24, "rows of dots", given=Condition("render.dots.share")),
    Range("render.dots.size", 0.7, 1.7, "size of dots", given=Condition("render.dots.share")),
    Share("render.wear.bleeding", 0.12, "ink that ran"),
    Range("render.wear.bleed", 0.03, 0.5, "how far it ran", given=Condition("render.wear.bleeding")),
    Share("render.wear.broken", 0.12, "strokes with gaps"),
    Range("render.wear.breaks", 0.05, 1.0, "how many gaps", given=Condition("render.wear.broken")),
    Share("render.wear.ragged", 0.12, "ragged edges"),
    Range("render.wear.raggedness", 0.1, 1.0, "how ragged", given=Condition("render.wear.ragged")),
    Share("render.wear.faded", 0.1, "ink that faded"),
    Share("render.wear.streaked", 0.08, "lines that did not print"),
    Weights("render.rules", {"none": "", **_named("render.rules.{}", _RULES)}, "rules", _RARE_OF_FOUR),
    Share("render.paper.speckled", 0.12, "specks"),
    Share("render.paper.stained", 0.06, "stains"),
    Range("finish.noise_sigma", 0.0, 14.0, "noise"),
    Range("finish.jpeg_quality", 25, 97, "JPEG quality", is_whole=True),
)
"""All settings that are fitted, but for fonts and corpora."""


@dataclass(frozen=True, slots=True)
class Table:
    """The entries of one fit."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(
        cls, families: Mapping[str, str], corpora: Mapping[str, str], settled: Collection[str] = ()
    ) -> "Table":
        """Return the settings with the fonts, by family and kind, and word sources, by spec and kind.

        Entries whose names are `settled` are left out: they stay as the recipe that was begun with has them.
        """
        named = {name: f"{FAMILIES}.{name}" for name in families}
        fonts = Weights(FAMILIES, named, "fonts", groups=tuple(families.values()))
        sources = {name: name for name in corpora}
        words = Weights(CORPORA, sources, "words", groups=tuple(corpora.values()), tied=True)
        return cls(tuple(one for one in (fonts, words, *SETTINGS) if one.name not in settled))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __contains__(self, name: object) -> bool:
        return any(entry.name == name for entry in self.entries)

    def column(self, name: str) -> int:
        """Return the place of an entry in a point."""
        return next(i for i, entry in enumerate(self.entries) if entry.name == name)

    def choices(self, name: str) -> list[str]:
        """Return the choices of an entry."""
        entry = self[name]
        assert isinstance(entry, Weights)
        return list(entry.choices)

    def __getitem__(self, name: str) -> Entry:
        return self.entries[self.column(name)]
