"""The writer: what it accepts, what it leaves behind, and that equal samples give equal bytes."""

import hashlib
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siman_synth.errors import OutputError
from siman_synth.storage.lmdb_format import Sample, label_problem
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter

Make = Callable[..., Sample]
Write = Callable[..., Path]

LABELS = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda text: label_problem(text) is None)
)


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / "data.mdb").read_bytes()).hexdigest()


@settings(max_examples=40, deadline=None)
@given(st.lists(LABELS, min_size=1, max_size=8))
def test_any_normal_unicode_label_round_trips(labels: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with LmdbWriter.create(Path(folder) / "words", chunk=3) as writer:
            for label in labels:
                writer.write(Sample(b"image", label, 9, 8))
        with LmdbReader.open(Path(folder) / "words") as reader:
            assert [sample.label for sample in reader] == labels


def test_every_field_round_trips(sample: Make, write_set: Write) -> None:
    samples = [sample(number) for number in range(1, 12)]
    reader = LmdbReader.open(write_set(*samples, chunk=4))
    assert list(reader) == samples
    assert sorted(reader.all_keys())[-12] == b"num-samples"
    assert reader.raw(b"wh-000000003") == b"43_32"


def test_a_folder_holds_only_the_lmdb(sample: Make, write_set: Write) -> None:
    folder = write_set(sample(1))
    assert sorted(path.name for path in folder.iterdir()) == ["data.mdb", "lock.mdb"]


def test_equal_samples_give_equal_bytes_however_the_map_grew(sample: Make, write_set: Write) -> None:
    samples = [sample(number, image=bytes([number % 251]) * 20_000) for number in range(1, 400)]
    folders = [
        write_set(*samples, name=f"from{map_bytes}", chunk=50, map_bytes=map_bytes)
        for map_bytes in (1 << 15, 1 << 20, 1 << 23)
    ]
    assert len({digest(folder) for folder in folders}) == 1
    assert (folders[0] / "data.mdb").stat().st_size > 5 << 20
    assert list(LmdbReader.open(folders[0])) == samples


def test_the_map_grows_within_one_chunk_without_loss(sample: Make, write_set: Write) -> None:
    samples = [sample(number, image=bytes([number]) * 100_000) for number in range(1, 60)]
    folder = write_set(*samples, chunk=1000, map_bytes=1 << 16)
    assert list(LmdbReader.open(folder)) == samples


def test_metadata_is_stored_in_one_way(sample: Make, write_set: Write) -> None:
    one = write_set(sample(1, meta={"a": 1, "b": "é"}), name="one")
    two = write_set(sample(1, meta={"b": "é", "a": 1}), name="two")
    assert LmdbReader.open(one).raw(b"meta-000000001") == '{"a":1,"b":"é"}'.encode()
    assert digest(one) == digest(two)


def test_an_exception_keeps_whole_chunks_only(sample: Make, tmp_path: Path) -> None:
    def write_and_stop() -> None:
        with LmdbWriter.create(tmp_path / "words", chunk=4) as writer:
            for number in range(1, 11):
                writer.write(sample(number))
            assert (len(writer), writer.committed) == (10, 8)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()
    reader = LmdbReader.open(tmp_path / "words")
    assert list(reader) == [sample(number) for number in range(1, 9)]
    assert not reader.has(b"image-000000009")


def test_a_new_set_is_valid_before_its_first_chunk(tmp_path: Path) -> None:
    LmdbWriter.create(tmp_path / "words").abort()
    assert len(LmdbReader.open(tmp_path / "words")) == 0


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("", "is empty"),
        ("a\tb", "holds U+0009"),
        ("a\nb", "holds U+000A"),
        ("a\u2028b", "holds U+2028"),
        ("\x7f", "holds U+007F"),
        ("\ud800", "holds U+D800"),
        ("e\u0301", "is not in Unicode normal form C"),
    ],
)
def test_labels_that_readers_would_trip_over_are_refused(
    label: str, reason: str, sample: Make, tmp_path: Path
) -> None:
    with LmdbWriter.create(tmp_path / "words") as writer:
        writer.write(sample(1))
        with pytest.raises(OutputError, match=f"of sample 2 {reason}".replace("+", r"\+")):
            writer.write(sample(2, label))
        writer.write(sample(3))
    assert [one.label for one in LmdbReader.open(tmp_path / "words")] == ["word1", "word3"]


def test_images_without_bytes_or_size_are_refused(sample: Make, tmp_path: Path) -> None:
    with LmdbWriter.create(tmp_path / "words") as writer:
        with pytest.raises(OutputError, match=r"Sample 1 has no image bytes\."):
            writer.write(sample(1, image=b""))
        with pytest.raises(OutputError, match="Sample 1 is 0 x 32 px"):
            writer.write(sample(1, width_px=0))
    with pytest.raises(OutputError, match="is closed"):
        writer.write(sample(1))


def test_labels_are_for_all_or_for_none(sample: Make, tmp_path: Path) -> None:
    bare = Sample(b"image", None, 9, 8)
    with LmdbWriter.create(tmp_path / "labeled") as writer:
        writer.write(sample(1))
        with pytest.raises(OutputError, match="Sample 2 must have a label"):
            writer.write(bare)
    with LmdbWriter.create(tmp_path / "bare") as writer:
        writer.write(bare)
        with pytest.raises(OutputError, match="Sample 2 must have no label"):
            writer.write(sample(2))
    assert LmdbReader.open(tmp_path / "bare")[0] == bare


def test_an_existing_set_is_replaced_only_when_told(sample: Make, write_set: Write) -> None:
    folder = write_set(sample(1), sample(2))
    with pytest.raises(OutputError) as caught:
        LmdbWriter.create(folder)
    assert str(caught.value) == (
        f"{folder} already holds a data set of 2 samples. Choose another output folder, or "
        "overwrite this one."
    )
    assert len(LmdbReader.open(folder)) == 2
    assert list(LmdbReader.open(write_set(sample(5), overwrite=True))) == [sample(5)]


def test_a_damaged_set_counts_as_existing(tmp_path: Path) -> None:
    (tmp_path / "data.mdb").write_bytes(b"what is this?")
    with pytest.raises(OutputError, match=r"holds a data\.mdb that cannot be read as a data set"):
        LmdbWriter.create(tmp_path)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("precious")
    (tmp_path / "data.mdb").write_bytes(b"old")
    with pytest.raises(OutputError, match=r"holds other files \(thesis\.tex\)"):
        LmdbWriter.create(tmp_path, overwrite=True)
    assert (tmp_path / "data.mdb").read_bytes() == b"old"
    (tmp_path / "data.mdb").unlink()
    with pytest.raises(OutputError, match=r"holds other files \(thesis\.tex\)"):
        LmdbWriter.create(tmp_path)


def test_places_that_cannot_hold_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"is a file, not a folder\. Choose another output folder\."):
        LmdbWriter.create(tmp_path / "file")
    with pytest.raises(OutputError, match=r"Cannot write to .*Not a directory\. Nothing was committed"):
        LmdbWriter.create(tmp_path / "file" / "words")


def test_a_full_map_is_doubled_and_the_chunk_replayed(
    sample: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LmdbWriter, "_reserve", lambda self, environment: None)
    samples = [sample(number, image=bytes([number]) * 30_000) for number in range(1, 40)]
    with LmdbWriter.create(tmp_path / "words", chunk=16, map_bytes=1 << 16) as writer:
        for one in samples:
            writer.write(one)
    reader = LmdbReader.open(tmp_path / "words")
    assert list(reader) == samples
    assert len(list(reader.all_keys())) == 4 * len(samples) + 1
