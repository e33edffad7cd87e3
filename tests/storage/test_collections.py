"""Folders of several data sets: all are found, samples have names of their own, labels stay with images."""

from pathlib import Path

import lmdb
import pytest

from siman_synth.crops.labeled import pool_with_labels
from siman_synth.crops.pool import CropPool
from siman_synth.exports.run import export
from siman_synth.storage.inspect import inspect_dataset
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from tests.storage.conftest import encoded, make_sample


def write_words(folder: Path, labels: list[str]) -> Path:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with LmdbWriter.create(folder) as writer:
        for number, label in enumerate(labels):
            image = encoded(60, seed=sum(map(ord, label)))
            writer.write(make_sample(number, label, image=image, width_px=60))
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    write_words(tmp_path / "all" / "val", ["one", "two"])
    write_words(tmp_path / "all" / "train", ["three", "four"])
    write_words(tmp_path / "all" / "more" / "deep" / "set", ["five"])
    return tmp_path / "all"


def test_every_lmdb_of_a_tree_is_read_those_for_training_first(collection: Path) -> None:
    words = LabeledSet.open(collection)
    assert [words.label(number) for number in range(len(words))] == ["three", "four", "five", "one", "two"]
    words = LabeledSet.open(collection / "more")
    assert [sample.label for sample in words] == ["five"]


def test_parts_of_unfinished_runs_are_no_sets(collection: Path) -> None:
    for folder in ("new.run/shards", "new.crops", "runs/mine"):
        write_words(collection / folder / "000000.lmdb", ["half"])
    for folder in ("new.run", "new.crops"):
        (collection / folder / "identity.json").write_text("{}")
    (collection / "runs" / "mine" / "siman-run.json").write_text("{}")
    assert len(LabeledSet.open(collection)) == 5


def test_equal_keys_have_different_names_and_marks_mean_one_of_them(collection: Path, tmp_path: Path) -> None:
    words = LabeledSet.open(collection)
    assert [words.name(number) for number in range(len(words))] == [
        "train/image-000000001",
        "train/image-000000002",
        "more/deep/set/image-000000001",
        "val/image-000000001",
        "val/image-000000002",
    ]
    (tmp_path / "drop").write_text("train/image-000000002\n4\n")
    result = export(collection, "lmdb", tmp_path / "out", drop=tmp_path / "drop")
    kept = LmdbReader.open(tmp_path / "out" / "train")
    assert [sample.label for sample in kept] == ["three", "five", "two"]
    assert not result.unknown.total


def test_names_of_no_sample_are_told(collection: Path, tmp_path: Path) -> None:
    (tmp_path / "drop").write_text("image-000000002\n1\nnobody\n")
    result = export(collection, "lmdb", tmp_path / "out", drop=tmp_path / "drop")
    assert result.train == 4
    assert result.to_text().splitlines()[-1] == (
        "  marks: 2 names of no sample; the first sample is called 'train/image-000000001' "
        "(image-000000002, nobody)"
    )


def test_a_listing_says_in_which_part_an_image_is(collection: Path, tmp_path: Path) -> None:
    export(collection, "doctr", tmp_path / "out", validation=2)
    words = LabeledSet.open(tmp_path / "out")
    assert {words.name(number).split("/")[0] for number in range(len(words))} == {"train", "val"}


def test_crops_with_labels_may_lie_in_several_lmdbs(collection: Path) -> None:
    pool, words = pool_with_labels(collection)
    assert words is not None
    assert [pool.name(number) for number in range(len(pool))] == [words.name(n) for n in range(len(words))]
    assert [pool.read(number) for number in range(len(pool))] == [words.image(n) for n in range(len(words))]


def test_images_are_not_given_the_labels_of_an_lmdb_beside_them(tmp_path: Path) -> None:
    write_words(tmp_path / "crops" / "set", ["one", "two"])
    for name in ("a", "b"):
        (tmp_path / "crops" / f"{name}.png").write_bytes(encoded(60, seed=ord(name)))
    pool, words = pool_with_labels(tmp_path / "crops")
    assert [pool.name(number) for number in range(len(pool))] == ["a.png", "b.png"]
    assert words is None


def test_a_set_of_empty_labels_can_be_looked_at(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path / "set")) as environment, environment.begin(write=True) as transaction:
        for key, value in (
            (b"image-000000001", encoded(60)),
            (b"label-000000001", b""),
            (b"num-samples", b"1"),
        ):
            transaction.put(key, value)
    text = inspect_dataset(LabeledSet.open(tmp_path / "set")).to_text()
    assert "1 samples, 1 labeled" in text
    assert "characters" not in text


@pytest.mark.parametrize("suffix", [".mdb", ".lmdb"])
def test_an_lmdb_of_one_file_lends_crops(tmp_path: Path, suffix: str) -> None:
    write_words(tmp_path / "set", ["one", "two"])
    (tmp_path / "set" / "data.mdb").rename(tmp_path / f"single{suffix}")
    assert len(CropPool.open(tmp_path / f"single{suffix}")) == 2
