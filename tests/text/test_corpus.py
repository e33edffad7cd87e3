import hashlib
import io
import os
import re
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.errors import CorpusError
from siman_synth.text import lines as lines_module
from siman_synth.text.corpus import Corpus
from siman_synth.text.visible import length, needs_ink


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
        monkeypatch.setattr(lines_module, "_BLOCK_BYTES", size)
        parts = Corpus.open(path)
        assert list(parts) == list(whole)
        assert parts.skipped == whole.skipped
        assert parts.characters() == whole.characters()
        assert parts.watched.sha256 == whole.watched.sha256


def test_error_position_in_a_later_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_BLOCK_BYTES", 5)
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
        word = unicodedata.normalize("NFC", re.sub("[\u00ad\u200b\u2060\ufeff]", "", line))
        word = re.sub(" +", " ", "".join(" " if unicodedata.category(c) == "Zs" else c for c in word)).strip()
        bad = any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in word)
        if bad or not any(map(needs_ink, word)) or length(word) > 10:
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


# Files that no list of words is.

PeakMemory = Callable[..., tuple[int, str]]
SETUP = """
from siman_synth.errors import CorpusError
from siman_synth.text.corpus import Corpus
from siman_synth.text.visible import length, needs_ink
"""
WORK = """
try:
    corpus = Corpus.open(sys.argv[1])
    print(len(corpus), corpus[0], corpus[-1], dict(corpus.skipped.counts))
except CorpusError as error:
    print(error)
"""
LARGE = 200 << 20


@pytest.mark.parametrize("kind", ["holes", "letters", "line ends of an old Mac", "a line among words"])
def test_a_large_file_of_one_line_costs_next_to_nothing(
    kind: str, tmp_path: Path, peak_memory: PeakMemory
) -> None:
    path = tmp_path / "words.txt"
    with path.open("wb") as file:
        if kind == "holes":  # takes no room on the disk
            file.truncate(LARGE)
        elif kind == "letters":
            file.writelines([b"a" * (1 << 20)] * (LARGE >> 20))
        elif kind == "a line among words":
            file.writelines([b"first\n", *[b"a" * (1 << 20)] * (LARGE >> 20), b"\r\nlast"])
        else:
            file.writelines([b"word\r" * (1 << 18)] * 20)
    added_mb, output = peak_memory(SETUP, WORK, path)
    assert added_mb < 80  # an index of five million words takes 20, twice for a moment
    if kind == "a line among words":
        assert output == "2 first last {'longer than 25 characters': 1}"
    elif kind == "line ends of an old Mac":
        assert output == f"{20 << 18} word word {{}}"
    else:
        shown = {"holes": "\\x00", "letters": "a"}[kind] * 29
        assert output == (
            f"Corpus {path} has no usable line: 1 longer than 25 characters (line 1: '{shown}…'). "
            "Give one word a line, in UTF-8."
        )


def test_a_line_of_accents_is_not_brought_into_order(tmp_path: Path) -> None:
    # It would take minutes: the time grows with the square of the length.
    path = write(tmp_path, b"one\na" + "\u0301\u0323".encode() * 200_000 + b"\ntwo\n")
    corpus = Corpus.open(path)
    assert list(corpus) == ["one", "two"]
    assert corpus.skipped.counts == {"longer than 25 characters": 1}


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.sampled_from(["", "a", "wörd", "x" * 30, "y" * 41, "z" * 200, " edge "]), max_size=12),
    ends=st.lists(st.sampled_from(["\n", "\r", "\r\n"]), min_size=12, max_size=12),
    block=st.integers(1, 90),
    last=st.booleans(),
)
def test_long_lines_are_left_out_wherever_blocks_end(
    lines: list[str], ends: list[str], block: int, last: bool
) -> None:
    text = "".join(line + end for line, end in zip(lines, ends, strict=False))
    if not last:
        text = text.rstrip("\r\n")
    kept = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    told: list[tuple[int, bytes]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "_BLOCK_BYTES", block)
        patch.setattr(lines_module, "LONGEST_LINE_BYTES", 40)
        digest = hashlib.sha256()
        data = text.encode()
        pieces = list(lines_module.whole_lines(io.BytesIO(data), digest, lambda *what: told.append(what)))
    assert digest.digest() == hashlib.sha256(data).digest()
    read = [line for raw, _, _ in pieces for line in raw.decode().split("\n") if line.strip()]
    assert [line.strip() for line in read] == [line.strip() for line in kept if len(line.encode()) <= 40]
    assert [beginning for _, beginning in told] == [
        b"y" * 40 if line[0] == "y" else b"z" * 40 for line in kept if len(line) > 40
    ]
    numbered = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert [number for number, _ in told] == [n for n, line in enumerate(numbered, 1) if len(line) > 40]
    for raw, first_line, first_byte in pieces:
        first = raw.split(b"\n")[0].strip()
        assert data[first_byte:].startswith(raw.split(b"\n")[0].rstrip(b" "))
        assert numbered[first_line - 1].strip().encode() == first


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(CorpusError) as caught:
            Corpus.open(path)
        assert str(caught.value) == f"Corpus {path} is not a regular file. Save its words to one."


def test_a_file_that_lost_its_line_ends_while_in_use(tmp_path: Path) -> None:
    path = write(tmp_path, b"one\ntwo\n")
    corpus = Corpus.open(path)
    path.write_bytes(b"x" * 100_000)
    with pytest.raises(CorpusError, match="was changed while it was in use"):
        corpus[1]


def test_too_many_words_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("siman_synth.text.corpus._MOST_WORDS", 2)
    assert len(Corpus.open(write(tmp_path, b"a\nb\n"))) == 2
    with pytest.raises(CorpusError, match=r"has more than 2 usable lines\. Give fewer"):
        Corpus.open(write(tmp_path, b"a\nb\nc\n"))


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("10\u00a0km", "10 km"),
        ("1\u202f000", "1 000"),
        ("東京\u3000駅", "東京 駅"),
        ("two  spaces", "two spaces"),
        ("a \u2003\u00a0b", "a b"),
        ("co\u00adop", "coop"),
        ("ភាសា\u200bខ្មែរ", "ភាសាខ្មែរ"),
        ("e\u2060\u0301", "é"),
    ],
)
def test_a_label_holds_single_plain_spaces_and_this_is_counted(tmp_path: Path, line: str, word: str) -> None:
    corpus = Corpus.open(write(tmp_path, f"ok\n {line}\u00a0\nso so\n".encode()))
    assert list(corpus) == ["ok", word, "so so"]
    assert corpus.skipped.total == 0
    assert corpus.characters() == frozenset("okso " + word)
    assert corpus.respaced.counts == {"line with other white space than single U+0020": 1}
    assert corpus.respaced.examples["line with other white space than single U+0020"] == [f"line 2: {line!r}"]


def test_joiners_are_part_of_a_word(tmp_path: Path) -> None:
    word = "می\u200cخواهم"
    corpus = Corpus.open(write(tmp_path, f"{word}\nක්\u200dෂ\n".encode()))
    assert list(corpus) == [word, "ක්\u200dෂ"]
    assert corpus.respaced.total == 0


@pytest.mark.parametrize(
    "content", ['["one", "two"]', '[\n "one",\n "two"\n]\n', '{"text": "one"}\n{"text": "two"}\n']
)
def test_json_is_told_from_words(tmp_path: Path, content: str) -> None:
    path = write(tmp_path, content.encode(), "words.json")
    with pytest.raises(CorpusError) as caught:
        Corpus.open(path)
    assert str(caught.value) == f"Corpus {path} is JSON. Give a text file with one word a line, in UTF-8."


def test_words_in_brackets_are_words(tmp_path: Path) -> None:
    assert list(Corpus.open(write(tmp_path, b"[A]\n{b}\n"))) == ["[A]", "{b}"]


def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path, b"one\n")
    assert list(Corpus.open("~/words.txt")) == ["one"]
    with pytest.raises(CorpusError, match=r"^No corpus '~nobody-here/words\.txt': no such file"):
        Corpus.open("~nobody-here/words.txt")


def test_a_line_of_joiners_is_blank(tmp_path: Path) -> None:
    corpus = Corpus.open(write(tmp_path, "\u200d\none\n\u200c\ufe0f\n\u200cز\n".encode()))
    assert list(corpus) == ["one", "\u200cز"]
    assert corpus.skipped.counts == {"blank line": 2}


def test_length_is_what_a_reader_counts(tmp_path: Path) -> None:
    lines = ["हिन्दी", "x\u0302" * 3, "x\u0302" * 4, "སྒྲུབས", "abcd", "क" * 4]
    corpus = Corpus.open(write(tmp_path, "\n".join(lines).encode()), max_length=3)
    assert list(corpus) == ["हिन्दी", "x\u0302" * 3, "སྒྲུབས"]
    assert corpus.skipped.counts == {"longer than 3 characters": 3}
