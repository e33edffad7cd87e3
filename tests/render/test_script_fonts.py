"""Fonts are opened once for each set of scripts that has its own."""

from siman_synth.render.fonts import FontLibrary
from siman_synth.render.script_fonts import ScriptFonts


def families(fonts: FontLibrary) -> frozenset[str]:
    return frozenset(font.family for font in fonts.fonts)


def test_bundled_fonts_are_those_of_a_texts_scripts() -> None:
    made: list[FontLibrary] = []

    def count(fonts: FontLibrary) -> int:
        made.append(fonts)
        return len(made)

    opened = ScriptFonts(None, count, "ja")
    latin, number = opened.of("Harbour")
    assert (number, made[0]) == (1, latin)
    # Cyrillic has no fonts of its own, Hebrew has, and Chinese characters are Japanese here.
    assert opened.of("Гавань") == opened.of("Harbour") == (latin, 1)
    hebrew, _ = opened.of("נמל")
    assert families(hebrew) > families(latin)
    assert hebrew.covering("נמל")
    japanese, _ = opened.of("港")
    assert families(japanese) == families(FontLibrary.open(scripts="Jpan"))
    assert opened.of("נמל Harbour")[0] is hebrew
    assert len(made) == 3


def test_fonts_that_were_given_are_those_of_every_text() -> None:
    given = FontLibrary.open("roboto")
    opened = ScriptFonts(given, families)
    assert opened.of("Harbour") == opened.of("נמל") == (given, families(given))
