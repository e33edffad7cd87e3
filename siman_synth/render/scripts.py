"""What a script asks of a font and of a layout: which letters join, which take tables."""

import functools
import unicodedata
from collections.abc import Sequence

import uharfbuzz as hb
from fontTools import unicodedata as script_data

_COMMON = frozenset({"Zyyy", "Zinh", "Zzzz"})
"""Signs of every script: they are written as those beside them."""
SIMPLE = frozenset({"Latn", "Grek", "Cyrl", "Zyyy"})
"""Scripts whose letters are drawn one by one, without ligatures: each then has a box of its own."""
_CURSIVE = frozenset({
    "Arab", "Syrc", "Mong", "Nkoo", "Mand", "Mani", "Phag", "Phlp", "Adlm", "Rohg", "Sogd", "Chrs", "Ougr",
})  # fmt: skip
_UNDER_A_LINE = frozenset({
    "Deva", "Beng", "Guru", "Tirh", "Nand", "Shrd", "Dogr", "Modi", "Sylo", "Newa", "Gonm",
})  # fmt: skip
"""Scripts whose letters hang from one line."""
_REBUILT = frozenset({
    "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh", "Khmr", "Mymr", "Tibt", "Bali", "Java", "Sund",
    "Lana", "Cham", "Cakm", "Kthi", "Takr", "Gran", "Lepc", "Limb", "Mtei", "Saur", "Batk", "Bugi", "Rjng",
    "Maka", "Ahom", "Gong", "Soyo", "Zanb", "Bhks", "Marc", "Sidd", "Khoj", "Sind", "Kawi", "Tglg", "Hano",
    "Buhd", "Tagb", "Kali", "Tavt", "Talu", "Diak", "Mahj", "Mult", "Khar", "Brah", "Hmng", "Medf", "Toto",
    "Wcho", "Nagm", "Yezi", "Todr", "Tutg", "Krai", "Onao",
})  # fmt: skip
"""Scripts whose letters are put together or reordered by a font's tables."""
NEEDS_TABLES = _CURSIVE | _UNDER_A_LINE | _REBUILT
JOINED = _CURSIVE | _UNDER_A_LINE

_BRACKETS = dict(zip("([{（［｛「『【〈《〔", ")]}）］｝」』】〉》〕", strict=True))
_DOTTED_CIRCLE = 0x25CC


@functools.lru_cache(maxsize=8192)
def script_of(character: str) -> str:
    """Return the ISO 15924 code of a character's script, "Zyyy" for signs that all scripts share."""
    found = str(script_data.script(character))
    return "Zyyy" if found in _COMMON else found


@functools.lru_cache(maxsize=8192)
def joins(character: str) -> bool:
    """Tell whether a character is a letter or mark of a script whose letters join."""
    return script_of(character) in JOINED and unicodedata.category(character)[0] in "LM"


@functools.lru_cache(maxsize=1024)
def table_tags(script: str) -> frozenset[str]:
    """Return the names under which a font's tables may hold a script; none if it takes no tables."""
    return frozenset(script_data.ot_tags_from_script(script)) if script in NEEDS_TABLES else frozenset()


def resolved_scripts(text: str) -> list[str]:
    """Return the script by which each character is written.

    Signs that scripts share go with what stands before them, at the start with what follows, and a
    closing bracket with its opening one.
    """
    found: list[str] = []
    waiting: list[tuple[str, str]] = []
    before = next((script for script in map(script_of, text) if script != "Zyyy"), "Zyyy")
    for character in text:
        script = script_of(character)
        if script == "Zyyy":
            script = before
            if character in _BRACKETS:
                waiting.append((_BRACKETS[character], script))
            elif waiting and waiting[-1][0] == character:
                script = waiting.pop()[1]
        found.append(script)
        before = script
    return found


def script_runs(scripts: Sequence[str], start: int, end: int) -> list[tuple[int, int, str]]:
    """Return (start, end, script) of the runs of one script in a part of a text."""
    runs: list[tuple[int, int, str]] = []
    for index in range(start, end):
        if runs and runs[-1][2] == scripts[index]:
            runs[-1] = (runs[-1][0], index + 1, scripts[index])
        else:
            runs.append((index, index + 1, scripts[index]))
    return runs


def malformed(text: str, start: int, end: int, script: str, direction: str) -> bool:
    """Tell whether a run holds a mark without its letter, where HarfBuzz would draw a dotted circle."""
    if not any(unicodedata.category(character)[0] == "M" for character in text[start:end]):
        return False
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(character) for character in text], start, end - start)
    buffer.script, buffer.direction = script, direction
    buffer.flags = hb.BufferFlags.BOT | hb.BufferFlags.EOT
    hb.shape(_font_of_everything(), buffer)
    circles: int = sum(info.codepoint == _DOTTED_CIRCLE for info in buffer.glyph_infos)
    return bool(circles > text[start:end].count(chr(_DOTTED_CIRCLE)))


@functools.cache
def _font_of_everything() -> "hb.Font":
    """Return a font without tables that has a glyph for every character, with the character's number."""
    functions = hb.FontFuncs()
    functions.set_nominal_glyph_func(lambda _font, code, _data: code)
    font = hb.Font(hb.Face(b""))
    font.funcs = functions
    return font
