"""Numbers about a data set, and its contact sheet."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siman_synth.errors import DatasetError
from siman_synth.imaging.contact_sheet import contact_sheet
from siman_synth.storage.dataset_sheet import chosen_indices, dataset_sheet
from siman_synth.storage.inspect import inspect_dataset
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_reader import LmdbReader

Make = Callable[..., Sample]
Write = Callable[..., Path]


def test_everything_is_counted(sample: Make, write_set: Write) -> None:
    folder = write_set(sample(1, "abba"), sample(2, "Zoë"), sample(6, "x y"))
    summary = inspect_dataset(LmdbReader.open(folder))
    assert (summary.samples, summary.labeled) == (3, 3)
    assert summary.label_lengths == {4: 1, 3: 2}
    assert summary.characters == {"a": 2, "b": 2, "Z": 1, "o": 1, "ë": 1, "x": 1, " ": 1, "y": 1}
    assert summary.fonts == {"font0": 1, "font1": 1, "font2": 1}
    assert summary.styles == {"0": 2, "1": 1}
    assert summary.layouts == {"straight": 3}
    assert (summary.widths_px.least, summary.widths_px.median, summary.widths_px.greatest) == (41, 42, 46)
    assert summary.heights_px.greatest == 32
    assert summary.aspects.least == pytest.approx(41 / 32)
    assert summary.formats == {"PNG": 3}
    text = summary.to_text()
    assert text.startswith(f"{folder}: 3 samples, 3 labeled\n")
    assert "U+0020" in text
    assert "2 styles: 0 2, 1 1" in text


def test_unlabeled_and_empty_sets(write_set: Write, sample: Make) -> None:
    bare = inspect_dataset(LmdbReader.open(write_set(sample(1, meta=None), name="one")))
    assert "fonts" not in bare.to_text()
    unlabeled = write_set(Sample(sample(1).image, None, 41, 32), name="unlabeled")
    assert "1 samples, 0 labeled" in inspect_dataset(LmdbReader.open(unlabeled)).to_text()
    assert "0 samples" in inspect_dataset(LmdbReader.open(write_set(name="empty"))).to_text()


def test_what_is_odd_is_remarked(write_raw: Write, sample: Make) -> None:
    meta = {"font": "x\x1b" * 9999, "style": [[[]]], "layout": {"kind": 3}}
    entries = {
        b"num-samples": b"2",
        **{b"image-%09d" % number: sample(number).image for number in (0, 1, 3)},
        b"label-000000000": b"a\x1b",
        b"meta-000000000": json.dumps(meta).encode(),
        b"image-000000001": b"",
    }
    text = inspect_dataset(LmdbReader.open(write_raw(entries))).to_text()
    assert "remark: 1 keys count from 0 where every trainer counts from 1 (image-000000000)" in text
    assert "remark: 1 images beyond num-samples (2), which nobody reads (image-000000003)" in text
    assert "remark: 1 images without a size (image-000000001)" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) < 600


def test_many_lengths_of_labels_share_a_row(write_set: Write, sample: Make) -> None:
    folder = write_set(*(sample(number, "x" * number) for number in range(1, 101)))
    lines = inspect_dataset(LmdbReader.open(folder)).to_text().splitlines()
    assert len(lines) < 60
    assert any(line.strip().startswith("41+  60") for line in lines)


def test_a_sheet_flows_in_rows() -> None:
    blue = (0, 60, 200)
    images = [np.full((32, width, 3), blue, np.uint8) for width in (300, 200, 300, 20, 2000)]
    sheet = contact_sheet(images, ["a", "b", "c", "a long caption", "e"], width_px=600, row_height_px=32)
    pixels = np.asarray(sheet)
    assert sheet.width == 600
    blue_rows = (pixels == blue).all(axis=2).any(axis=1)
    starts = np.flatnonzero(blue_rows & ~np.roll(blue_rows, 1))
    assert len(starts) == 3
    assert pixels[0, 0].min() > 240
    one_a_row = contact_sheet(images, width_px=600, row_height_px=32, columns=1)
    assert one_a_row.height > sheet.height
    assert contact_sheet([]).size[0] == 1200


def test_gray_images_and_strange_captions_are_drawn() -> None:
    images = [np.full((20, 60), 128, np.uint8)] * 3
    captions = ["Straße", "漢字", "x" * 400]
    assert contact_sheet(images, captions, width_px=300).width == 300
    captions = [os.fsdecode(b"caf\xe9"), "a\nb\x1b\u202e", "x" * 10_000_000]
    assert contact_sheet(images, captions, width_px=300).width == 300
    with pytest.raises(ValueError, match="3 images need as many captions, found 1"):
        contact_sheet(images, ["a"])


def test_samples_are_spread_or_random() -> None:
    assert chosen_indices(100, 4) == [12, 37, 62, 87]
    assert chosen_indices(3, 10) == [0, 1, 2]
    assert chosen_indices(0, 10) == []
    assert chosen_indices(100, 4, seed=1) == chosen_indices(100, 4, seed=1) != chosen_indices(100, 4, seed=2)


def test_the_sheet_of_a_set(sample: Make, write_set: Write, tmp_path: Path) -> None:
    reader = LmdbReader.open(write_set(*(sample(number) for number in range(1, 8))))
    sheet = dataset_sheet(reader, count=5, seed=0, width_px=500)
    sheet.save(tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size == sheet.size
    broken = LmdbReader.open(write_set(sample(1, image=b"not an image"), name="broken"))
    with pytest.raises(DatasetError, match="'image-000000001' cannot be decoded"):
        dataset_sheet(broken)
