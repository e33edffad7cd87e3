"""The fonts to draw with, and which of them can draw a word."""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from siman_synth.errors import FontError
from siman_synth.render.face import Face, UnusableFontError
from siman_synth.render.font_files import Font, find_fonts
from siman_synth.tally import Tally

ALL = "all"
"""The spec of every bundled font."""

_CAPITALS_OF_A_WORD = 3


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
        self._families = list(_by_family(self.fonts).values())

    @classmethod
    def open(cls, specs: Sequence[str | Path] = (ALL,)) -> "FontLibrary":
        """Open "all" bundled fonts, bundled families by name, font files, and folders of fonts.

        Fonts that cannot be used (broken, bitmap-only, without a Unicode character map or
        without ink) are left out and counted in `skipped`.

        Raises:
            FontError: a name is unknown, or no font is usable.
        """
        skipped = Tally()
        usable: list[Font] = []
        faces: dict[str, Face] = {}
        if not specs:
            raise FontError("No fonts given. Use 'all', a bundled family, a font file or a folder of fonts.")
        for font in find_fonts(specs, skipped):
            try:
                face = Face(font.path, font.index)
            except UnusableFontError as error:
                skipped.add(str(error), font.path.name)
                continue
            named = font if font.family else font.with_family(face.family)
            usable.append(named)
            faces[named.id] = face
        if not usable:
            reasons = "; ".join(skipped.lines()) or "no font file there"
            raise FontError(
                f"No usable font in {', '.join(map(str, specs))}: {reasons}. "
                "Give .ttf, .otf, .ttc or .woff files, or use 'all'."
            )
        library = cls(usable, skipped, bundled=ALL in map(str, specs))
        library._faces = faces
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
                face = self._faces[font.id] = Face(font.path, font.index)
            except UnusableFontError as error:
                raise FontError(f"Font {font.path} was usable before, now it is not: {error}.") from error
        return face

    def covering(self, text: str) -> tuple[Font, ...]:
        """Return the fonts that draw every character of `text`, in the library's order.

        White space aside, each character must be in the font's character map, leave ink, and
        not look like `.notdef`.
        """
        return tuple(font for font in self.fonts if self._covers(font, text))

    def choose(
        self, text: str, rng: np.random.Generator, kind_weights: Mapping[str, float] | None = None
    ) -> Font:
        """Draw one of the fonts that cover `text`: first a family, then a font of it.

        Families of a kind in `kind_weights` are that much as frequent as others; kinds that it
        does not name weigh 1.

        Words in capitals get no script font while there are others: nobody writes them so,
        and hardly anybody can read them.

        Raises:
            FontError: no font covers it; the message is that of `explain`.
        """
        capitals = text.isupper() and sum(map(str.isupper, text)) >= _CAPITALS_OF_A_WORD
        families = self._families
        weights = np.array([(kind_weights or {}).get(members[0].kind, 1.0) for members in families])
        # Families race with exponential times: the first that covers the text is drawn with the
        # odds of its weight among those that do, and fonts that come after it are not even read.
        # Where only kinds of weight 0 can draw the text, it is drawn all the same, by chance.
        times = rng.exponential(size=len(families))
        order = np.lexsort([times / np.maximum(weights, 1e-300), weights == 0])
        chosen: list[Font] = []
        for family in order.tolist():
            members = [font for font in families[family] if self._covers(font, text)]
            chosen = chosen or members
            if members and not (capitals and members[0].kind == "script"):
                chosen = members
                break
        if not chosen:
            raise FontError(self.explain(text))
        return chosen[int(rng.integers(len(chosen)))]

    def missing(self, characters: Iterable[str]) -> tuple[str, ...]:
        """Return those of the characters that no font here draws, sorted."""
        visible = {character for character in characters if not character.isspace()}
        return tuple(sorted(character for character in visible if not self._is_drawn(character)))

    def explain(self, text: str) -> str:
        """Return why `text` is not covered: which character is missing, and what to do.

        Where no font lacks anything, say how many fonts draw it.
        """
        if fonts := self.covering(text):
            return f"{len(fonts)} of {len(self.fonts)} fonts draw '{text}'."
        advice = "Add a font that has it" if self._bundled else "Use --fonts all"
        if len(families := dict.fromkeys(font.family for font in self.fonts)) == 1:
            who = f"Font '{next(iter(families))}' cannot"
        else:
            who = f"None of the {len(self.fonts)} fonts can"
        for character in dict.fromkeys(text):
            if not character.isspace() and not self._is_drawn(character):
                named = f"'{character}' (U+{ord(character):04X})"
                return f"{who} draw {named} in '{text}'. {advice} or drop the word."
        return (
            f"No single font draws all of '{text}'. {advice.replace(' it', ' all of it')} or drop the word."
        )

    def fingerprint(self) -> str:
        """Return a short hash of the ids and the files' bytes."""
        digest = hashlib.sha256()
        for font in self.fonts:
            digest.update(f"{font.id}\n{font.index}\n".encode())
            try:
                digest.update(hashlib.sha256(font.path.read_bytes()).digest())
            except OSError as error:
                raise FontError(f"Font {font.path} cannot be read: {error.strerror}.") from error
        return digest.hexdigest()[:16]

    def _covers(self, font: Font, text: str) -> bool:
        face = self.face(font)
        return all(character.isspace() or face.draws(character) for character in text)

    def _is_drawn(self, character: str) -> bool:
        # Font by font: the first has most characters, and asking all of all takes seconds.
        return any(self.face(font).draws(character) for font in self.fonts)


def _by_family(fonts: Iterable[Font]) -> dict[str, list[Font]]:
    families: dict[str, list[Font]] = {}
    for font in fonts:
        families.setdefault(font.family, []).append(font)
    return families
