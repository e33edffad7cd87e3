"""Words as a visitor types them, in the styles that they chose, and how to make them again."""

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from time import perf_counter
from typing import Any, TypeVar

import tomli_w

from siman_synth.config import load_config
from siman_synth.errors import ConfigError, CropError, SimanError
from siman_synth.fitting.model import Model
from siman_synth.imaging.codec import encode_png
from siman_synth.models.bundled import bundled_name, weights_file
from siman_synth.render.font_files import Font, bundled_families, scripts_of_bundled_fonts
from siman_synth.render.fonts import ALL, FontLibrary
from siman_synth.render.layouts.config import LayoutConfig
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.style import Style
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.synthesis.word_maker import Word
from siman_synth.text.spaces import label_of
from siman_synth.text.writing import writing_systems
from siman_synth.web.pictures import CropShelf

T = TypeVar("T")

MOST_WORDS = 24
LONGEST_WORD = 60
MOST_STYLES = 200
_KEPT_STYLES = 512
_KEPT_WORDS = 512
_KEPT_SYNTHESIZERS = 16
_KEPT_LIBRARIES = 8
_TRIED_FIRST = 100
"""How many crops are tried for one that words can be written in before any was chosen."""

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


@dataclass(frozen=True, slots=True)
class Written:
    """A word that was made, or why it was not."""

    text: str
    style: int
    png: bytes = b""
    word: Word | None = None
    problem: str | None = None


@dataclass(slots=True)
class Writer:
    """Writes wishes with one network, one wish at a time; nothing of one shows in another.

    Each word is what `Synthesizer.synthesize` makes of it, whatever words stand beside it. Those that
    were made lately are kept, so that a key pressed costs the word it changes.
    """

    shelf: CropShelf
    synthesizer: Synthesizer
    fonts: FontLibrary
    model: Model | None = None
    """What a fit left; its recipe is what a wish begins with."""
    weights: str | Path | None = None
    """Which network `synthesizer` has, as `weights_file` takes it."""
    painted: int = 0
    """How many words passed through the network."""
    _shipped: Mapping[str, tuple[Font, ...]] = field(default_factory=bundled_families)
    _scripts: frozenset[str] = field(default_factory=scripts_of_bundled_fonts)
    _synthesizers: "OrderedDict[Hashable, Synthesizer]" = field(default_factory=OrderedDict)
    _libraries: "OrderedDict[Hashable, FontLibrary]" = field(default_factory=OrderedDict)
    _styles: "OrderedDict[int, Style | str]" = field(default_factory=OrderedDict)
    _words: "OrderedDict[Hashable, Written]" = field(default_factory=OrderedDict)
    _first: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def families(self) -> list[str]:
        """The names of all font families that can be chosen: all that ship, or those of the model."""
        if not self._given:
            return sorted(self._shipped)
        return sorted({font.family for font in self.fonts.fonts})

    @property
    def weights_name(self) -> str:
        """What the page and the commands call the network: the name of bundled weights, or a path."""
        file = weights_file(self.weights)
        return bundled_name(file) or str(file.absolute())

    @property
    def first_style(self) -> int:
        """The crop whose look words have before one was chosen: the first that can lend it."""
        if self._first is None:
            self._first = next(filter(self._lends, range(min(_TRIED_FIRST, len(self.shelf)))), 0)
        return self._first

    def write(self, wish: Wish) -> tuple[list[Written], float]:
        """Return the words of a wish, and the seconds that they took."""
        with self._lock:
            started = perf_counter()
            styles = wish.styles or (self.first_style,)
            written = [
                self._written(wish, text, styles[place % len(styles)], wish.seed + place)
                for place, text in enumerate(wish.words)
            ]
            return written, perf_counter() - started

    def font_specs(self, wish: Wish) -> tuple[str, ...]:
        """Return the fonts of a wish as `FontLibrary.open` takes them; none for those of each word's scripts.

        Raises:
            ConfigError: there is no such family.
        """
        if not wish.font:
            return self._given
        if wish.font not in self.families:
            raise ConfigError(f"There is no font family '{wish.font}'.")
        own = [font for font in self.fonts.fonts if font.family == wish.font and not font.bundled]
        files = (str(font.path.absolute()) + (f"#{font.index}" if font.index else "") for font in own)
        return tuple(files) or (wish.font,)

    @property
    def _given(self) -> tuple[str, ...]:
        """The model's own fonts; none where those of each word's scripts are taken."""
        return () if self.model is None or self.model.fonts == (ALL,) else self.model.fonts

    def systems_of(self, wish: Wish, text: str) -> frozenset[str]:
        """Return the scripts whose own fonts are among those of a word.

        Fonts that are given stand in one library for all words of a wish, as for all of a data set.
        """
        specs = self.font_specs(wish)
        if specs and ALL not in specs:
            return frozenset()
        characters = "".join(wish.words) if specs else text
        return writing_systems(characters, self.synthesizer.config.text.language) & self._scripts

    def _written(self, wish: Wish, text: str, style: int, seed: int) -> Written:
        systems = self.systems_of(wish, text)
        key = wish.font, systems, wish.layout, wish.damage, text, style, seed
        if key in self._words:
            self._words.move_to_end(key)
            return self._words[key]
        try:
            synthesizer = self._synthesizer(wish, systems)
            word = synthesizer.synthesize(text, self._style(style), seed, finish=wish.damage != "none")
        except ConfigError:
            raise
        except SimanError as error:
            return Written(text, style, problem=str(error))
        self.painted += 1
        written = Written(text, style, word.encoded or encode_png(word.image), word)
        return _kept(self._words, key, written, _KEPT_WORDS)

    def _lends(self, index: int) -> bool:
        try:
            self._style(index)
        except CropError:
            return False
        return True

    def _style(self, index: int) -> Style:
        found = self._styles.get(index)
        if found is None:
            config = self.synthesizer.config
            try:
                found = Style.from_image(
                    self.shelf.decode(index), self.shelf.pool.name(index), config.height_px, config.style
                )
            except CropError as error:
                found = str(error)
            _kept(self._styles, index, found, _KEPT_STYLES)
        if isinstance(found, str):
            raise CropError(found)
        return found

    def _synthesizer(self, wish: Wish, systems: frozenset[str]) -> Synthesizer:
        specs = self.font_specs(wish)
        key = specs, systems, wish.layout, wish.damage
        if key not in self._synthesizers:
            made = self.synthesizer.like(self._library(specs, systems), self.config_of(wish))
            return _kept(self._synthesizers, key, made, _KEPT_SYNTHESIZERS)
        self._synthesizers.move_to_end(key)
        return self._synthesizers[key]

    def _library(self, specs: tuple[str, ...], systems: frozenset[str]) -> FontLibrary:
        if not systems and specs == self._given:
            return self.fonts
        key = specs, systems
        if key not in self._libraries:
            opened = FontLibrary.open(specs or ALL, systems)
            return _kept(self._libraries, key, opened, _KEPT_LIBRARIES)
        self._libraries.move_to_end(key)
        return self._libraries[key]

    def config_of(self, wish: Wish) -> GenerateConfig:
        """Return the settings of a wish: those of the model's recipe, if there is one, and its own."""
        recipe = None if self.model is None else self.model.recipe
        return load_config(GenerateConfig, recipe, overrides(wish))


def _kept(kept: "OrderedDict[Any, T]", key: Hashable, value: T, most: int) -> T:
    """Keep a value under a key, and of all values those used last."""
    kept[key] = value
    while len(kept) > most:
        kept.popitem(last=False)
    return value


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


def options_of(wish: Wish, writer: Writer) -> list[tuple[str, str]]:
    """Return the options of `generate` that make words like these; their files are downloads of the page."""
    model = writer.model
    styles = ["styles.txt"] if wish.styles else [quote(str(path)) for path in writer.shelf.pool.paths]
    options = [("n", "1000"), ("corpus", "words.txt"), *(("styles", one) for one in styles)]
    if wish.font:
        options += [("fonts", quote(font)) for font in writer.font_specs(wish)]
    if writer.weights is not None and (model is None or writer.weights != model.weights):
        options.append(("weights", quote(writer.weights_name)))
    if model is not None:  # a recipe would take the place of the model's
        options.append(("model", quote(str(model.recipe.parent))))
        options += [("set", quote(setting)) for setting in overrides(wish)]
    elif settings_of(wish):
        options.append(("recipe", "look.toml"))
    return [*options, ("seed", str(wish.seed)), ("out", "words")]


def style_list(crops: Sequence[tuple[Path, str]]) -> str:
    """Return a list of crops, each what was opened and a name in it, as `generate --styles` takes it."""
    return "".join(f"{(path if path.is_dir() else path.parent).absolute() / name}\n" for path, name in crops)


def snippet_of(wish: Wish, written: Sequence[Written], names: Sequence[str], writer: Writer) -> str:
    """Return the Python program that makes exactly these words in crops of these names.

    Those that could not be written are left out; the others keep their places, which decide fonts and styles.
    """
    drawn = {place: word.text for place, word in enumerate(written) if word.problem is None}
    loop = f"enumerate({list(wish.words)!r})" if len(drawn) == len(wish.words) else f"{drawn!r}.items()"
    recipe = None if writer.model is None else str(writer.model.recipe)
    specs = writer.font_specs(wish)
    given = [] if writer.weights is None else [repr(writer.weights_name)]
    scripts = "".join(f", {name!r}" for name in [sorted(writer.systems_of(wish, ""))] if name)
    given += [f"fonts=FontLibrary.open({specs!r}{scripts})"] if specs else []
    loaded = ", ".join([*given, "device='cpu'", "config=config"])
    paths = [str(path) for path in writer.shelf.pool.paths]
    used = [name for name in ("CropPool", "FontLibrary") if specs or name == "CropPool"]
    lines = [
        "import cv2",
        f"from siman_synth import {', '.join(used)}, GenerateConfig, Style, Synthesizer",
        "from siman_synth.config import load_config",
        "",
        f"config = load_config(GenerateConfig, {recipe!r}, {tuple(overrides(wish))!r})",
        f"synthesizer = Synthesizer.load({loaded})",
        f"pool = CropPool.open({(paths[0] if len(paths) == 1 else paths)!r})",
        "number = {pool.name(index): index for index in range(len(pool))}",
        f"styles = {list(names)!r}",
        f"for place, word in {loop}:",
        "    name = styles[place % len(styles)]",
        "    crop = pool.decode(number[name])",
        "    style = Style.from_image(crop, name, config.height_px, config.style)",
        f"    made = synthesizer.synthesize(word, style, seed={wish.seed} + place"
        + (", finish=True)" if wish.damage != "none" else ")"),
        "    cv2.imwrite(f'{place}.png', made.image[..., ::-1])",
    ]
    return "\n".join(lines) + "\n"
