"""Each layout read as its users read it: by their library, or by what their trainer's code does."""

import io
import json
import os
import re
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
    """docTR 8a88fea: `references/recognition/train.py` takes `images` and `labels.json` of `--train_path`;
    `doctr/datasets/recognition.py`, `RecognitionDataset`, wants every file there, and
    `doctr/datasets/datasets/pytorch.py`, `_read_sample`, a string; `references/recognition/README.md`: no
    spaces.
    """
    with open(os.path.join(out, split, "labels.json"), encoding="utf-8") as file:
        labels = json.load(file)
    words = []
    for name, label in labels.items():
        path = os.path.join(out, split, "images", name)
        assert os.path.exists(path)
        assert isinstance(label, str)
        assert not any(map(str.isspace, label))
        words.append((Path(path).read_bytes(), label))
    return words


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
    """kraken 67df280: `kraken/ketos/util.py`, `_validate_manifests`, passes over what is no file, seen from
    the working directory; `kraken/lib/util.py`, `parse_gt_path`, opens the name without any suffix, with
    `.gt.txt`, and refuses an empty one; `kraken/lib/functional_im_transforms.py`,
    `text_whitespace_normalize`: any white space is a space, none at the ends.
    """
    words = []
    with open(out / f"{split}.txt", encoding="utf-8") as manifest:
        entries = [line.rstrip("\r\n") for line in manifest]
    for entry in entries:
        image = out / entry
        assert not os.path.isabs(entry)
        assert image.is_file()
        stem = Path(entry)
        while stem.suffixes:
            stem = stem.with_suffix("")
        text = (out / f"{stem}.gt.txt").read_text(encoding="utf-8").strip("\n\r")
        text = re.sub(r"\s", " ", text).strip()
        assert text
        words.append((image.read_bytes(), text))
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
    """MMEngine 2543429 (its `mmengine/dataset/base_dataset.py`, `load_data_list`, `parse_data_info`) wants an
    object with `metainfo` and `data_list`, and `img_path` of each below `data_root`. MMOCR 966296f:
    `mmocr/datasets/transforms/loading.py`, `_load_texts`, takes the text of each instance;
    `mmocr/datasets/transforms/formatting.py`, `PackTextRecogInputs`, asserts that there is one;
    `mmocr/models/common/dictionary/dictionary.py`, `Dictionary`, reads a character a line, each once, and
    `str2idx` stops at a character that is not there, the space among them.
    """
    document = json.loads((out / f"textrecog_{split}.json").read_text(encoding="utf-8"))
    assert {"metainfo", "data_list"} <= document.keys()
    with open(out / "dict.txt", encoding="utf-8") as file:
        characters = [line.strip("\r\n") for line in file]
    assert all(len(character) == 1 for character in characters)
    assert len(set(characters)) == len(characters)
    words = []
    for entry in document["data_list"]:
        texts = [instance["text"] for instance in entry["instances"]]
        assert len(texts) == 1
        assert set(texts[0]) <= set(characters)
        words.append((Path(os.path.join(out, entry["img_path"])).read_bytes(), texts[0]))
    return words


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
