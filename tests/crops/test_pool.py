"""Pools: what is found where, in which order, and what is said about the rest."""

import io
import os
import pickle
import shutil
from pathlib import Path

import lmdb
import numpy as np
import pytest
from PIL import Image

from siman_synth.crops.pool import CropPool, none_usable_error
from siman_synth.errors import CropError, DatasetError
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.tally import Tally


def png(width_px: int, height_px: int = 16) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((height_px, width_px, 3), width_px, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder tree of three crops and much else."""
    root = tmp_path / "crops"
    files = {
        "b.PNG": png(40),
        "a/2.jpg": png(50),
        "a/1.png": png(60),
        "a/notes.md": b"text",
        ".hidden.png": png(9),
        ".git/x.png": png(9),
        "a/._1.png": b"junk",
    }
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def lmdb_of(folder: Path, *images: bytes) -> Path:
    with LmdbWriter.create(folder) as writer:
        for image in images:
            writer.write(Sample(image, "secret", 40, 16))
    return folder


def names(pool: CropPool) -> list[str]:
    return [pool.name(index) for index in range(len(pool))]


def test_several_are_counted_through_and_told_apart(tree: Path, tmp_path: Path) -> None:
    stored = lmdb_of(tmp_path / "other" / "crops", png(70), png(80))
    (tmp_path / "list.txt").write_text("crops/b.PNG\n")
    pool = CropPool.open([tree, stored, tmp_path / "list.txt"])
    assert names(pool) == [
        "crops/a/1.png", "crops/a/2.jpg", "crops/b.PNG",
        "crops~2/image-000000001", "crops~2/image-000000002",
        "list.txt/crops/b.PNG",
    ]  # fmt: skip
    assert [pool.decode(index).shape[1] for index in range(len(pool))] == [60, 50, 40, 70, 80, 40]
    assert pool.origin(4) == (stored, "image-000000002")
    assert pool.skipped.counts == {"not an image file": 1}
    assert pickle.loads(pickle.dumps(pool)).read(3) == png(70)
    with pytest.raises(IndexError):
        pool.name(6)


def test_a_list_of_one_is_the_same_as_the_one(tree: Path) -> None:
    assert CropPool.open([tree]).fingerprint() == CropPool.open(tree).fingerprint()
    assert names(CropPool.open((tree,))) == names(CropPool.open(tree))


def test_several_moved_elsewhere_have_the_same_fingerprint(tree: Path, tmp_path: Path) -> None:
    stored = lmdb_of(tmp_path / "more", png(70))
    before = CropPool.open([tree, stored]).fingerprint()
    shutil.copytree(tree, tmp_path / "new" / "crops")
    shutil.copytree(stored, tmp_path / "new" / "more")
    moved = [tmp_path / "new" / "crops", tmp_path / "new" / "more"]
    assert CropPool.open(moved).fingerprint() == before
    assert CropPool.open(moved[::-1]).fingerprint() != before
    (tmp_path / "new" / "crops" / "b.PNG").write_bytes(png(41))
    assert CropPool.open(moved).fingerprint() != before


def test_several_of_which_one_cannot_be_used(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(CropError, match=r"The crops .*crops/a/\.\. are given twice"):
        CropPool.open([tree, tree / "a" / ".."])
    with pytest.raises(CropError, match=r"No crops at .*none: it does not exist"):
        CropPool.open([tree, tmp_path / "none"])
    with pytest.raises(CropError, match="Crops are needed"):
        CropPool.open([])


def test_a_folder_tree(tree: Path) -> None:
    pool = CropPool.open(tree)
    assert names(pool) == ["a/1.png", "a/2.jpg", "b.PNG"]
    assert pool.read(1) == png(50)
    assert pool.decode(2).shape == (16, 40, 3)
    assert pool.skipped.counts == {"not an image file": 1}
    assert pool.skipped.examples["not an image file"] == ["a/notes.md"]


def test_links_are_followed_once(tree: Path) -> None:
    (tree / "loop").symlink_to(tree)
    other = tree.parent / "other"
    other.mkdir()
    (other / "z.png").write_bytes(png(30))
    (tree / "more").symlink_to(other)
    assert names(CropPool.open(tree)) == ["a/1.png", "a/2.jpg", "b.PNG", "more/z.png"]


def test_a_list(tree: Path) -> None:
    listed = tree / "train.txt"
    absolute = tree / "b.PNG"
    listed.write_bytes(f"\ufeffa/2.jpg\tlabel\r\n\r\nmissing.png\n{absolute}\n".encode())
    pool = CropPool.open(listed)
    assert names(pool) == ["a/2.jpg", str(absolute)]
    assert [pool.decode(index).shape[1] for index in range(2)] == [50, 40]
    assert list(pool.skipped.lines()) == ["1 missing file (missing.png)"]


def test_a_list_of_images_in_lmdbs_and_files(tree: Path, tmp_path: Path) -> None:
    stored = lmdb_of(tmp_path / "stored", png(70), png(90))
    listed = tmp_path / "styles.txt"
    lines = ("stored/image-000000002", f"{tree}/b.PNG", f"{stored}/image-000000001")
    gone = ("stored/image-000000003", "stored/label-000000001", "nowhere/image-000000001", "image-000000001")
    listed.write_text("\n".join((*lines, *gone)))
    pool = CropPool.open(listed)
    assert names(pool) == list(lines)
    assert [pool.decode(index).shape[1] for index in range(3)] == [90, 40, 70]
    assert pool.skipped.counts == {"missing file": 4}
    copy = pickle.loads(pickle.dumps(pool))
    assert copy.read(0) == png(90)
    assert copy.fingerprint() == pool.fingerprint()


def test_lmdbs_below_a_folder_are_named(tmp_path: Path) -> None:
    lmdb_of(tmp_path / "chosen" / "train", png(40))
    with pytest.raises(CropError, match=r"found 1 LMDB, which has to be named itself \(train\)\.$"):
        CropPool.open(tmp_path / "chosen")


def test_one_image(tree: Path) -> None:
    pool = CropPool.open(tree / "a" / "1.png")
    assert names(pool) == ["1.png"]
    assert pool.decode(0).shape == (16, 60, 3)


def test_an_lmdb_whose_labels_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: LmdbReader, index: int) -> str:
        raise AssertionError("labels must never be read")

    monkeypatch.setattr(LmdbReader, "label", refuse)
    folder = lmdb_of(tmp_path / "words", png(40), png(50))
    for path in (folder, folder / "data.mdb"):
        pool = CropPool.open(path)
        assert names(pool) == ["image-000000001", "image-000000002"]
        assert [crop.shape[1] for _, crop in pool.iter_decoded()] == [40, 50]


def test_bad_crops_are_counted_and_never_raised(tree: Path) -> None:
    (tree / "bad1.jpg").write_bytes(b"")
    (tree / "bad2.jpg").write_bytes(png(40)[:60])
    (tree / "bad3.png").write_bytes(b"<html>")
    (tree / "tall.png").write_bytes(png(10, 40))
    tally = Tally()
    usable = list(CropPool.open(tree).iter_decoded(min_aspect=3, tally=tally))
    assert [(index, crop.shape) for index, crop in usable] == [(0, (16, 60, 3)), (1, (16, 50, 3))]
    assert tally.counts == {
        "narrower than 3 heights": 2,
        "not an image": 1,
        "truncated": 1,
        "zero bytes": 1,
    }
    assert len(list(CropPool.open(tree).iter_decoded())) == 4


def test_a_crop_that_vanished(tree: Path) -> None:
    pool = CropPool.open(tree)
    (tree / "b.PNG").unlink()
    with pytest.raises(CropError, match=r"Cannot read b\.PNG: No such file") as caught:
        pool.decode(2)
    assert caught.value.reason == "unreadable"
    assert len(list(pool.iter_decoded())) == 2


def test_pools_travel_to_workers(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = lmdb_of(tmp_path / "words", *[png(40)] * 50)
    monkeypatch.chdir(tmp_path)
    pools = [CropPool.open(tree.relative_to(tmp_path)), CropPool.open(folder.relative_to(tmp_path))]
    pools[1].decode(0)
    packed = pickle.dumps(pools)
    assert len(packed) < 3000
    monkeypatch.chdir("/")
    assert [pool.decode(0).shape for pool in pickle.loads(packed)] == [(16, 60, 3), (16, 40, 3)]


def test_fingerprints_survive_copies_and_see_changes(tree: Path, tmp_path: Path) -> None:
    first = CropPool.open(tree).fingerprint()
    copy = Path(shutil.copytree(tree, tmp_path / "copy"))
    assert CropPool.open(copy).fingerprint() == first
    (copy / "b.PNG").write_bytes(png(40) + b"more")
    assert CropPool.open(copy).fingerprint() != first
    one = CropPool.open(lmdb_of(tmp_path / "one", png(40), png(50))).fingerprint()
    assert CropPool.open(lmdb_of(tmp_path / "same", png(40), png(50))).fingerprint() == one
    assert CropPool.open(lmdb_of(tmp_path / "two", png(40), png(51))).fingerprint() != one


def test_empty_pools_say_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(CropError, match=r"No crops at .*: it does not exist"):
        CropPool.open(tmp_path / "nowhere")
    (tmp_path / "readme.md").write_text("")
    with pytest.raises(CropError, match=r"subfolders for images .* found 1 not an image file") as caught:
        CropPool.open(tmp_path)
    assert caught.value.reason == "empty"
    with pytest.raises(CropError, match="neither a folder, an image"):
        CropPool.open(tmp_path / "readme.md")
    (tmp_path / "list.txt").write_text("gone.png\n")
    with pytest.raises(CropError, match=r"a path a line, .* found 1 missing file \(gone\.png\)"):
        CropPool.open(tmp_path / "list.txt")
    with pytest.raises(CropError, match="its num-samples is 0"):
        CropPool.open(lmdb_of(tmp_path / "empty"))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "data.mdb").write_bytes(b"junk" * 5000)
    with pytest.raises(DatasetError, match="is no LMDB"):
        CropPool.open(tmp_path / "broken")


def test_none_usable_says_how_many_failed_and_why() -> None:
    tally = Tally()
    tally.add("truncated", "a.jpg", count=3)
    tally.add("zero bytes", "b.jpg")
    error = none_usable_error(tally, "crops")
    assert str(error) == (
        "None of the 4 crops in crops can be used: 3 truncated (a.jpg, …); 1 zero bytes (b.jpg). "
        "Give crops that are images of one word each, wider than high."
    )
    assert error.reason == "none usable"


def test_images_that_num_samples_leaves_out_are_counted(tmp_path: Path) -> None:
    folder = lmdb_of(tmp_path / "words", *[png(40)] * 5)
    with lmdb.open(str(folder)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"2")
    pool = CropPool.open(folder)
    assert len(pool) == 2
    assert list(pool.skipped.lines()) == [
        "3 image beyond num-samples (2) (image-000000003, image-000000004, image-000000005)"
    ]
    del pool
    with lmdb.open(str(folder)) as environment, environment.begin(write=True) as transaction:
        transaction.put(b"num-samples", b"0")
    with pytest.raises(CropError, match=r"its num-samples is 0; found 5 image beyond num-samples \(0\)"):
        CropPool.open(folder)


def test_an_lmdb_of_one_file_is_a_pool(tmp_path: Path) -> None:
    (lmdb_of(tmp_path / "words", png(40), png(50)) / "data.mdb").rename(tmp_path / "one.mdb")
    pool = CropPool.open(tmp_path / "one.mdb")
    assert [pool.decode(index).shape[1] for index in range(len(pool))] == [40, 50]


def test_names_of_any_bytes_are_found(tmp_path: Path) -> None:
    names = [os.fsdecode(b"caf\xe9\x1b.png"), "line\n.png"]
    for name in names:
        (tmp_path / name).write_bytes(png(40))
    (tmp_path / os.fsdecode(b"\xe9.doc")).touch()
    pool = CropPool.open(tmp_path)
    assert [pool.name(index) for index in range(2)] == names
    assert pool.decode(0).shape[1] == pool.decode(1).shape[1] == 40
    assert list(pool.skipped.lines()) == ["1 not an image file (\\xe9.doc)"]
    assert len(pool.fingerprint()) == 16


def test_a_photo_of_a_telephone_is_skipped_with_advice(tmp_path: Path) -> None:
    (tmp_path / "IMG_1.HEIC").write_bytes(b"\0\0\0\x24ftypheic" + bytes(40))
    with pytest.raises(
        CropError, match="found 1 picture of a format that is not read, to be saved as PNG or"
    ):
        CropPool.open(tmp_path)
