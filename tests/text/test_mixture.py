from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from siman_synth.errors import CorpusError
from siman_synth.text import catalogue, corpus, mixture
from siman_synth.text.casing import CaseConfig
from siman_synth.text.joining import joined
from siman_synth.text.mixture import WORDS, CorpusMixture, TextConfig
from siman_synth.text.patterns import PATTERNS

CATALOGUE = """
[[corpus]]
name = "plain"
file = "plain.txt"
mix_case = true
weight = 3.0

[[corpus]]
name = "fixed"
file = "fixed.txt"
weight = 1.0

[[corpus]]
name = "unweighted"
file = "fixed.txt"
weight = 0

[[pattern]]
name = "prices"
weight = 1.0

[[pattern]]
name = "emails"
weight = 1.0
"""


@pytest.fixture(autouse=True)
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "corpora"
    folder.mkdir()
    (folder / "corpora.toml").write_text(CATALOGUE)
    (folder / "plain.txt").write_text("harbour\nbridge\n")
    (folder / "fixed.txt").write_text("KeepMe\n")
    monkeypatch.setattr(catalogue, "resource_folder", lambda name: folder)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("own\n")
    return folder


def draws(mixed: CorpusMixture, count: int = 2000) -> list[mixture.DrawnText]:
    rng = np.random.default_rng(3)
    return [mixed.draw(rng) for _ in range(count)]


def test_default_mixture_follows_the_weights() -> None:
    mixed = CorpusMixture.open()
    assert mixed.names == ("plain", "fixed", "prices", "emails")
    assert mixed.weights == pytest.approx((0.5, 1 / 6, 1 / 6, 1 / 6))
    counts = Counter(drawn.corpus for drawn in draws(mixed))
    assert counts["plain"] == pytest.approx(1000, rel=0.1)
    assert counts["emails"] == pytest.approx(333, rel=0.25)


def test_case_is_mixed_only_where_it_may_be() -> None:
    drawn = draws(CorpusMixture.open(["plain", "fixed", "mine.txt"], TextConfig(mix_user_case="never")))
    by_corpus = {name: {d.text for d in drawn if d.corpus == name} for name in ("plain", "fixed", "mine.txt")}
    assert by_corpus["plain"] == {"harbour", "HARBOUR", "Harbour", "bridge", "BRIDGE", "Bridge"}
    assert by_corpus["fixed"] == {"KeepMe"}
    assert by_corpus["mine.txt"] == {"own"}
    mixed = CorpusMixture.open(["mine.txt"])
    assert {d.text for d in draws(mixed)} == {"own", "OWN", "Own"}
    assert mixed.characters() == frozenset("ownOWN")


def test_weights_after_a_colon() -> None:
    mixed = CorpusMixture.open(["mine.txt:3", "prices:1", "prices:2"])
    assert mixed.names == ("mine.txt", "prices")
    assert mixed.weights == (0.5, 0.5)
    assert sum(CorpusMixture.open(["default:2", "mine.txt:2"]).weights[:4]) == pytest.approx(12 / 14)


def test_a_file_name_may_hold_a_colon(tmp_path: Path) -> None:
    (tmp_path / "a:2").write_text("colon\n")
    assert CorpusMixture.open(["a:2"]).names == ("a:2",)


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([], "No corpus given. Name a corpus, a file or 'default'."),
        (
            ["mine.txt:0"],
            "Corpus 'mine.txt:0': the weight after ':' must be above 0, up to 1e+09, found 0.",
        ),
        (
            ["mine.txt:nan"],
            "Corpus 'mine.txt:nan': the weight after ':' must be above 0, up to 1e+09, found nan.",
        ),
        (
            ["mine.txt:1e308"],
            "Corpus 'mine.txt:1e308': the weight after ':' must be above 0, up to 1e+09, found 1e308.",
        ),
    ],
)
def test_refuses_with_exact_text(specs: list[str], message: str) -> None:
    with pytest.raises(CorpusError) as caught:
        CorpusMixture.open(specs)
    assert str(caught.value) == message


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(CorpusError, match=r"^No corpus 'pricess': .* Did you mean 'prices'\?$"):
        CorpusMixture.open(["pricess"])


def test_patterns_keep_to_the_maximum_length() -> None:
    mixed = CorpusMixture.open(config=TextConfig(max_length=7))
    assert mixed.names == ("plain", "fixed", "prices")
    assert mixed.skipped.counts == {"pattern never as short as 7 characters": 1}
    assert max(len(drawn.text) for drawn in draws(mixed)) <= 7
    with pytest.raises(CorpusError, match=r"^Pattern 'emails' makes nothing of at most 7 characters\."):
        CorpusMixture.open(["emails"], TextConfig(max_length=7))


def test_draw_is_a_function_of_the_generator() -> None:
    left, right = CorpusMixture.open(), CorpusMixture.open()
    assert draws(left, 200) == draws(right, 200)


def test_fingerprint_follows_words_case_and_weights() -> None:
    base = CorpusMixture.open(["mine.txt"]).fingerprint()
    assert base == CorpusMixture.open(["mine.txt:5"]).fingerprint()
    assert base != CorpusMixture.open(["mine.txt", "prices"]).fingerprint()
    assert base != CorpusMixture.open(["mine.txt"], TextConfig(mix_user_case="never")).fingerprint()
    Path("mine.txt").write_text("other\n")
    assert base != CorpusMixture.open(["mine.txt"]).fingerprint()


def test_fingerprint_follows_what_was_kept() -> None:
    Path("mine.txt").write_text("own\nsomething longer\n")
    short, long = (CorpusMixture.open(["mine.txt"], TextConfig(max_length=n)).fingerprint() for n in (5, 25))
    assert short != long


def test_a_bundled_corpus_opens_by_name_and_a_damaged_listing_says_so(bundled: Path) -> None:
    assert list(corpus.Corpus.open("plain")) == ["harbour", "bridge"]
    catalogue.read_catalogue.cache_clear()
    (bundled / "corpora.toml").write_text("[[corpus]]\nweight = 1\n")
    with pytest.raises(CorpusError, match=r"corpora\.toml is damaged: KeyError\('name'\)\. Reinstall"):
        corpus.Corpus.open("plain")


def test_max_length_is_checked() -> None:
    with pytest.raises(ValueError, match=r"^max_length must be between 1 and 1000, found 0\.$"):
        TextConfig(max_length=0, case=CaseConfig())


def test_a_fitting_draw_keeps_the_weights_and_comes_nearer() -> None:
    mixed = CorpusMixture.open(["plain:3", "prices:1"])

    def misfit(text: str) -> float:
        return abs(len(text) - 7)

    rng = np.random.default_rng(0)
    fitting = [mixed.draw_fitting(rng, misfit, enough=0.5, draws=24) for _ in range(1000)]
    any_words = draws(mixed)
    assert Counter(drawn.corpus for drawn in fitting)["plain"] == pytest.approx(750, rel=0.1)
    assert sum(misfit(d.text) for d in fitting) / 1000 < 0.5 * sum(misfit(d.text) for d in any_words) / len(
        any_words
    )


@pytest.mark.parametrize("name", ["plain", "prices", "default"])
def test_a_file_goes_before_what_ships_under_its_name(name: str) -> None:
    Path(name).write_text("MINE\n")
    mixed = CorpusMixture.open([f"{name}:2"])
    assert {drawn.text for drawn in draws(mixed, 50)} == {"MINE"}
    Path(name).write_text("mine\n")  # Own words get mixed case by their own rule.
    assert {drawn.text for drawn in draws(CorpusMixture.open([name]), 50)} == {"mine", "Mine", "MINE"}


@pytest.mark.parametrize("spec", ["plain,fixed", '["plain", "fixed"]'])
def test_a_list_in_one_name_is_answered_with_what_is_wanted(spec: str) -> None:
    with pytest.raises(CorpusError) as caught:
        CorpusMixture.open([spec])
    known = ", ".join(sorted(["plain", "fixed", "unweighted", "default", *PATTERNS]))
    assert str(caught.value) == (
        f"No corpus '{spec}': it is neither a file nor one of {known}. "
        "It looks like a list: give each name by itself, without commas, brackets or quotes."
    )


def test_other_spaces_are_counted_over_all_files() -> None:
    Path("mine.txt").write_text("10\u00a0km\na  b\n", encoding="utf-8")
    assert CorpusMixture.open(["mine.txt", "plain"]).respaced.total == 2


def test_the_characters_of_mixed_case_are_those_that_labels_hold() -> None:
    Path("mine.txt").write_text("ß\nქ\nµ\né\nς\nş\n", encoding="utf-8")
    mixed = CorpusMixture.open(["mine.txt"])
    assert mixed.characters() == frozenset("ßSქµéÉςΣşŞ")
    assert set("".join(drawn.text for drawn in draws(mixed))) == mixed.characters()


def test_lines_of_several_words(tmp_path: Path) -> None:
    """As many words as were asked for, of the lists alone, in one letter case and parted by single spaces."""
    (tmp_path / "few.txt").write_text("anna\nbob\n", encoding="utf-8")
    config = TextConfig(words=(2, 5), max_length=5)
    mixture = CorpusMixture.open([str(tmp_path / "few.txt"), "numbers:0.5"], config)
    rng = np.random.default_rng(1)
    lines = [mixture.draw(rng).text for _ in range(400)]
    assert {len(line.split(" ")) for line in lines} >= {2, 3, 4, 5}
    assert max(len(line.split(" ")) for line in lines) <= 2 * 5  # a number may hold a space
    lists = [line for line in lines if all(word.lower() in ("anna", "bob") for word in line.split(" "))]
    assert len(lists) > 20
    assert all(line in (line.lower(), line.upper(), line.title()) for line in lists)
    assert mixture.draw_fitting(np.random.default_rng(1), len, 0, 5).text == lines[0]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["a", "b"], "a b"),
        (["出口", "厕所"], "出口厕所"),
        (["ก", "a"], "ก a"),
        (["合計", "3"], "合計 3"),
        (["서울", "역"], "서울 역"),
    ],
)
def test_spaces_stand_where_the_script_has_them(words: list[str], line: str) -> None:
    assert joined(words) == line


def test_lines_end_where_the_crop_does(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("no\nbread\nmarmalade\n", encoding="utf-8")
    config = TextConfig(words=(1, 12), fit_lines=True)
    mixture, rng = CorpusMixture.open(str(words), config), np.random.default_rng(0)
    for wanted in (4, 20, 45):
        lengths = [
            len(mixture.draw_fitting(rng, lambda text, wanted=wanted: abs(len(text) - wanted), 0, 24).text)  # type: ignore[misc]
            for _ in range(200)
        ]
        assert np.mean(lengths) == pytest.approx(wanted, abs=2.5)
        assert max(abs(length - wanted) for length in lengths) <= 8
    longest = [mixture.draw_fitting(rng, lambda text: 1 / len(text), 0, 24).text for _ in range(20)]
    assert {line.count(" ") for line in longest} == {11}


def test_lines_may_be_as_long_as_the_words_that_were_asked_for(tmp_path: Path) -> None:
    """Phrases of a file count as words then, and no label is longer; what is, is named."""
    path = tmp_path / "phrases.txt"
    path.write_text("short\n" + "a phrase " * 5 + "\n" + "x" * 90 + "\n", encoding="utf-8")
    one, several = TextConfig(max_length=20), TextConfig(max_length=20, words=(1, 4))
    assert (one.longest, several.longest) == (20, 84)
    assert list(CorpusMixture.open(str(path), one).skipped.counts) == ["longer than 20 characters"]
    mixture = CorpusMixture.open(str(path), several)
    assert mixture.skipped.counts == {"longer than 84 characters": 1}
    rng = np.random.default_rng(1)
    drawn = {mixture.draw(rng).text for _ in range(200)}
    assert max(map(len, drawn)) <= 84
    assert any("a phrase a phrase" in text.lower() for text in drawn)


def test_lists_are_of_one_kind_and_patterns_each_of_their_own(tmp_path: Path) -> None:
    own, codes = tmp_path / "menu.txt", tmp_path / "codes.patterns"
    own.write_text("Soup\nBread\n", encoding="utf-8")
    codes.write_text("AB-###\n", encoding="utf-8")
    kinds = CorpusMixture.open(["plain", str(own), "numbers", "times", str(codes)]).kinds
    assert kinds[:2] == (WORDS, WORDS)
    assert len(set(kinds)) == 4
