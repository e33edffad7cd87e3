"""The reader: sequences, workers, foreign sets, and every way a folder can be no data set."""

import multiprocessing
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from siman_synth.errors import DatasetError
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter

Make = Callable[..., Sample]
Write = Callable[..., Path]


def read_label(reader: LmdbReader) -> str | None:
    return reader[1].label


def test_it_is_a_sequence(sample: Make, write_set: Write) -> None:
    reader = LmdbReader.open(write_set(sample(1), sample(2), sample(3)))
    assert len(reader) == 3
    assert reader[0] == sample(1)
    assert reader[-1] == sample(3)
    assert [one.label for one in reader] == ["word1", "word2", "word3"]
    for index in (3, -4):
        with pytest.raises(IndexError, match="holds 3 samples"):
            reader[index]


def test_several_readers_share_a_folder(sample: Make, write_set: Write) -> None:
    folder = write_set(sample(1))
    first, second = LmdbReader.open(folder), LmdbReader.open(str(folder))
    first.close()
    assert second[0] == first[0] == sample(1)


def test_a_pickled_reader_reads(
    sample: Make, write_set: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_set(sample(1), sample(2))
    monkeypatch.chdir(tmp_path)
    reader = LmdbReader.open("words")
    packed = pickle.dumps(reader)
    monkeypatch.chdir("/")
    assert len(packed) < 1000
    assert pickle.loads(packed)[1] == sample(2)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read(method: str, sample: Make, write_set: Write) -> None:
    reader = LmdbReader.open(write_set(sample(1), sample(2)))
    assert reader[1].label == "word2"
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert pool.map(read_label, [reader, reader]) == ["word2", "word2"]


def test_a_child_that_inherits_an_open_reader_reads(sample: Make, write_set: Write) -> None:
    reader = LmdbReader.open(write_set(sample(1), sample(2)))
    process = os.fork()
    if process == 0:
        good = reader[1].label == "word2" and LmdbReader.open(reader.folder)[0].label == "word1"
        os._exit(0 if good else 1)
    assert os.waitpid(process, 0)[1] == 0
    assert reader[0] == sample(1)


def test_a_set_of_another_tool_is_read(write_raw: Write, sample: Make) -> None:
    image = sample(4).image
    folder = write_raw({b"num-samples": b"1", b"image-000000001": image})
    assert LmdbReader.open(folder)[0] == Sample(image, None, 44, 32, None)


def test_keys_from_zero_are_read(write_raw: Write) -> None:
    entries = {b"image-%09d" % number: b"%d" % number for number in range(3)}
    reader = LmdbReader.open(write_raw({b"num-samples": b"3"} | entries))
    assert reader.first_number == 0
    assert [one.image for one in reader] == [b"0", b"1", b"2"]


def test_a_missing_key_is_named(write_raw: Write) -> None:
    folder = write_raw({b"num-samples": b"2", b"image-000000001": b"x"})
    with pytest.raises(DatasetError, match="has no 'image-000000002', though num-samples is 2"):
        LmdbReader.open(folder)[1]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (b"label-000000001", b"\xff\xfe", "'label-000000001' is not UTF-8"),
        (b"meta-000000001", b"{", "'meta-000000001' is not JSON"),
        (b"meta-000000001", b"[]", "'meta-000000001' must be a JSON object"),
    ],
)
def test_an_undecodable_value_is_named(key: bytes, value: bytes, message: str, write_raw: Write) -> None:
    folder = write_raw({b"num-samples": b"1", b"image-000000001": b"x", key: value})
    with pytest.raises(DatasetError, match=message):
        LmdbReader.open(folder)[0]


def test_lmdbs_that_are_no_data_sets_are_told(write_raw: Write) -> None:
    with pytest.raises(DatasetError, match=r"has no 'num-samples': it is an LMDB, but not of word images"):
        LmdbReader.open(write_raw({b"other": b"1"}, name="other"))
    with pytest.raises(DatasetError, match=r"'num-samples' must be a number, found b'many'"):
        LmdbReader.open(write_raw({b"num-samples": b"many"}, name="many"))


def test_folders_that_are_no_lmdbs_are_told(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"it does not exist\. Give the folder that holds data\.mdb"):
        LmdbReader.open(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"it holds no data\.mdb"):
        LmdbReader.open(tmp_path)
    data_file = tmp_path / "data.mdb"
    data_file.write_bytes(b"")
    with pytest.raises(DatasetError, match=r"data\.mdb is empty: it has 0 bytes"):
        LmdbReader.open(tmp_path)
    data_file.write_bytes(b"neither" * 3000)
    with pytest.raises(DatasetError, match=r"data\.mdb is no LMDB, or its head is damaged"):
        LmdbReader.open(tmp_path)
    with pytest.raises(DatasetError, match="it is a file, not a folder"):
        LmdbReader.open(data_file)


def test_a_truncated_file_is_told_and_not_touched(sample: Make, write_set: Write) -> None:
    data_file = write_set(*(sample(number) for number in range(1, 30))) / "data.mdb"
    size = data_file.stat().st_size
    os.truncate(data_file, size // 2)
    with pytest.raises(DatasetError, match=f"is truncated: it has {size // 2} bytes of {size}"):
        LmdbReader.open(data_file.parent)
    os.truncate(data_file, 100)
    with pytest.raises(DatasetError, match="its head is damaged"):
        LmdbReader.open(data_file.parent)


def test_a_set_that_is_being_written_is_told(tmp_path: Path) -> None:
    with (
        LmdbWriter.create(tmp_path / "words"),
        pytest.raises(DatasetError, match="is open in this process already"),
    ):
        LmdbReader.open(tmp_path / "words")
