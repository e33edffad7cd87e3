"""Words and fonts that ship for languages beyond the Latin ones belong together."""

from pathlib import Path

import pytest

from siman_synth.errors import CorpusError
from siman_synth.render.font_files import bundled_families
from siman_synth.render.fonts import FontLibrary
from siman_synth.text.catalogue import bundled_catalogue
from siman_synth.text.corpus import Corpus
from siman_synth.text.mixture import CorpusMixture, TextConfig
from siman_synth.text.writing import writing_systems

LISTS = {
    entry.language: entry.name
    for entry in bundled_catalogue().corpora.values()
    if entry.language not in ("en", "mul")
}


def families_for(systems: frozenset[str]) -> list[str]:
    return [name for name, fonts in bundled_families().items() if systems.intersection(fonts[0].scripts)]


def test_the_languages_in_the_box() -> None:
    assert sorted(LISTS) == ["am", "ar", "bn", "he", "hi", "hy", "ja", "ka", "ko", "ta", "th", "zh"]


@pytest.mark.parametrize(
    "language",
    [
        # Thousands of characters take seconds.
        pytest.param(language, marks=[pytest.mark.slow] if language in ("ja", "ko", "zh") else [])
        for language in sorted(LISTS)
    ],
)
def test_each_word_is_drawn_by_two_families_or_more(language: str) -> None:
    corpus = Corpus.open(LISTS[language])
    assert len(corpus) >= (1900 if language == "hy" else 5000)
    assert not corpus.skipped.total
    library = FontLibrary.open(families_for(writing_systems(corpus.characters(), language)))
    for number in range(0, len(corpus), 97):
        drawing = {font.family for font in library.covering(corpus[number])}
        assert len(drawing) >= 2, corpus[number]
    assert not library.missing(corpus.characters())


@pytest.mark.parametrize(
    ("characters", "language", "systems"),
    [
        ("Wi-Fi 24", "auto", {"Latn"}),
        ("غرفة 12", "auto", {"Arab"}),
        ("出口", "auto", {"Hans"}),
        ("出口", "ja", {"Jpan"}),
        ("出口", "zh-Hans", {"Hans"}),
        ("出口", "zh-TW", {"Hant"}),
        ("出口です", "auto", {"Jpan"}),
        ("大韓民國 한국", "auto", {"Kore"}),
        ("コーヒー", "auto", {"Jpan"}),
        ("1 €", "auto", set()),
    ],
)
def test_writing_systems(characters: str, language: str, systems: set[str]) -> None:
    assert writing_systems(characters, language) == systems


def test_fonts_of_a_script_are_opened_for_words_of_it_alone() -> None:
    plain = FontLibrary.open()
    assert not any(font.scripts for font in plain.fonts)
    arabic = FontLibrary.open(scripts=["Arab"])
    assert {font.family for font in arabic.fonts} - {font.family for font in plain.fonts} == {
        "Amiri",
        "Lemonada",
        "Noto Kufi Arabic",
        "Noto Naskh Arabic",
    }


def test_a_language_chooses_the_words() -> None:
    assert CorpusMixture.open("default", TextConfig(language="ar")).names == ("arabic",)
    assert CorpusMixture.open("default", TextConfig(language="zh-Hans")).names == ("chinese",)
    assert "english" in CorpusMixture.open("default", TextConfig(language="en")).names
    with pytest.raises(
        CorpusError, match=r"^No word list of language 'tr' is in the box, which has am, ar, bn,"
    ):
        CorpusMixture.open("default", TextConfig(language="tr"))


def test_an_own_list_goes_before(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("istanbul\n", encoding="utf-8")
    mixture = CorpusMixture.open(str(tmp_path / "mine.txt"), TextConfig(language="tr"))
    assert (mixture.names, mixture.language("tr"), mixture.language("auto")) == (("mine.txt",), "tr", "auto")
    assert "İ" in mixture.characters()
    assert CorpusMixture.open("japanese").language("auto") == "ja"
