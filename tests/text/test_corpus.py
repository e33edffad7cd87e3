import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.errors import CorpusError
from siman_synth.text import corpus as corpus_module
from siman_synth.text.corpus import Corpus


def write(folder: Path, content: bytes, name: str = "words.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_reads_words_in_order(tmp_path: Path) -> None:
    corpus = Corpus.open(write(tmp_path, b"one\ntwo words\nthree"))
    assert list(corpus) == ["one", "two words", "three"]
    assert len(corpus) == 3
    assert corpus[-1] == "three"
    assert corpus.skipped.total == 0
    assert corpus.characters() == frozenset("onetwo wordsthree")
    with pytest.raises(IndexError, match="has 3 words, no number 3"):
        corpus[3]


@pytest.mark.parametrize(
    ("content", "words", "counts"),
    [
        (b"\xef\xbb\xbfone\r\ntwo\r\n", ["one", "two"], {}),
        (b"one\rtwo", ["one", "two"], {}),
        (b"\n\none\n   \n\t\ntwo\n\n", ["one", "two"], {"blank line": 5}),
        (b"  one \ntwo\t\n", ["one", "two"], {}),
        (b"one\t12\ntwo\na\x00b\n", ["two"], {"control character or tab in a line": 2}),
        (b"short\nmuch too long\n", ["short"], {"longer than 8 characters": 1}),
        ("cafe\u0301\n".encode(), ["caf\u00e9"], {}),
        # Eight characters after NFC, sixteen before.
        (("e\u0301" * 8 + "\n" + "e\u0301" * 9).encode(), ["\u00e9" * 8], {"longer than 8 characters": 1}),
        ("one\u2028two\n\u00a0three\u3000\n".encode(), ["three"], {"control character or tab in a line": 1}),
        ("日本語\n".encode(), ["日本語"], {}),
    ],
)
def test_cleans_lines(tmp_path: Path, content: bytes, words: list[str], counts: dict[str, int]) -> None:
    corpus = Corpus.open(write(tmp_path, content), max_length=8)
    assert list(corpus) == words
    assert corpus.skipped.counts == counts


def test_examples_name_lines_of_the_file(tmp_path: Path) -> None:
    corpus = Corpus.open(write(tmp_path, b"\na\tb\n\nok\n" + b"x" * 40), max_length=25)
    assert corpus.skipped.examples == {
        "control character or tab in a line": ["line 2: 'a\\tb'"],
        "blank line": [],
        "longer than 25 characters": [f"line 5: '{'x' * 29}…'"],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no usable line: the file is empty. Give one word a line, in UTF-8."),
        (b"\n\n", "has no usable line: 2 blank line. Give one word a line, in UTF-8."),
        (
            b"one\ncaf\xe9\n",
            "is not UTF-8: byte 0xe9 in line 2, at byte offset 7. Save it as UTF-8.",
        ),
        (
            "\ufeffone\n".encode("utf-16-le"),
            "is not UTF-8: byte 0xff in line 1, at byte offset 0. It looks like UTF-16; save it as UTF-8.",
        ),
        (
            b"\xef\xbb\xbfone\n\xff",
            "is not UTF-8: byte 0xff in line 2, at byte offset 7. Save it as UTF-8.",
        ),
    ],
)
def test_refuses_with_exact_text(tmp_path: Path, content: bytes, message: str) -> None:
    path = write(tmp_path, content)
    with pytest.raises(CorpusError) as caught:
        Corpus.open(path)
    assert str(caught.value) == f"Corpus {path} {message}"


def test_refuses_a_folder_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"is a folder\. Give a text file with one word a line\.$"):
        Corpus.open(tmp_path)
    with pytest.raises(
        CorpusError, match=r"^No corpus 'nowhere\.txt': no such file, and the bundled ones are"
    ):
        Corpus.open("nowhere.txt")


def test_blocks_do_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["wörd", "plain", "", "x\ty", "日本", " edge ", "long " * 10, "last"] * 5
    path = write(tmp_path, "\r\n".join(lines).encode())
    whole = Corpus.open(path)
    for size in (1, 7, 64):
        monkeypatch.setattr(corpus_module, "_BLOCK_BYTES", size)
        parts = Corpus.open(path)
        assert list(parts) == list(whole)
        assert parts.skipped == whole.skipped
        assert parts.characters() == whole.characters()
        assert parts.sha256 == whole.sha256


def test_error_position_in_a_later_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_module, "_BLOCK_BYTES", 5)
    with pytest.raises(CorpusError, match="byte 0xfe in line 4, at byte offset 15"):
        Corpus.open(write(tmp_path, b"one\ntwo\nthree\nf\xfe\n"))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=8))
def test_any_line_survives_in_nfc_or_is_counted(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder), "\n".join([*lines, "sentinel"]).encode())
        corpus = Corpus.open(path, max_length=10)
    # What the reader promises, written line by line.
    text = "\n".join([*lines, "sentinel"])
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    expected, skipped = [], 0
    for line in text.split("\n"):
        word = unicodedata.normalize("NFC", line).strip()
        bad = any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in word)
        if bad or not 1 <= len(word) <= 10:
            skipped += 1
        else:
            expected.append(word)
    assert list(corpus) == expected
    assert corpus.skipped.total == skipped


def test_draws_every_word_and_repeats(tmp_path: Path) -> None:
    corpus = Corpus.open(write(tmp_path, b"a\nb\nc\n"))
    drawn = [corpus.draw(np.random.default_rng(seed)) for seed in range(60)]
    assert set(drawn) == {"a", "b", "c"}
    assert drawn == [corpus.draw(np.random.default_rng(seed)) for seed in range(60)]
