"""Words as a visitor types them, in the styles that they chose, and how to make them again."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import Any

import tomli_w

from siman_synth.config import load_config
from siman_synth.errors import ConfigError, CropError, FontError, SimanError
from siman_synth.fitting.model import Model
from siman_synth.imaging.codec import encode_png
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.layouts.config import LayoutConfig
from siman_synth.render.word import WordRenderer
from siman_synth.seeding import sample_rng
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.plan import plan_finish, plan_word
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.synthesis.word_maker import Word, WordMaker, WordPlan
from siman_synth.text.spaces import label_of
from siman_synth.text.visible import needs_ink
from siman_synth.web.pictures import CropShelf

MOST_WORDS = 24
LONGEST_WORD = 60
MOST_STYLES = 200
_KEPT_STYLES = 512
_KEPT_MAKERS = 16

DAMAGES: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "light": {"finish": {"noise_sigma": [1.0, 4.0], "jpeg_quality": [60, 90]}},
    "strong": {"finish": {"noise_sigma": [5.0, 12.0], "jpeg_quality": [20, 50]}},
}
"""What a visitor can choose, as settings."""

LAYOUTS = ("mixed", *LayoutConfig().layouts)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be written, as checked input of a visitor."""

    words: tuple[str, ...]
    styles: tuple[int, ...] = ()
    font: str = ""
    layout: str = "mixed"
    damage: str = "none"
    seed: int = 0

    @classmethod
    def of(cls, values: Any, style_count: int) -> "Wish":
        """Check what came over the wire.

        Raises:
            ConfigError: it is not what the page sends; says what.
        """
        if not isinstance(values, dict):
            raise ConfigError("A wish must be a JSON object.")
        words = values.get("words")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ConfigError("words must be a list of texts.")
        cleaned = tuple(label_of(word) for word in words if word.strip())
        if len(cleaned) > MOST_WORDS:
            raise ConfigError(f"At most {MOST_WORDS} words at a time, found {len(cleaned)}.")
        if any(len(word) > LONGEST_WORD for word in cleaned):
            raise ConfigError(f"A word may have {LONGEST_WORD} characters at most.")
        styles = values.get("styles", [])
        if not isinstance(styles, list) or not all(
            type(style) is int and 0 <= style < style_count for style in styles
        ):
            raise ConfigError(f"styles must be numbers of crops, from 0 to {style_count - 1}.")
        if len(styles) > MOST_STYLES:
            raise ConfigError(f"At most {MOST_STYLES} styles at a time, found {len(styles)}.")
        seed = values.get("seed", 0)
        if type(seed) is not int or not 0 <= seed < 2**31:
            raise ConfigError("seed must be a whole number from 0.")
        font = values.get("font", "")
        for name, value, known in (
            ("layout", values.get("layout", "mixed"), LAYOUTS),
            ("damage", values.get("damage", "none"), tuple(DAMAGES)),
        ):
            if value not in known:
                raise ConfigError(f"{name} must be one of {', '.join(known)}.")
        if not isinstance(font, str):
            raise ConfigError("font must be the name of a family.")
        return cls(
            cleaned, tuple(styles), font, values.get("layout", "mixed"), values.get("damage", "none"), seed
        )


@dataclass(slots=True)
class Written:
    """A word that was made, or why it was not."""

    text: str
    style: int
    png: bytes = b""
    word: Word | None = None
    problem: str | None = None


@dataclass(slots=True)
class _Maker:
    maker: WordMaker
    fonts: FontLibrary
    config: GenerateConfig


@dataclass(slots=True)
class Writer:
    """Writes wishes with one network, one wish at a time; nothing of one shows in another."""

    shelf: CropShelf
    synthesizer: Synthesizer
    fonts: FontLibrary
    model: Model | None = None
    """What a fit left; its recipe is what a wish begins with."""
    _makers: "OrderedDict[tuple[str, str, str], _Maker]" = field(default_factory=OrderedDict)
    _styles: "OrderedDict[int, Style | str]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def families(self) -> list[str]:
        """The names of all font families."""
        return sorted({font.family for font in self.fonts.fonts})

    def write(self, wish: Wish) -> tuple[list[Written], float]:
        """Return the words of a wish, and the seconds that they took."""
        with self._lock:
            started = perf_counter()
            written = self._write(wish)
            return written, perf_counter() - started

    def _write(self, wish: Wish) -> list[Written]:
        made = self._maker(wish)
        styles = wish.styles or (0,)
        written, drafts, places = [], [], []
        for number, text in enumerate(wish.words):
            index = styles[number % len(styles)]
            entry = Written(text, index)
            written.append(entry)
            try:
                style = self._style(index)
                if not any(map(needs_ink, text)):
                    raise FontError("There is nothing to draw in it.")
                plan = plan_word(text, made.fonts, made.config, sample_rng(wish.seed + number, "content"))
                finish = None
                if wish.damage != "none":
                    finish = plan_finish(wish.seed + number, 0, 0, made.config.finish)
                drafts.append(made.maker.draft(WordPlan(plan, style, finish)))
                places.append(number)
            except SimanError as error:
                entry.problem = str(error)
        for number, word in zip(places, made.maker.make(drafts), strict=True):
            written[number].word = word
            written[number].png = word.encoded or encode_png(word.image)
        return written

    def _style(self, index: int) -> Style:
        found = self._styles.get(index)
        if found is None:
            try:
                found = Style.from_image(self.shelf.decode(index), self.shelf.pool.name(index))
            except CropError as error:
                found = str(error)
            self._styles[index] = found
            if len(self._styles) > _KEPT_STYLES:
                self._styles.popitem(last=False)
        if isinstance(found, str):
            raise CropError(found)
        return found

    def _maker(self, wish: Wish) -> _Maker:
        key = wish.font, wish.layout, wish.damage
        if key not in self._makers:
            if wish.font and wish.font not in self.families:
                raise ConfigError(f"There is no font family '{wish.font}'.")
            fonts = FontLibrary.open((wish.font,)) if wish.font else self.fonts
            config = load_config(
                GenerateConfig, None if self.model is None else self.model.recipe, overrides(wish)
            )
            renderer = WordRenderer(fonts, config.render)
            self._makers[key] = _Maker(WordMaker(renderer, self.synthesizer, config.finish), fonts, config)
            if len(self._makers) > _KEPT_MAKERS:
                self._makers.popitem(last=False)
        return self._makers[key]


def settings_of(wish: Wish) -> dict[str, Any]:
    """Return the settings that a wish changes, as they stand in a recipe."""
    settings: dict[str, Any] = {key: dict(value) for key, value in DAMAGES[wish.damage].items()}
    if wish.layout != "mixed":
        weights = {name: {"weight": float(name == wish.layout)} for name in LayoutConfig().layouts}
        settings["render"] = {"layout": weights}
    return settings


def overrides(wish: Wish) -> list[str]:
    """Return the same as `--set` takes them."""

    def flat(values: Mapping[str, Any], before: str) -> list[str]:
        found: list[str] = []
        for key, value in values.items():
            name = f"{before}{key}"
            found += flat(value, f"{name}.") if isinstance(value, Mapping) else [f"{name}={value}"]
        return found

    return flat(settings_of(wish), "")


def toml_of(wish: Wish) -> str:
    """Return the recipe of a wish."""
    return tomli_w.dumps(settings_of(wish)) or "# The default settings.\n"


def options_of(wish: Wish, pool: Path, model: Model | None = None) -> list[tuple[str, str]]:
    """Return the options of `generate` that make words like these; their files are downloads of the page."""
    styles = "styles.txt" if wish.styles and pool.is_dir() else quote(str(pool))
    options = [("n", "1000"), ("corpus", "words.txt"), ("styles", styles)]
    if wish.font:
        options.append(("fonts", quote(wish.font)))
    if model is not None:  # a recipe would take the place of the model's
        options.append(("model", quote(str(model.recipe.parent))))
        options += [("set", quote(setting)) for setting in overrides(wish)]
    elif settings_of(wish):
        options.append(("recipe", "look.toml"))
    return [*options, ("seed", str(wish.seed)), ("out", "words")]


def snippet_of(wish: Wish, pool: Path, names: Sequence[str], model: Model | None = None) -> str:
    """Return the Python program that makes exactly these words."""
    recipe = None if model is None else str(model.recipe)
    fonts = (wish.font,) if wish.font else () if model is None else model.fonts
    weights = "" if model is None or model.weights is None else f"{str(model.weights)!r}, "
    lines = [
        "import cv2",
        "from siman_synth import CropPool, FontLibrary, GenerateConfig, Style, Synthesizer",
        "from siman_synth.config import load_config",
        "",
        f"config = load_config(GenerateConfig, {recipe!r}, {tuple(overrides(wish))!r})",
        f"fonts = FontLibrary.open({fonts!r})" if fonts else "fonts = FontLibrary.open()",
        f"synthesizer = Synthesizer.load({weights}fonts=fonts, config=config)",
        f"pool = CropPool.open({str(pool)!r})",
        "number = {pool.name(index): index for index in range(len(pool))}",
        f"styles = {list(names)!r}",
        f"for place, word in enumerate({list(wish.words)!r}):",
        "    name = styles[place % len(styles)]",
        "    style = Style.from_image(pool.decode(number[name]), name)",
        f"    made = synthesizer.synthesize(word, style, seed={wish.seed} + place"
        + (", finish=True)" if wish.damage != "none" else ")"),
        "    cv2.imwrite(f'{place}.png', made.image[..., ::-1])",
    ]
    return "\n".join(lines) + "\n"
