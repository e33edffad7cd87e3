"""Patterns that users write, and files of them."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.errors import CorpusError
from siman_synth.text.mixture import CorpusMixture, TextConfig
from siman_synth.text.pattern_file import PatternFile, Weighted, patterns_text, read_patterns
from siman_synth.text.templates import LONGEST, Template, TemplateError, literal, one_of


@pytest.mark.parametrize(
    "source",
    [
        "[0-9]{1,3}\\.[0-9]{2}",
        "(RM|USD|) ?[1-9][0-9]?",
        "[A-Z]{2}-\\d{4}(/[a-c])?",
        "((ab|c){1,2}x|[\\]\\-^]?y)",
        "[0-3][0-9]/[01][0-9]/20[0-9]{2}",
        "é[à-ç]",
    ],
)
def test_a_template_makes_what_the_regular_expression_matches(source: str) -> None:
    template, rng = Template.parse(source.replace("[\\]\\-^]", "[\\]\\-\\^]")), np.random.default_rng(0)
    texts = [template.draw(rng) for _ in range(500)]
    assert all(re.fullmatch(source, text) for text in texts)
    assert len(set(texts)) >= 3
    assert set("".join(texts)) <= template.characters()
    assert min(map(len, texts)) >= template.shortest


def test_every_character_of_a_template_comes_up() -> None:
    template, rng = Template.parse("[ab]?(c|[d-f]{0,2})z"), np.random.default_rng(0)
    assert set("".join(template.draw(rng) for _ in range(500))) == set("abcdefz") == template.characters()
    assert template.shortest == 1


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=30))
def test_a_literal_makes_its_text(text: str) -> None:
    assert Template.parse(literal(text)).draw(np.random.default_rng(0)) == text


@given(st.sets(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12))
def test_one_of_makes_each_of_its_characters(characters: set[str]) -> None:
    assert Template.parse(one_of(sorted(characters))).characters() == characters


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", f"it makes up to 0 characters; 1 to {LONGEST} are possible"),
        ("a{201}", f"it makes up to 201 characters; 1 to {LONGEST} are possible"),
        ("((((a{99}){99}){99}){99})", f"it makes up to 96059601 characters; 1 to {LONGEST} are possible"),
        (" ", "it makes spaces alone"),
        ("a)", "')' without '(' at character 2"),
        ("(a", "'(' without ')' at character 3"),
        ("[a", "'[' without ']' at character 3"),
        ("[]", "'[]' at character 3"),
        ("[^a]", "'^' (write \\^ for the character itself; there is no 'all but') at character 2"),
        ("[z-a]", "'z-a', which is no range of up to 1000 characters, at character 5"),
        ("a*", "'*' (write \\* for the character itself) at character 2"),
        ("a{x}", "no numbers, such as {2} or {1,4}, at character 3"),
        ("a{4,1}", "{4,1}, the larger number first, at character 3"),
        ("\\w", "'\\w', which means nothing here, at character 2"),
        ("a\\", "the end, where a character is missing, at character 3"),
        ("a\u200bb", "U+200B, which cannot be seen, at character 2"),
        ("(" * 30, "more than 16 '(' inside each other at character 18"),
    ],
)
def test_what_cannot_be_understood_is_told(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(source)
    assert str(caught.value) == message


def test_a_file_of_patterns_is_a_corpus_with_weights(tmp_path: Path) -> None:
    path = tmp_path / "mine.patterns"
    path.write_text("# amounts and codes\n3\t[0-9]{2}\\.[0-9]{2}\n\n1\tNo\\. [0-9]\nX\n", encoding="utf-8")
    mixture, rng = CorpusMixture.open(f"{path}:2"), np.random.default_rng(0)
    texts = [mixture.draw(rng) for _ in range(2000)]
    assert {one.corpus for one in texts} == {"mine.patterns"}
    kinds = Counter("X" if text == "X" else text[:2] == "No" for text in (one.text for one in texts))
    assert kinds[False] / 2000 == pytest.approx(0.6, abs=0.04)
    assert kinds[True] / 2000 == pytest.approx(0.2, abs=0.04)
    assert mixture.characters() == set("0123456789.No X")
    path.write_text("X\n", encoding="utf-8")
    assert CorpusMixture.open(str(path)).fingerprint() != mixture.fingerprint()


def test_long_patterns_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "mine.patterns"
    path.write_text("[0-9]{30}\n[0-9]{1,8}\n", encoding="utf-8")
    mixture, rng = CorpusMixture.open(str(path), TextConfig(max_length=5)), np.random.default_rng(0)
    assert {len(mixture.draw(rng).text) for _ in range(300)} == {1, 2, 3, 4, 5}
    assert dict(mixture.skipped.counts) == {"pattern never as short as 5 characters": 1}
    with pytest.raises(CorpusError) as caught:
        PatternFile.open(path, 0)
    assert (
        str(caught.value)
        == f"No pattern of {path} makes a text of at most 0 characters. Raise text.max_length."
    )


def test_patterns_that_are_written_are_read_again() -> None:
    patterns = [
        Weighted(Template.parse(source), weight) for source, weight in (("a#[0-9]", 2.0), ("\\#", 0.5))
    ]
    text = patterns_text(patterns, "Two\npatterns")
    assert text == "# Two\n# patterns\n2\ta#[0-9]\n0.5\t\\#\n"
    assert read_patterns(text, "here") == patterns


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# nothing\n", "{path} holds no pattern. Give one a line, such as [0-9]{{1,3}}.[0-9]{{2}}."),
        (
            "ok\nx\ty\n",
            "{path}, line 2: before the tab stands the weight, a number above 0, up to 1e+09, found 'x'.",
        ),
        (
            "-1\ty\n",
            "{path}, line 1: before the tab stands the weight, a number above 0, up to 1e+09, found '-1'.",
        ),
        (
            "1e308\ty\n",
            "{path}, line 1: before the tab stands the weight, a number above 0, up to 1e+09, found '1e308'.",
        ),
        ("a\n[b\n", "{path}, line 2: '[b' cannot be understood: '[' without ']' at character 3."),
        (b"\xff", "Patterns {path} are not UTF-8: byte offset 0. Save them as UTF-8."),
    ],
)
def test_damaged_files_are_told(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "mine.patterns"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(CorpusError) as caught:
        CorpusMixture.open(str(path))
    assert str(caught.value) == message.format(path=path)
