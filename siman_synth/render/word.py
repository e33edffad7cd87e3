"""A word as a content image: decided by a small plan, then drawn in one fill.

The whole word is one set of outlines. The layout moves its points, the framing fixes scale
and place, and FreeType fills it once at the final size: nothing is resampled.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt

from siman_synth.errors import ConfigError
from siman_synth.escaping import printable
from siman_synth.limits import Between, Share, Weight, check_settings
from siman_synth.render.boxes import Box, boxes_of, grown
from siman_synth.render.dots import Dots, DotsConfig, draw_dots
from siman_synth.render.errors import RenderError
from siman_synth.render.font_files import Font
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing, FramingConfig, draw_framing
from siman_synth.render.ground import LEAST, ground_left
from siman_synth.render.layouts import Layout, LayoutConfig, draw_layout, layout_from_json, layout_to_json
from siman_synth.render.letters import Letters, LettersConfig, draw_letters
from siman_synth.render.outlines import Points, fill, stroke_width
from siman_synth.render.paper import Paper, PaperConfig, draw_paper
from siman_synth.render.relief import Relief, ReliefConfig, draw_relief
from siman_synth.render.rules import Rule, RulesConfig, draw_rule, units_at
from siman_synth.render.shaping import TextLine, shape_line
from siman_synth.render.surface import Surface, SurfaceConfig, draw_surface
from siman_synth.render.surroundings import Surroundings, SurroundingsConfig, draw_surroundings
from siman_synth.render.vertical import ACROSS, Writing, draw_writing
from siman_synth.render.wear import Wear, WearConfig, draw_wear
from siman_synth.text.visible import needs_ink

_PALEST_INK = 24
"""A character whose darkest pixel is paler than this cannot be read at that size."""
_HEAVY = 1.3
"""Strokes up to so much wider, alone, close no letter."""
_STEPS_OF_A_WIDE_WORD = 6
"""Half a step more or less is then a twelfth of the width at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderConfig:
    """How words are laid out and framed."""

    layout: LayoutConfig = field(default_factory=LayoutConfig)
    """Straight, slanted, letter-spaced, curved, perspective, rotated, combined: weights and ranges."""
    framing: FramingConfig = field(default_factory=FramingConfig)
    """Margins, from tight to loose."""
    letters: LettersConfig = field(default_factory=LettersConfig)
    """How letters depart from their font: heavier or lighter, unevenly set, bent."""
    relief: ReliefConfig = field(default_factory=ReliefConfig)
    """Shadows, rims, hollow letters."""
    surroundings: SurroundingsConfig = field(default_factory=SurroundingsConfig)
    """Edges of the lines above and below."""
    surface: SurfaceConfig = field(default_factory=SurfaceConfig)
    """Edges of signs, labels and frames."""
    vertical: Share = 0.0
    """Share of the Chinese, Japanese, Korean and Mongolian words that run downwards; `finish.vertical_image`
    says how they are stored."""
    vertical_stacked: Share = 0.5
    """Share of words that run downwards in which Latin letters and digits stand upright, each below the one
    before; in the others they lie on their side."""
    dots: DotsConfig = field(default_factory=DotsConfig)
    """Letters made of dots, as printers make them."""
    wear: WearConfig = field(default_factory=WearConfig)
    """Ink that ran, broke, faded or did not print."""
    rules: RulesConfig = field(default_factory=RulesConfig)
    """Underlines, and lines above and below the text."""
    paper: PaperConfig = field(default_factory=PaperConfig)
    """Specks and stains."""
    script_weight: Annotated[float, Between(0, 100)] = 0.1
    """How frequent script families (fonts.toml) are; families of other kinds weigh 1."""
    handwriting_weight: Annotated[float, Between(0, 100)] = 0.3
    """How frequent handwriting families are."""
    display_weight: Annotated[float, Between(0, 100)] = 0.35
    """How frequent display families are."""
    families: Mapping[str, Weight] = field(default_factory=dict, hash=False)
    """How frequent families of fonts are, by name, as factors: `{ "Courier Prime" = 5, Lobster = 0 }`."""
    other_families: Weight = 1.0
    """The factor of families that `families` does not name; 0 leaves the named ones alone."""
    min_aspect: Annotated[float, Between(0, 4)] = 0.5
    """Narrower images are padded at both sides to this width, in heights."""
    max_aspect: Annotated[float, Between(4, 512)] = 32.0
    """Words that would become wider than this, in heights, are refused."""

    def __post_init__(self) -> None:
        check_settings(self)

    def font_weight(self, font: Font) -> float:
        """Return how frequent the family of a font is, as `FontLibrary.choose` asks."""
        kinds = {
            "script": self.script_weight,
            "handwriting": self.handwriting_weight,
            "display": self.display_weight,
        }
        return kinds.get(font.kind, 1.0) * self.families.get(font.family, self.other_families)


@dataclass(frozen=True, slots=True)
class ContentPlan:
    """All that decides a content image; a pure function of (text, font, configuration, generator)."""

    text: str
    font: str
    layout: Layout
    framing: Framing
    height_px: int
    width_multiple: int
    letters: Letters = field(default_factory=Letters)
    relief: Relief = field(default_factory=Relief)
    surroundings: Surroundings = field(default_factory=Surroundings)
    surface: Surface = field(default_factory=Surface)
    dots: Dots = field(default_factory=Dots)
    wear: Wear = field(default_factory=Wear)
    rule: Rule = field(default_factory=Rule)
    paper: Paper = field(default_factory=Paper)
    companion: str = ""
    """The font of what the first one does not draw; empty where it draws all."""
    language: str = ""
    """Which of the font's localized forms are drawn; empty for its default ones."""
    writing: Writing = ACROSS
    """Whether the line runs downwards: its masks are then turned to the left by 90 degrees."""

    @property
    def grows(self) -> bool:
        """Whether ink may be where the font has none, so much that letters close."""
        return self.letters.weight > _HEAVY or self.dots.any or self.wear.bleed > 0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        chosen: dict[str, Any] = {"companion": self.companion, "language": self.language}
        chosen |= {name: asdict(part) for name in _PRINTED if (part := getattr(self, name)).any}
        if self.writing != ACROSS:
            chosen["writing"] = self.writing
        return {
            "text": self.text,
            "font": self.font,
            "layout": layout_to_json(self.layout),
            "framing": asdict(self.framing),
            "height_px": self.height_px,
            "width_multiple": self.width_multiple,
            "letters": self.letters.to_json(),
            "relief": asdict(self.relief),
            "surroundings": asdict(self.surroundings),
            "surface": asdict(self.surface),
            **{name: value for name, value in chosen.items() if value},
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "ContentPlan":
        """Restore what `to_json` returned."""
        return cls(
            text=values["text"],
            font=values["font"],
            layout=layout_from_json(values["layout"]),
            framing=Framing(**values["framing"]),
            height_px=values["height_px"],
            width_multiple=values["width_multiple"],
            letters=Letters(**values["letters"]),
            relief=Relief(**values["relief"]),
            surroundings=Surroundings(**values["surroundings"]),
            surface=Surface(**values["surface"]),
            **{name: made(**values[name]) for name, made in _PRINTED.items() if name in values},
            companion=values.get("companion", ""),
            language=values.get("language", ""),
            writing=values.get("writing", ACROSS),
        )


_PRINTED: Mapping[str, type] = {"dots": Dots, "wear": Wear, "rule": Rule, "paper": Paper}
"""What few words have; JSON says nothing of it where there is none."""


@dataclass(frozen=True, slots=True)
class ContentImage:
    """A drawn word: masks (H, W) uint8, 255 = full ink, and one box a character of the text, in its order.

    Characters that the font draws as one (a letter and its combining marks, a ligature) have the
    same box. The box of a space is the place it takes. In a script that runs to the left, the first
    box is at the right. A line that runs downwards lies on its side, its first box at the left.
    """

    mask: npt.NDArray[np.uint8]
    """Everything: the word, the lines around it, what lies beyond the edge of its sign."""
    word: npt.NDArray[np.uint8]
    """The word alone, with its shadow or rim."""
    boxes: tuple[Box, ...]
    unfaded: npt.NDArray[np.uint8] | None = None
    """The word before its ink faded, if it did."""
    stains: npt.NDArray[np.uint8] | None = None
    """What stains the ground, if anything does; the mask holds it, too."""


def plan_content(
    text: str,
    font: Font,
    config: RenderConfig,
    height_px: int,
    width_multiple: int,
    rng: np.random.Generator,
) -> ContentPlan:
    """Decide how `text` is drawn in `font`: layout, framing, letters, relief and surroundings."""
    if height_px < 8 or width_multiple < 1:
        raise ConfigError(
            f"height_px must be at least 8 and width_multiple at least 1, "
            f"found {height_px}, {width_multiple}."
        )
    if not any(map(needs_ink, text)):
        raise ConfigError(f"text must hold a visible character, found {text!r}.")
    layout = draw_layout(text, config.layout, rng)
    framing = draw_framing(config.framing, rng)
    letters = draw_letters(config.letters, rng)
    relief = draw_relief(config.relief, rng)
    surroundings = draw_surroundings(text, config.surroundings, rng)
    framing = surroundings.make_room(framing)
    surface = draw_surface(config.surface, rng)
    dots, wear, rule, paper = _draw_print(text, config, rng)
    return ContentPlan(
        text=text,
        font=font.id,
        layout=layout,
        framing=rule.make_room(framing),
        height_px=height_px,
        width_multiple=width_multiple,
        letters=letters,
        relief=relief,
        surroundings=surroundings,
        surface=surface,
        writing=draw_writing(text, config.vertical, config.vertical_stacked, rng),
        dots=dots,
        wear=wear,
        rule=rule,
        paper=paper,
    )


def _draw_print(text: str, config: RenderConfig, rng: np.random.Generator) -> tuple[Dots, Wear, Rule, Paper]:
    """Draw what few recipes ask for."""
    if not any(part.asked for part in (config.dots, config.wear, config.rules, config.paper)):
        return Dots(), Wear(), Rule(), Paper()
    # Streams of their own: everything else, and each of them, is drawn as it is without the others.
    of_dots, of_wear, of_rules, of_paper = rng.spawn(4)
    return (
        draw_dots(config.dots, of_dots),
        draw_wear(config.wear, of_wear),
        draw_rule(text, config.rules, of_rules),
        draw_paper(config.paper, of_paper),
    )


class WordRenderer:
    """Draws planned words in the fonts of a library."""

    def __init__(self, fonts: FontLibrary, config: RenderConfig | None = None) -> None:
        """Take the fonts that plans may name; of `config` only the limits of aspect are used."""
        self.fonts = fonts
        self.config = config or RenderConfig()

    def render(self, plan: ContentPlan) -> ContentImage:
        """Draw a plan; the same plan gives the same image.

        The width is a multiple of `plan.width_multiple`; wide words are stretched to one, by a
        twelfth at most, and narrow ones get the rest as background at both sides.

        Raises:
            FontError: the library has no such font.
            RenderError: a character has no glyph or leaves no ink, a mark has no letter, ink closes
                the letters, or the word is too wide; `reason` says which.
        """
        font = self.fonts.font(plan.font)
        clean = line = self._shaped(plan, plan.text, font)
        if not len(line.points):
            raise RenderError(
                f"Font '{font.family}' leaves no ink for '{plan.text}'. Use another font.", "no ink"
            )
        line = replace(line, points=plan.letters.shape(line))
        whole, line = line, plan.dots.on(line)
        ink = plan.layout.place(line.points, line.point_units, line)
        guides, guide_units = _guides(line)
        guides = plan.layout.place(guides, guide_units, line)
        origin, scale, width = self._frame(plan, ink, guides)
        ink = (ink - origin) * scale
        guides = (guides - origin) * scale
        height = plan.height_px
        boxes = boxes_of(line, ink, guides, height, width)
        unfaded = stains = None
        stroke = 0.0
        if plan.wear.any or plan.paper.any:
            stroke = stroke_width(whole.points, whole.contour_ends) * float(scale.min())
        if plan.wear.any:
            word, unfaded = _worn(plan, line, ink, guides, stroke, width)
            boxes = grown(boxes, plan.wear.bleed * stroke, plan.text, height, width)
        else:
            word = plan.relief.draw(ink, line.contour_ends, height, width)
        self._check_ink(plan, font, word, boxes)
        if plan.grows:
            placed = (plan.layout.place(clean.points, clean.point_units, clean) - origin) * scale
            before = fill(placed, clean.contour_ends, height, width)
            _check_ground(plan, font, before, word if unfaded is None else unfaded, boxes)
        mask = word
        if plan.surroundings.any:
            mask = np.maximum(mask, self._neighbours(plan, font, ink, scale, width))
        if plan.rule.any:
            mask = np.maximum(mask, _ruled(plan, whole, origin, scale, width))
        if plan.surface.side != "none":
            along = _direction(line, guides, at_top=plan.surface.side == "above")
            mask = np.maximum(mask, plan.surface.beyond(ink, along, height, width))
        if plan.paper.any:
            stains = plan.paper.stains(height, width)
            mask = np.maximum(np.maximum(mask, stains), plan.paper.speckle(height, width, stroke))
        return ContentImage(mask, word, boxes, unfaded, stains)

    def _shaped(self, plan: ContentPlan, text: str, font: Font) -> TextLine:
        companion = self.fonts.face(self.fonts.font(plan.companion)) if plan.companion else None
        face, space = self.fonts.face(font), plan.letters.word_space
        return shape_line(text, face, font.family, space, companion, plan.language, plan.writing)

    def _neighbours(
        self,
        plan: ContentPlan,
        font: Font,
        ink: Points,
        scale: Points,
        width: int,
    ) -> npt.NDArray[np.uint8]:
        """Return the mask of the lines around the word."""
        line = self._shaped(plan, plan.surroundings.text, font)
        line = plan.dots.on(replace(line, points=plan.letters.shape(line)))
        laid_out = plan.layout.place(line.points, line.point_units, line) * scale
        placed = plan.surroundings.place(laid_out, ink, plan.height_px, width)
        ends = [line.contour_ends + number * len(line.points) for number in range(len(placed))]
        return fill(np.concatenate(placed), np.concatenate(ends), plan.height_px, width)

    def _frame(self, plan: ContentPlan, ink: Points, guides: Points) -> tuple[Points, Points, int]:
        """Return the point in em at the lower left corner, the pixels an em across and up, and the width."""
        framing, height = plan.framing, plan.height_px
        low, high = ink.min(0), ink.max(0)
        # The first half of the guides spans the small letters, so that a dash or a dot does not
        # fill the height; all of them span the line.
        used = guides if framing.extent == "line" else guides[: len(guides) // 2]
        bottom, top = min(low[1], used[:, 1].min()), max(high[1], used[:, 1].max())
        scale = float(height * (1 - framing.top - framing.bottom) / (top - bottom))
        condensed = scale * framing.stretch
        needed = float((high[0] - low[0]) * condensed + (framing.left + framing.right) * height)
        if needed > self.config.max_aspect * height:
            raise RenderError(
                f"'{printable(plan.text, 60)}' in font '{plan.font}' would be {needed / height:.0f} times as "
                f"wide as high; the most is {self.config.max_aspect:g}. Drop the word or raise "
                "render.max_aspect.",
                "too wide",
            )
        width, stretch = _fitted(needed, max(self.config.min_aspect * height, 1.0), plan.width_multiple)
        across = condensed * stretch
        left = (width - needed * stretch) / 2 + framing.left * height * stretch
        origin = np.array([low[0] - left / across, bottom - framing.bottom * height / scale])
        return origin, np.array([across, scale]), width

    def _check_ink(
        self, plan: ContentPlan, font: Font, mask: npt.NDArray[np.uint8], boxes: tuple[Box, ...]
    ) -> None:
        for character, box in zip(plan.text, boxes, strict=True):
            if not needs_ink(character):
                continue
            inside = mask[box.pixels]
            if not inside.size or inside.max() < _PALEST_INK:
                named = f"'{character}' (U+{ord(character):04X})"
                raise RenderError(
                    f"Font '{font.family}' leaves no visible ink for {named} in '{plan.text}' at "
                    f"{plan.height_px} px. Use another font or a greater height.",
                    "no ink",
                )


def _check_ground(
    plan: ContentPlan,
    font: Font,
    before: npt.NDArray[np.uint8],
    word: npt.NDArray[np.uint8],
    boxes: tuple[Box, ...],
) -> None:
    left = ground_left(before, word, plan.text, boxes)
    if left < LEAST:
        raise RenderError(
            f"Ink closes the letters of '{printable(plan.text, 60)}' in font '{font.family}' at "
            f"{plan.height_px} px: {left:.0%} of the ground between the strokes is left. Use thinner "
            "strokes, less bleeding, or another font.",
            "letters closed",
        )


def _worn(
    plan: ContentPlan, line: TextLine, ink: Points, guides: Points, stroke: float, width: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the mask of a word with damaged ink, and the same before it faded."""
    by = plan.wear.scale(plan.height_px)
    large = plan.relief.draw(ink * by, line.contour_ends, plan.height_px * by, width * by)
    faded, printed = plan.wear.on(large, stroke * by, _direction(line, guides, at_top=False))
    word, unfaded = (
        np.asarray(cv2.resize(mask, (width, plan.height_px), interpolation=cv2.INTER_AREA), np.uint8)
        for mask in (faded, printed)
    )
    return word, unfaded


def _ruled(
    plan: ContentPlan, line: TextLine, origin: Points, scale: Points, width: int
) -> npt.NDArray[np.uint8]:
    """Return the mask of the line above or below the text."""
    points, ends = plan.rule.outline(line, line.points, plan.height_px / float(scale[1]))
    placed = (plan.layout.place(points, units_at(points[:, 0], line), line) - origin) * scale
    return (fill(placed, ends, plan.height_px, width) * plan.rule.strength).astype(np.uint8)


def _fitted(needed: float, least: float, multiple: int) -> tuple[int, float]:
    """Return the width of an image in pixels, and by how much what it shows is stretched.

    Few different widths let many words share a batch: wide words are stretched or squeezed, by a
    twelfth at most, to the nearest multiple of 4, 2 or 1 times `multiple`. Narrow words are not;
    they get the rest as background.
    """
    for step in (4 * multiple, 2 * multiple, multiple):
        width = round(needed / step) * step
        if needed >= _STEPS_OF_A_WIDE_WORD * step and width >= least:
            return width, width / needed
    return math.ceil(max(needed, least) / multiple - 1e-9) * multiple, 1.0


def _guides(line: TextLine) -> tuple[Points, npt.NDArray[np.int64]]:
    """Return points (8 U, 2) around the units, and their units: small letters first, then the line."""
    units = np.arange(len(line.unit_starts))
    xs = np.concatenate([line.unit_starts, line.unit_ends])
    heights = (0.0, line.metrics.x_height * 0.95, line.metrics.bottom, line.metrics.top)
    points = np.concatenate([np.stack([xs, np.full(len(xs), height)], axis=1) for height in heights])
    return points, np.tile(units, 8)


def _direction(line: TextLine, guides: Points, at_top: bool) -> Points:
    """Return (2,), the way from the left end of the laid-out line to its right end."""
    units = len(line.unit_starts)
    # Guides run along the baseline first, along the tops of tall letters last.
    row = guides[-2 * units :] if at_top else guides[: 2 * units]
    left, right = int(line.unit_starts.argmin()), int(line.unit_ends.argmax())
    return np.asarray(row[units + right] - row[left])
