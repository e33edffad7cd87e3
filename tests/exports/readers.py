"""Each layout read as its users read it: by their library, or by what their trainer's code does."""

import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

Words = list[tuple[bytes, str]]
"""Encoded images and labels, in the order of reading."""


def pixels(data: bytes) -> tuple[tuple[int, int], bytes]:
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return image.size, image.tobytes()


def paddleocr(out: Path, split: str) -> Words:
    """`SimpleDataSet.get_image_info_list` and `__getitem__`, with `data_dir` the export's folder."""
    words = []
    with (out / f"rec_gt_{split}.txt").open("rb") as file:
        for line in file.readlines():
            parts = line.decode("utf-8").strip("\n").split("\t")
            words.append((Path(os.path.join(out, parts[0])).read_bytes(), parts[1]))
    return words


def imagefolder(out: Path, split: str) -> Words:
    return [
        (row["image"]["bytes"], row["text"]) for row in _hugging_face("imagefolder", split, data_dir=str(out))
    ]


def parquet(out: Path, split: str) -> Words:
    return [
        (row["image"]["bytes"], row["text"])
        for row in _hugging_face("parquet", split, data_dir=str(out / "data"))
    ]


def _hugging_face(kind: str, split: str, **where: str) -> Iterator[dict[str, Any]]:
    import datasets

    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(kind, split={"train": "train", "val": "validation"}[split], **where)
    assert isinstance(loaded.features["image"], datasets.Image)
    for row in loaded.cast_column("image", datasets.Image(decode=False)):
        if row["image"]["bytes"] is None:
            row["image"]["bytes"] = Path(row["image"]["path"]).read_bytes()
        yield row


def webdataset(out: Path, split: str) -> Words:
    import webdataset

    shards = sorted(map(str, (out / split).glob("*.tar")))
    words = []
    for sample in webdataset.WebDataset(shards, shardshuffle=False):
        image = sample.get("jpg", sample.get("png"))
        words.append((image, sample["txt"].decode("utf-8")))
    return words


def doctr(out: Path, split: str) -> Words:
    """`RecognitionDataset(img_folder=…/images, labels_path=…/labels.json)`."""
    labels = json.loads((out / split / "labels.json").read_text(encoding="utf-8"))
    return [((out / split / "images" / name).read_bytes(), label) for name, label in labels.items()]


def easyocr(out: Path, split: str) -> Words:
    """`hierarchical_dataset` and `OCRDataset`."""
    import pandas

    words = []
    for folder, folders, _ in sorted(os.walk(out / split)):
        if not folders:
            table = pandas.read_csv(
                os.path.join(folder, "labels.csv"), usecols=["filename", "words"], keep_default_na=False
            )
            for row in range(len(table)):
                image = Path(folder, table.at[row, "filename"]).read_bytes()
                words.append((image, table.at[row, "words"]))
    return words


def kraken(out: Path, split: str) -> Words:
    """A manifest of paths; ground truth is the name up to its first dot, with `.gt.txt`."""
    words = []
    for line in (out / f"{split}.txt").read_text(encoding="utf-8").splitlines():
        image = out / line
        truth = image.with_name(image.name.partition(".")[0] + ".gt.txt")
        words.append((image.read_bytes(), truth.read_text(encoding="utf-8").strip("\n\r")))
    return words


def tesstrain(out: Path, split: str) -> Words:
    """`find … -name '*.gt.txt'`, then the image of the same stem; one line of text."""
    words = []
    for truth in sorted((out / f"{split}-ground-truth").rglob("*.gt.txt")):
        lines = truth.read_text(encoding="utf-8").strip().split("\n")
        assert len(lines) == 1
        words.append((Path(str(truth).replace(".gt.txt", ".png")).read_bytes(), lines[0]))
    return words


def mmocr(out: Path, split: str) -> Words:
    document = json.loads((out / f"textrecog_{split}.json").read_text(encoding="utf-8"))
    assert document["metainfo"] == {"dataset_type": "TextRecogDataset", "task_name": "textrecog"}
    return [
        ((out / entry["img_path"]).read_bytes(), entry["instances"][0]["text"])
        for entry in document["data_list"]
    ]


def lmdb(out: Path, split: str) -> Words:
    import lmdb as library

    with library.open(str(out / split), readonly=True, lock=False).begin() as read:
        total = int(bytes(read.get(b"num-samples") or b""))
        images = [bytes(read.get(b"image-%09d" % number) or b"") for number in range(1, total + 1)]
        labels = [bytes(read.get(b"label-%09d" % number) or b"") for number in range(1, total + 1)]
    return [(image, label.decode("utf-8")) for image, label in zip(images, labels, strict=True)]


READERS: dict[str, Callable[[Path, str], Words]] = {
    reader.__name__: reader
    for reader in (
        paddleocr,
        imagefolder,
        parquet,
        webdataset,
        doctr,
        easyocr,
        kraken,
        tesstrain,
        mmocr,
        lmdb,
    )
}
