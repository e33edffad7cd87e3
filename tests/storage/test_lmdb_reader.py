"""The reader: sequences, workers, foreign sets, and every way a folder can be no data set."""

import multiprocessing
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import lmdb
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
        good = reader[1].label == "word2" and LmdbReader.open(reader.path)[0].label == "word1"
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


def test_a_count_is_bounded_by_what_is_there(write_raw: Write, sample: Make) -> None:
    image = {b"image-000000001": sample(1).image}
    for value, found in (
        (b"1000000000", "1000000000"),
        (b"3", "3"),
        (b"9" * 5000, "a number of 5000 digits"),
    ):
        folder = write_raw({b"num-samples": value} | image, name=f"count{len(value)}")
        message = rf"'num-samples' is {found}, but there are only 2 keys in all\. Store the number of images"
        with pytest.raises(DatasetError, match=message):
            LmdbReader.open(folder)
    for number, value in enumerate(
        (b"-5", b"1e3", b"", b"\x02\x00", b"\xb2", "٣".encode(), b"2.0", b"x" * 90)
    ):
        folder = write_raw({b"num-samples": value} | image, name=f"none{number}")
        with pytest.raises(DatasetError, match=r"'num-samples' must be a number, found b'.{0,48}\.$"):
            LmdbReader.open(folder)


def test_images_beyond_the_count_are_known(write_raw: Write) -> None:
    entries = {b"image-%09d" % number: b"x" for number in (1, 2, 3, 1000000000)}
    folder = write_raw({b"num-samples": b"1", b"image-other": b"x", b"label-000000002": b"x"} | entries)
    with LmdbReader.open(folder) as reader:
        assert reader.images_beyond() == [b"image-000000002", b"image-000000003", b"image-1000000000"]


def test_an_lmdb_without_a_count_says_what_it_is(write_raw: Write, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has no 'num-samples': it holds 2 images, but does not say so"):
        LmdbReader.open(write_raw({b"image-000000000": b"x", b"image-000000001": b"x"}))
    with lmdb.open(str(tmp_path / "nested"), max_dbs=9) as environment:
        for name in (b"train", b"val\xff\x1b"):
            inner = environment.open_db(name)
            with environment.begin(write=True, db=inner) as transaction:
                transaction.put(b"num-samples", b"1")
    with pytest.raises(DatasetError, match=r"it holds nested databases \(train, val\\xff\\x1b\), which no"):
        LmdbReader.open(tmp_path / "nested")


def test_lmdbs_of_other_kinds_are_told(sample: Make, write_set: Write) -> None:
    data_file = write_set(sample(1)) / "data.mdb"
    data = bytearray(data_file.read_bytes())
    data[92] = data[4096 + 92] = 4  # MDB_DUPSORT, which the Python package sets on no main database
    data_file.write_bytes(data)
    with pytest.raises(DatasetError, match=r"is an LMDB of another kind: its keys may repeat.*flags 0x04"):
        LmdbReader.open(data_file.parent)
    for number in range(0, 4096, 4):
        data[number : number + 4] = data[number : number + 4][::-1]
    data_file.write_bytes(data)
    with pytest.raises(DatasetError, match=r"was written on a machine of the other byte order"):
        LmdbReader.open(data_file.parent)
    data[12:16] = (0xBEEFC0DE).to_bytes(4, "little")
    data[16:20] = bytes(4)
    data_file.write_bytes(data)
    with pytest.raises(DatasetError, match=r"was written on a machine of 32 bits"):
        LmdbReader.open(data_file.parent)


def test_a_single_file_is_read(sample: Make, write_set: Write, tmp_path: Path) -> None:
    shutil.move(write_set(sample(1), sample(2)) / "data.mdb", tmp_path / "one.mdb")
    with LmdbReader.open(tmp_path / "one.mdb") as reader:
        assert reader.data_file == reader.path == tmp_path / "one.mdb"
        assert reader[1] == sample(2)
    with pytest.raises(DatasetError, match=r"it holds no data\.mdb, but one\.mdb\. Give that file\."):
        LmdbReader.open(tmp_path)


@pytest.mark.parametrize(
    ("meta", "reason"),
    [
        (b"[" * 100_000, "is not JSON: nested too deeply"),
        (b"\xff", "is not JSON"),
        (b"3", "must be a JSON object"),
    ],
)
def test_metadata_of_any_kind_is_told(meta: bytes, reason: str, write_raw: Write, sample: Make) -> None:
    entries = {b"num-samples": b"1", b"image-000000001": sample(1).image, b"meta-000000001": meta}
    with pytest.raises(DatasetError, match=f"'meta-000000001' {reason}"):
        LmdbReader.open(write_raw(entries))[0]


@pytest.mark.parametrize(
    "size", [b"9" * 5000 + b"_3", b"-1_3", b"3", b"_", b"\xb2_\xb3", b"3_4_5", b"1" * 8 + b"_4"]
)
def test_a_size_that_is_none_is_measured(size: bytes, write_raw: Write, sample: Make) -> None:
    entries = {b"num-samples": b"1", b"image-000000001": sample(1).image, b"wh-000000001": size}
    one = LmdbReader.open(write_raw(entries))[0]
    assert (one.width_px, one.height_px) == (41, 32)


def test_a_replaced_file_is_another(sample: Make, write_set: Write) -> None:
    folder = write_set(sample(1))
    old = LmdbReader.open(folder)
    os.replace(write_set(sample(2), sample(3), name="new") / "data.mdb", folder / "data.mdb")
    new = LmdbReader.open(folder)
    assert (len(old), old[0]) == (1, sample(1))
    assert (len(new), new[1]) == (2, sample(3))


def test_a_file_that_is_cut_while_it_is_open_is_told(sample: Make, write_set: Write) -> None:
    folder = write_set(*(sample(number) for number in range(1, 30)))
    size = (folder / "data.mdb").stat().st_size
    reader = LmdbReader.open(folder)
    reader[0]
    keys = reader.all_keys()
    next(keys)
    os.truncate(folder / "data.mdb", 5000)
    message = rf"data\.mdb was cut while it was open: it has 5000 bytes of {size}\."
    with pytest.raises(DatasetError, match=message):
        next(keys)
    for read in (lambda: reader[20], lambda: list(reader.all_keys()), lambda: LmdbReader.open(folder)):
        with pytest.raises(DatasetError, match=message):
            read()
    del keys  # it holds the file open
    reader.close()
    with pytest.raises(DatasetError, match="is truncated: it has 5000 bytes"):
        reader[20]


def test_a_file_that_is_spoiled_while_it_is_open_is_told(sample: Make, write_set: Write) -> None:
    folder = write_set(*(sample(number) for number in range(1, 30)))
    reader = LmdbReader.open(folder)
    reader[0]
    with (folder / "data.mdb").open("r+b") as file:
        for page in range(2, os.fstat(file.fileno()).st_size // 4096):
            file.seek(4096 * page + 8)
            file.write(b"\xff" * 8)
    os.utime(folder / "data.mdb", (1, 1))
    with pytest.raises(DatasetError, match=r"is damaged: its page \d+ has a damaged head"):
        reader[20]


def test_what_one_process_checked_its_workers_do_not(sample: Make, write_set: Write) -> None:
    reader = LmdbReader.open(write_set(sample(1)))
    packed = pickle.dumps(reader)
    reader.close()
    again = pickle.loads(packed)
    assert again[0] == sample(1)
    assert again._environment.found is None
