"""The fonts to draw with, and which of them can draw a word."""

import functools
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from siman_synth.errors import FontError
from siman_synth.render.coverage import Coverage
from siman_synth.render.errors import UnusableFontError
from siman_synth.render.face import NO_GLYPH, Face
from siman_synth.render.font_files import Font, bundled_families, find_fonts
from siman_synth.render.scripts import script_of
from siman_synth.resources import resource_folder
from siman_synth.several import Names, several
from siman_synth.tally import Tally
from siman_synth.text.visible import needs_ink
from siman_synth.text.writing import HAN_OF
from siman_synth.watched import WatchedFile

FamilyWeight = Callable[[Font], float]
"""How frequent the family of a font is, beside others."""

ALL = "all"
"""The spec of every bundled font."""

_CAPITALS_OF_A_WORD = 3
_REGIONS = {"Hans": "SC", "Hant": "TC", "Jpan": "JP", "Kore": "KR"}
_COUNTRIES = frozenset({*_REGIONS.values(), "HK"})
_OF_ITS_KIND = 0.1
_ALIKE_STROKE = 0.01
"""Of the height of capitals: strokes as much wider or narrower pass for alike."""


class FontLibrary:
    """Usable fonts in a fixed order. Files are read when a font is first asked about.

    Pickles as its list of fonts: each process reads the files for itself.
    """

    def __init__(self, fonts: Sequence[Font], skipped: Tally, *, bundled: bool) -> None:
        """Take fonts that were found to be usable; `bundled` says that all bundled ones are in."""
        self.fonts = tuple(fonts)
        self.skipped = skipped
        self._bundled = bundled
        self._by_id = {font.id: font for font in self.fonts}
        self._faces: dict[str, Face] = {}
        self._widths: dict[str, float] = {}
        self._coverage = Coverage(len(self.fonts), self._draws)
        self._families = list(_by_family(self.fonts).values())
        self._watched: dict[Path, WatchedFile] = {}
        self._weighed: tuple[FamilyWeight | None, np.ndarray] | None = None

    @classmethod
    def open(cls, specs: Names = ALL, scripts: Iterable[str] = ()) -> "FontLibrary":
        """Open "all" bundled fonts, bundled families by name, font files, and folders of fonts.

        Bundled fonts of one writing system, such as "Arab" or "Jpan", are among "all" if it is one of
        `scripts` (`siman_synth.text.writing`), one or several.

        Fonts that cannot be used (broken, bitmap-only, without a Unicode character map or
        without ink) are left out and counted in `skipped`.

        Raises:
            FontError: a name is unknown, or no font is usable.
        """
        skipped = Tally()
        usable: list[Font] = []
        faces: dict[str, Face] = {}
        watched: dict[Path, WatchedFile] = {}
        given, wanted = several(specs), frozenset(map(str, several(scripts)))
        if not given:
            raise FontError("No fonts given. Use 'all', a bundled family, a font file or a folder of fonts.")
        for font in find_fonts(given, skipped, wanted):
            # Before it is opened: faces are mapped, and show what the file holds when a glyph is read.
            file = watched.get(font.path) or WatchedFile(font.path)
            try:
                face = _opened(font)
            except UnusableFontError as error:
                skipped.add(str(error), font.path.name)
                continue
            named = font if font.family else font.with_family(face.family)
            usable.append(named)
            faces[named.id] = face
            watched[font.path] = file
        if not usable:
            reasons = "; ".join(skipped.lines()) or "no font file there"
            raise FontError(
                f"No usable font in {', '.join(map(str, given))}: {reasons}. "
                "Give .ttf, .otf, .ttc, .woff or .woff2 files, or use 'all'."
            )
        usable = _of_region(usable, wanted, skipped)
        library = cls(usable, skipped, bundled=ALL in map(str, given))
        library._faces = faces
        library._watched = watched
        return library

    def without(self, fonts: Iterable[Font], reason: str) -> "FontLibrary":
        """Return the library without some of its fonts, which count as skipped.

        Raises:
            FontError: none is left.
        """
        left_out = {font.id for font in fonts}
        if not left_out:
            return self
        skipped = Tally()
        skipped.merge(self.skipped)
        for font in self.fonts:
            if font.id in left_out:
                skipped.add(reason, font.path.name)
        kept = [font for font in self.fonts if font.id not in left_out]
        if not kept:
            raise FontError(f"No usable font: {'; '.join(skipped.lines())}. Give others, or use 'all'.")
        library = FontLibrary(kept, skipped, bundled=self._bundled)
        library._faces = self._faces
        library._watched = self._watched
        return library

    def __len__(self) -> int:
        return len(self.fonts)

    def __reduce__(self) -> tuple[object, ...]:
        rebuild = functools.partial(FontLibrary, bundled=self._bundled)
        return rebuild, (self.fonts, self.skipped)

    def font(self, font_id: str) -> Font:
        """Return the font with this id.

        Raises:
            FontError: the library has none.
        """
        try:
            return self._by_id[font_id]
        except KeyError:
            raise FontError(
                f"No font '{font_id}' among the {len(self.fonts)} that were opened. "
                "Open the library with the fonts that the plan was made with."
            ) from None

    def face(self, font: Font) -> Face:
        """Return the opened font; opened once, then kept.

        Raises:
            FontError: the file has gone or changed since the library was opened.
        """
        face = self._faces.get(font.id)
        if face is None:
            try:
                face = self._faces[font.id] = _opened(font)
            except UnusableFontError as error:
                raise FontError(f"Font {font.path} was usable before, now it is not: {error}.") from error
        return face

    def covering(self, text: str) -> tuple[Font, ...]:
        """Return the fonts that draw every character of `text`, in the library's order.

        White space, joiners and the like aside, each character must be in the font's character
        map, leave ink, and not look like another.
        """
        visible = _visible(text)
        return tuple(self.fonts[number] for number in self._coverage.of(visible)) if visible else ()

    def choose(self, text: str, rng: np.random.Generator, weight: FamilyWeight | None = None) -> Font:
        """Draw one of the fonts that cover `text`: first a family, then a font of it.

        Families are as frequent as `weight` says of their first font, all alike if it is None.

        Words in capitals get no script font while there are others: nobody writes them so,
        and hardly anybody can read them.

        Raises:
            FontError: no font covers it; the message is that of `explain`.
        """
        visible = _visible(text)
        capitals = text.isupper() and sum(map(str.isupper, text)) >= _CAPITALS_OF_A_WORD
        families = self._families
        weights = self._family_weights(weight)
        # Families race with exponential times: the first that covers the text is drawn with the
        # odds of its weight among those that do, and fonts that come after it are not even read.
        # Where only families of weight 0 can draw the text, it is drawn all the same, by chance.
        times = rng.exponential(size=len(families))
        order = np.lexsort([times / np.maximum(weights, 1e-300), weights == 0])
        chosen: list[Font] = []
        for family in order.tolist():
            members = [font for font in families[family] if self._covers(font, visible)]
            chosen = chosen or members
            if members and not (capitals and members[0].kind == "script"):
                chosen = members
                break
        if not chosen:
            raise FontError(self.explain(text))
        return chosen[int(rng.integers(len(chosen)))]

    def _family_weights(self, weight: FamilyWeight | None) -> np.ndarray:
        """Return the weight of each family; those of the last function are remembered."""
        if self._weighed is None or self._weighed[0] != weight:
            values = [1.0 if weight is None else weight(members[0]) for members in self._families]
            self._weighed = weight, np.array(values)
        return self._weighed[1]

    def choose_pair(
        self, text: str, rng: np.random.Generator, weight: FamilyWeight | None = None
    ) -> tuple[Font, Font | None]:
        """Draw a font for `text`; where none covers it, one for most of its letters and one for the others.

        The second one is of a weight like the first one's, and of its kind where there is a choice.

        Raises:
            FontError: no two fonts cover it; the message is that of `explain`.
        """
        try:
            return self.choose(text, rng, weight), None
        except FontError:
            main = _main_letters(text)
            if not main or self.missing(text) or not any(self._covers(font, main) for font in self.fonts):
                raise
        font = self.choose(main, rng, weight)
        face = self.face(font)
        others = "".join(one for one in text if needs_ink(one) and not face.draws(one))
        beside = self.covering(others)
        if not beside:
            raise FontError(self.explain(text))
        apart = [
            abs(self.face(one).stroke - face.stroke) + _OF_ITS_KIND * (one.kind != font.kind)
            for one in beside
        ]
        near = [one for one, by in zip(beside, apart, strict=True) if by <= min(apart) + _ALIKE_STROKE]
        return font, near[int(rng.integers(len(near)))]

    def typical_width(self, character: str) -> float:
        """Return about how wide a character is, in heights of the line, by the first font that draws it.

        0 for marks, which stand on others, and for what is not drawn.
        """
        width = self._widths.get(character)
        if width is None:
            width = self._widths[character] = self._measure(character)
        return width

    def _measure(self, character: str) -> float:
        if not needs_ink(character) or unicodedata.category(character) in ("Mn", "Me"):
            return 0.0
        for font in self.fonts:
            face = self.face(font)
            if face.draws(character):
                line = face.metrics.top - face.metrics.bottom
                return face.advance(face.glyph_id(character)) / max(line, 0.1)
        return 0.0

    def missing(self, characters: Iterable[str]) -> tuple[str, ...]:
        """Return those of the characters that no font here draws, sorted."""
        visible = filter(needs_ink, set(characters))
        return tuple(sorted(character for character in visible if not self._is_drawn(character)))

    def explain(self, text: str) -> str:
        """Return why `text` is not covered: which character is missing, and what to do.

        Where no font lacks anything, say how many fonts draw it.
        """
        if not any(map(needs_ink, text)):
            return f"There is nothing to draw in {text!r}. Give a visible character."
        if fonts := self.covering(text):
            return f"{len(fonts)} of {len(self.fonts)} fonts draw '{text}'."
        advice = "Add a font that has it" if self._bundled else "Use all bundled fonts"
        if len(families := dict.fromkeys(font.family for font in self.fonts)) == 1:
            who = f"Font '{next(iter(families))}' cannot"
        else:
            who = f"None of the {len(self.fonts)} fonts can"
        for character in dict.fromkeys(text):
            if needs_ink(character) and not self._is_drawn(character):
                named = f"'{character}' (U+{ord(character):04X})"
                if self._bundled and (others := _fonts_of_scripts().covering(character)):
                    advice = f"The bundled font '{others[0].family}' can: {_how_to_ask(others[0])},"
                return f"{who} draw {named} in '{text}'{self._why(character)}. {advice} or drop the word."
        return (
            f"No single font draws all of '{text}'. {advice.replace(' it', ' all of it')} or drop the word."
        )

    def _why(self, character: str) -> str:
        """Return ": " and what is wrong with a glyph, where the fonts have one that they all may not use."""
        problems = {self.face(font).problem(character) for font in self.fonts} - {NO_GLYPH}
        return f": {problems.pop()}" if len(problems) == 1 else ""

    def fingerprint(self) -> str:
        """Return a short hash of the files' bytes, and of what decides which of them is drawn.

        Raises:
            InputChangedError: a file was changed since it was opened.
        """
        digest = hashlib.sha256()
        for font, file in zip(self.fonts, self.watched, strict=True):
            said = f"{font.id}\n{font.index}\n{font.family}\n{font.kind}\n{file.sha256}\n"
            digest.update(said.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()[:16]

    @property
    def watched(self) -> tuple[WatchedFile, ...]:
        """The file of each font."""
        for font in self.fonts:
            if font.path not in self._watched:
                self._watched[font.path] = WatchedFile(font.path)
        return tuple(self._watched[font.path] for font in self.fonts)

    def _covers(self, font: Font, visible: str) -> bool:
        return bool(visible) and all(map(self.face(font).draws, visible))

    def _draws(self, number: int, character: str) -> bool:
        return self.face(self.fonts[number]).draws(character)

    def _is_drawn(self, character: str) -> bool:
        # Font by font: the first has most characters, and asking all of all takes seconds.
        return any(self.face(font).draws(character) for font in self.fonts)


@functools.cache
def _fonts_of_scripts() -> FontLibrary:
    """Return the bundled fonts that are for a writing system alone."""
    families = bundled_families().values()
    fonts = [font for family in families for font in family if font.scripts and font.in_all]
    return FontLibrary(fonts, Tally(), bundled=True)


def _how_to_ask(font: Font) -> str:
    languages = [language for language, script in HAN_OF.items() if script in font.scripts]
    return f"give the language {languages[0]}" if languages else f"open the fonts of {font.scripts[0]}"


def _visible(text: str) -> str:
    return "".join(filter(needs_ink, text))


def _main_letters(text: str) -> str:
    """Return the letters and marks of the script that `text` has most of."""
    scripts = [
        script if needs_ink(one) else "" for one, script in zip(text, map(script_of, text), strict=True)
    ]
    counts = Counter(script for script in scripts if script not in ("", "Zyyy"))
    most = counts.most_common(1)
    return "".join(one for one, script in zip(text, scripts, strict=True) if most and script == most[0][0])


def _by_family(fonts: Iterable[Font]) -> dict[str, list[Font]]:
    families: dict[str, list[Font]] = {}
    for font in fonts:
        families.setdefault(font.family, []).append(font)
    return families


def _of_region(fonts: Sequence[Font], scripts: frozenset[str], skipped: Tally) -> list[Font]:
    """Return the fonts without those faces of a collection that are for other countries.

    Collections hold one design as China, Japan and Korea write it, and name the country last.
    """
    wanted = {_REGIONS[script] for script in scripts if script in _REGIONS}
    kept: list[Font] = []
    for font in fonts:
        beside = {_region(other) for other in fonts if other.path == font.path}
        if wanted & beside and _region(font) not in wanted | {""}:
            skipped.add("face of a collection for another country", font.id)
        else:
            kept.append(font)
    return kept


def _region(font: Font) -> str:
    """Return the country that a family's name ends with, as in "Noto Sans CJK JP"."""
    return next((word for word in font.family.split()[1:] if word in _COUNTRIES), "")


def _opened(font: Font) -> Face:
    return Face(font.path, font.index, bundled=font.path.is_relative_to(_bundled_folder()))


@functools.cache
def _bundled_folder() -> Path:
    return resource_folder("fonts")
