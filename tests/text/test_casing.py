"""Letter case by language; ICU, as Node.js carries it, is the reference."""

import json
import shutil
import subprocess
import unicodedata
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.text.casing import CaseConfig, apply_case, cased_characters
from siman_synth.text.catalogue import bundled_catalogue
from siman_synth.text.corpus import Corpus
from siman_synth.text.languages import language_of
from siman_synth.text.mixture import TextConfig


def only(**weights: float) -> CaseConfig:
    return CaseConfig(**{"as_is": 0, "lower": 0, "upper": 0, "capitalized": 0, **weights})


def cased(word: str, case: str, language: str = "") -> str:
    return apply_case(word, only(**{case: 1}), np.random.default_rng(0), language)


@pytest.mark.parametrize(
    ("language", "case", "word", "changed"),
    [
        ("en", "as_is", "McDonald", "McDonald"),
        ("en", "lower", "McDonald", "mcdonald"),
        ("de", "upper", "Ärger", "ÄRGER"),
        ("en", "capitalized", "don't STOP", "Don't Stop"),
        ("pl", "capitalized", "ŁÓDŹ über", "Łódź Über"),
        ("de", "upper", "Straße", "STRASSE"),
        ("", "upper", "straße", "STRASSE"),
        ("tr", "upper", "iyi ışık", "İYİ IŞIK"),
        ("tr", "lower", "IŞIK İZMİR", "ışık izmir"),
        ("az", "capitalized", "ilk ışıq", "İlk Işıq"),
        ("el", "upper", "Μάιος", "ΜΑΪΟΣ"),
        ("el", "upper", "ή Ήλιος", "Ή ΗΛΙΟΣ"),
        ("el", "upper", "ταΐζω", "ΤΑΪΖΩ"),
        ("el", "lower", "ΟΔΟΣ ΟΔΟΣ Σ2", "οδος οδος σ2"),
        ("el", "capitalized", "άρης λόγος", "Άρης Λόγος"),
        ("ka", "upper", "ქართული", "ქართული"),
        ("hy", "upper", "Երևան", "ԵՐԵՎԱՆ"),
        ("hyw", "upper", "Երևան", "ԵՐԵՒԱՆ"),
        ("hy", "capitalized", "և", "Եվ"),
        ("nl", "capitalized", "ijs IJSLAND", "IJs IJsland"),
        # Another letter on the way back, or one that nobody prints, or that begins no word.
        *(("", "upper", word, word) for word in ("5 µm", "ısı", "ქართული", "ꭰꮝ", "ŉ")),
        *(("", "lower", word, word) for word in ("İZMİR", "ẞ", "ᲥᲐᲠᲗᲣᲚᲘ", "ᏣᎳᎩ", "H\u0331")),
        *(("", "capitalized", word, word) for word in ("ქართული", "µm", "ǆ", "ßa")),
    ],
)
def test_cases(language: str, case: str, word: str, changed: str) -> None:
    assert cased(word, case, language) == changed


@pytest.mark.parametrize(
    ("letters", "language"),
    [
        ("abcçdefgğhıijklmnoöprsştuüvyzİ", "tr"),
        ("abcçdeəğıöşü", "az"),
        ("abcı", ""),
        ("abcığé", ""),
        ("ßä", ""),
    ],
)
def test_letters_tell_the_language(letters: str, language: str) -> None:
    assert language_of(letters) == language


def test_a_language_is_a_code() -> None:
    with pytest.raises(
        ValueError, match=r"^language must be a code such as tr or zh-Hans, or auto, found 'x y'\.$"
    ):
        TextConfig(language="x y")


WORDS = {
    "el": "ο μάιος άυλος προϊόν ταΐζω καΐκι αυτοΰπνωση ή ήλιος Ωραίος εΐ λόγος γάιδαρος ρολόι νεράιδα ᾳ ᾠδή "
    "Ἀθῆναι ευφυΐα πλάι άι ΐ μαΐστρος ούτε όι",
    "tr": "iyi ışık İstanbul ISPARTA dağ çiğ ILIK i ı İ I",
    "az": "ilk ışıq Əli İŞIQ",
    "de": "Straße groß ß Füße über",
    "hy": "Երևան և արև Հայաստան",
    "ka": "ქართული თბილისი",
    "lv": "āboli ķiploks",
    "nl": "ijs vrij",
    "ru": "ёлка Москва",
    "fr": "été cœur",
}


@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js carries ICU, the reference")
def test_icu_writes_the_same() -> None:
    """Whole lines, so that what follows a word cannot change it; Georgian is what nobody prints."""
    script = (
        "const words = JSON.parse(require('fs').readFileSync(0)); console.log(JSON.stringify("
        "Object.entries(words).map(([l, w]) => [l, w.toLocaleUpperCase(l), w.toLocaleLowerCase(l)])))"
    )
    ran = subprocess.run(
        ["node", "-e", script], input=json.dumps(WORDS), capture_output=True, text=True, check=True
    )
    for language, upper, lower in json.loads(ran.stdout):
        if language != "ka":
            # Node.js knows no Armenian rules: those of the root locale are the western ones.
            ours = "hyw" if language == "hy" else language
            assert cased(WORDS[language], "upper", ours) == upper
        assert cased(WORDS[language], "lower", language) == lower


@cache
def composed_characters() -> list[str]:
    """Return all that Unicode assigns, but for surrogates, private use and what NFC takes apart."""
    assigned = (
        one for one in map(chr, range(0x110000)) if unicodedata.category(one) not in ("Cs", "Cn", "Co")
    )
    return [one for one in assigned if unicodedata.is_normalized("NFC", one)]


@pytest.mark.parametrize("case", ["lower", "upper", "capitalized"])
def test_any_character_changes_to_its_other_case_or_not_at_all(case: str) -> None:
    """All of Unicode, one by one: nothing is gained, lost, or changed for good but where languages do."""
    config, rng = only(**{case: 1}), np.random.default_rng(0)
    for character in composed_characters():
        code = ord(character)
        changed = apply_case(character, config, rng)
        if changed == character:
            continue
        assert set(changed) <= cased_characters(character, ""), hex(code)
        assert not unicodedata.name(character).startswith(("GEORGIAN", "CHEROKEE", "MICRO")), hex(code)
        if character in "ßև" or unicodedata.name(character).startswith("GREEK"):
            continue
        assert len(changed) == 1, hex(code)
        assert character in (changed.lower(), changed.upper()), hex(code)


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=12), st.integers(0, 2**32), st.sampled_from(["", "tr", "el", "nl", "hy"]))
def test_a_word_stays_the_same_word(word: str, seed: int, language: str) -> None:
    word = unicodedata.normalize("NFC", word)
    changed = apply_case(word, CaseConfig(), np.random.default_rng(seed), language)
    assert unicodedata.is_normalized("NFC", changed)
    assert changed.count(" ") == word.count(" ")
    assert _folded(changed) == _folded(word)
    known = frozenset(word).union(*(cased_characters(character, language) for character in word))
    assert set(changed) <= known | set("ΪΫ")  # a dialytika replaces an accent


def _folded(text: str) -> str:
    bare = [c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c)]
    return "".join(bare).replace("ı", "i").replace("եւ", "եվ").casefold().replace("ι", "")


def test_case_weights_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^upper must be between 0 and 1000, found -1\.$"):
        CaseConfig(upper=-1)
    with pytest.raises(ValueError, match=r"must not all be 0"):
        only()


def _written_by_node(words: list[str], language: str) -> tuple[list[str], list[str]]:
    script = (
        "const [words, l] = JSON.parse(require('fs').readFileSync(0)); console.log(JSON.stringify("
        "[words.map(w => w.toLocaleUpperCase(l)), words.map(w => w.toLocaleLowerCase(l))]))"
    )
    asked = json.dumps([words, language])
    ran = subprocess.run(["node", "-e", script], input=asked, capture_output=True, text=True, check=True)
    upper, lower = json.loads(ran.stdout)
    return upper, lower


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js carries ICU, the reference")
@pytest.mark.parametrize("name", [name for name, _ in sorted(bundled_catalogue().corpora.items())])
def test_icu_writes_every_word_of_the_box_the_same(name: str) -> None:
    """Or the word stays as it is, where no way back leads from its capitals; Georgian always does."""
    entry = bundled_catalogue().corpora[name]
    language = "" if entry.language == "mul" else entry.language
    words = list(Corpus.open(name, 1000))
    # Node.js knows no Armenian rules: those of the root locale are the western ones.
    ours = "hyw" if language == "hy" else language
    kept = 0
    for word, upper, lower in zip(words, *_written_by_node(words, language or "und"), strict=True):
        capitals = cased(word, "upper", ours)
        if capitals != upper:
            kept += 1
            assert capitals == word, f"{word}: {capitals} instead of {upper}"
            assert language == "ka" or upper.lower() != word
        if cased(word, "lower", ours) != lower:
            assert cased(word, "lower", ours) == word, word
    assert kept == (len(words) if language == "ka" else 0)
