"""The fonts of each text: those that were given, or the bundled ones of its scripts."""

from collections.abc import Callable
from typing import Generic, TypeVar

from siman_synth.render.font_files import scripts_of_bundled_fonts
from siman_synth.render.fonts import FontLibrary
from siman_synth.text.languages import AUTO
from siman_synth.text.writing import writing_systems

Tool = TypeVar("Tool")


class ScriptFonts(Generic[Tool]):
    """Opens fonts as texts need them, and makes of each library what works with it; both are kept.

    Args:
        given: the fonts of every text; None for the bundled ones, with those of each text's scripts.
        make: makes what works with a library.
        language: BCP 47 code of the texts, which says how bundled fonts write Chinese characters.
    """

    def __init__(
        self, given: FontLibrary | None, make: Callable[[FontLibrary], Tool], language: str = AUTO
    ) -> None:
        self._given = given
        self._make = make
        self._language = language
        self._scripts = scripts_of_bundled_fonts() if given is None else frozenset()
        self._opened: dict[frozenset[str], tuple[FontLibrary, Tool]] = {}

    def of(self, text: str) -> tuple[FontLibrary, Tool]:
        """Return the fonts of a text, and what works with them.

        Raises:
            FontError: no font is usable.
        """
        # Fonts that are for no script alone are in every library: what they write needs none of its own.
        systems = writing_systems(text, self._language) & self._scripts
        if systems not in self._opened:
            fonts = FontLibrary.open(scripts=systems) if self._given is None else self._given
            self._opened[systems] = fonts, self._make(fonts)
        return self._opened[systems]
