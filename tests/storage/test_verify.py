"""Everything that can be wrong in a data set is found, counted and named."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from siman_synth.errors import DatasetError
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.trainer_rules import TRAINER_RULES, trainer_rule
from siman_synth.storage.verify import VerifyReport, verify_dataset

Make = Callable[..., Sample]
Write = Callable[..., Path]


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30 30\n%%EndComments\nshowpage\n"
"""Pillow would run Ghostscript on it."""


def huge_png() -> bytes:
    """Return the head of a picture of 16,000,000 x 5 pixels; its body is not looked at."""
    header = struct.pack(">IIBBBBB", 16_000_000, 5, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    start = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(header)) + chunk
    return start + struct.pack(">I", zlib.crc32(chunk)) + struct.pack(">I", 4) + b"IDAT" + bytes(8)


def verify(path: Path, trainer: str | None = None) -> VerifyReport:
    return verify_dataset(LmdbReader.open(path), TRAINER_RULES[trainer] if trainer else None)


def test_what_the_writer_wrote_is_sound(sample: Make, write_set: Write) -> None:
    folder = write_set(*(sample(number) for number in range(1, 6)))
    report = verify(folder)
    assert report.ok
    assert report.to_text() == f"{folder}: 5 samples, 5 labeled: sound"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({b"image-000000002": None}, "image missing"),
        ({b"image-000000002": b"\x89PNG and so on"}, "image that Pillow cannot decode"),
        ({b"image-000000002": b"\x89PNG and so on"}, "image that OpenCV cannot decode"),
        ({b"image-000000002": b""}, "image of zero bytes"),
        ({b"image-000000002": EPS}, "image that Pillow cannot decode"),
        ({b"image-000000002": huge_png()}, "image too large to decode"),
        ({b"label-000000002": None}, "label missing"),
        ({b"label-000000002": b"\xff"}, "label that is not UTF-8"),
        ({b"label-000000002": b""}, "label empty"),
        ({b"label-000000002": b"a\tb"}, "label with a control or line-breaking character"),
        ({b"wh-000000002": b"9_9"}, "wh- key that is not the image's size"),
        ({b"image-000000003": b"x"}, "image beyond num-samples (2)"),
        ({b"label-000000003": b"x"}, "label beyond num-samples (2)"),
    ],
)
def test_problems(changes: dict[bytes, bytes | None], reason: str, sample: Make, write_raw: Write) -> None:
    entries: dict[bytes, bytes | None] = {b"num-samples": b"2"}
    for number in (1, 2):
        entries[b"image-%09d" % number] = sample(number).image
        entries[b"label-%09d" % number] = b"word"
        entries[b"wh-%09d" % number] = b"%d_32" % sample(number).width_px
    folder = write_raw({key: value for key, value in (entries | changes).items() if value is not None})
    report = verify(folder)
    assert not report.ok
    assert report.problems.counts[reason] == 1
    assert f"problem: 1 {reason} (" in report.to_text()


def test_a_truncated_image_is_found(sample: Make, write_set: Write) -> None:
    whole = sample(1)
    report = verify(write_set(sample(1, image=whole.image[: len(whole.image) // 2])))
    assert "image that Pillow cannot decode" in report.problems.counts


def test_other_layouts(sample: Make, write_raw: Write) -> None:
    image = sample(1).image
    zero = {
        b"num-samples": b"1",
        b"image-000000000": image,
        b"label-000000000": b"a",
        b"size-000000000": b"1,2",
    }
    report = verify(write_raw(zero, name="zero"))
    assert "keys count from 0 where every trainer counts from 1" in report.problems.counts
    assert report.remarks.examples["key of another layout, which trainers ignore"] == ["size-000000000"]
    assert not verify(write_raw({b"num-samples": b"0"}, name="empty")).ok
    bare = verify(write_raw({b"num-samples": b"1", b"image-000000001": image}, name="bare"))
    assert bare.ok
    assert "no labels" in bare.to_text()


def test_a_single_file_is_no_data_set_of_a_trainer(sample: Make, write_set: Write) -> None:
    data_file = write_set(sample(1)) / "data.mdb"
    report = verify(data_file)
    reason = "a single file, where every trainer opens a folder that holds data.mdb"
    assert list(report.problems.counts) == [reason]
    assert report.to_text().startswith(f"{data_file}: 1 samples, 1 labeled: 1 problems\n")


def test_what_is_shown_of_labels_and_keys_is_short_and_harmless(sample: Make, write_raw: Write) -> None:
    entries = {
        b"num-samples": b"2",
        b"image-000000001": sample(1).image,
        b"image-000000002": sample(2).image,
        b"label-000000001": b"\x1b[2J" + b"x" * 1_000_000,
        b"label-000000002": "\u202e\u0301y".encode(),
        b"wh-000000001": b"\x1b[2J" * 1000,
        b"\xff\x1b[2J": b"",
    }
    text = verify(write_raw(entries), "parseq").to_text()
    assert not set("\x1b\u202e") & set(text)
    assert max(map(len, text.splitlines())) < 700
    assert "\\xff\\x1b[2J" in text


def test_what_lies_beside_the_data(sample: Make, write_set: Write) -> None:
    folder = write_set(sample(1))
    (folder / "notes.txt").write_text("")
    assert verify(folder).remarks.total == 1
    (folder / "parts").mkdir()
    assert verify(folder).problems.examples["subfolder beside data.mdb"] == ["parts"]


def test_survivors_of_a_trainer(sample: Make, write_set: Write) -> None:
    labels = ["harbour", "Harbour", "can't", "?!", "x" * 30]
    folder = write_set(*(sample(number, label) for number, label in enumerate(labels, 1)))
    report = verify(folder, "paddleocr")
    assert (report.kept, report.case_changed, report.altered.total, report.dropped.total) == (2, 1, 1, 2)
    assert report.ok
    assert report.to_text().splitlines()[1:] == [
        "paddleocr keeps 3 of 5 (60.0%)",
        "  1 with their case changed",
        "  kept with another label: 1 characters deleted (\"can't\" becomes 'cant')",
        f"  dropped: 1 longer than 25 characters ({'x' * 30!r})",
        "  dropped: 1 without a character of the trainer's set ('?!')",
    ]


def test_nothing_left_for_the_trainer_is_not_ok(sample: Make, write_set: Write) -> None:
    assert not verify(write_set(sample(1, "漢字")), "dtrb").ok


@pytest.mark.parametrize(
    ("label", "remarked"),
    [("a b", False), ("10\u00a0km", True), ("a  b", True), (" a", True), ("東\u3000京", True), ("ab", False)],
)
def test_spaces_that_no_trainer_knows(label: str, remarked: bool, sample: Make, write_raw: Write) -> None:
    one = sample(1)
    entries = {b"num-samples": b"1", b"image-000000001": one.image, b"label-000000001": label.encode()}
    report = verify(write_raw(entries))
    reason = "label with other white space than single U+0020"
    assert report.remarks.counts.get(reason, 0) == remarked
    assert report.ok


@pytest.mark.parametrize(
    ("label", "hidden"),
    [
        ("\ufeffSTOP", "U+FEFF"), ("co\u00adop", "U+00AD"), ("\u05e9\u200f", "U+200F"),
        ("a\u200bb", "U+200B"), ("a\u206ab", "U+206A"), ("\uac00\u3164", "U+3164"),
        ("می\u200cخواهم", None), ("葛\U000e0100", None), ("STOP", None),
    ],
)  # fmt: skip
def test_characters_that_no_image_shows_are_remarked(
    sample: Make, write_raw: Write, label: str, hidden: str | None
) -> None:
    one = sample(1)
    entries = {b"num-samples": b"1", b"image-000000001": one.image, b"label-000000001": label.encode()}
    report = verify(write_raw(entries))
    found = report.remarks.examples.get("label with a character that no image shows", [])
    assert [example.split(" in ")[0] for example in found] == (
        [f"label-000000001: {hidden}"] if hidden else []
    )
    assert report.ok


def test_a_trainer_of_another_script(sample: Make, write_set: Write, tmp_path: Path) -> None:
    """With its default set nothing is left, and the set is named; with the right one all is."""
    folder = write_set(*(sample(number, label=label) for number, label in enumerate(("سلام", "ماء"), 1)))
    assert verify(folder, "dtrb").to_text().splitlines()[-1] == (
        "  the character set is the reason: its 36 characters do not hold 'ا', 'م', 'ء', 'س', 'ل'. Give the "
        "trainer, and this command, the set of your script."
    )
    (tmp_path / "set.txt").write_text("س\nل\nا\nم\nء\n", encoding="utf-8")
    for name in TRAINER_RULES:
        rule = trainer_rule(name, tmp_path / "set.txt", 10)
        report = verify_dataset(LmdbReader.open(folder), rule)
        assert (report.kept, report.survive) == (2, 2), name
        assert verify_dataset(LmdbReader.open(folder), trainer_rule(name, tmp_path / "set.txt", 2)).kept == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is empty. Give"), (b"\xff", "is not UTF-8. Save"), (None, "cannot be read: No such")],
)
def test_a_character_set_that_is_none(content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "set.txt").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        trainer_rule("parseq", tmp_path / "set.txt")
