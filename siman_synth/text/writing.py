"""Which writing systems words are in: what chooses among fonts that hold one each."""

from collections.abc import Iterable

from fontTools import unicodedata as script_data

from siman_synth.text.languages import AUTO, base_language

_SHARED = frozenset({"Zyyy", "Zinh", "Zzzz"})
HAN_OF = {"ja": "Jpan", "ko": "Kore", "zh": "Hans"}
"""The writing system whose look Chinese characters have in a language."""
_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})
_OF_SCRIPT = {"Hira": "Jpan", "Kana": "Jpan", "Hang": "Kore"}


def writing_systems(characters: Iterable[str], language: str = AUTO) -> frozenset[str]:
    """Return the ISO 15924 codes of the scripts of `characters`.

    Chinese characters look different in China, Japan and Korea: they are "Hans", "Hant", "Jpan" or
    "Kore" as the language says, or else as kana or Hangul beside them do, Chinese without any.
    """
    scripts = {str(script_data.script(character)) for character in characters} - _SHARED
    systems = {_OF_SCRIPT.get(script, script) for script in scripts}
    if "Hani" in systems:
        beside = sorted(systems & {"Jpan", "Kore"}) or ["Hans"]
        asked = HAN_OF.get(base_language(language), beside[0])
        if asked == "Hans" and _TRADITIONAL.intersection(language.lower().replace("_", "-").split("-")):
            asked = "Hant"
        systems = systems - {"Hani"} | {asked}
    return frozenset(systems)
