"""Five recognizers' data loaders, written anew from their conventions, read what LmdbWriter wrote.

The readers below share no code with `siman_synth.storage`: each opens, filters and decodes as
its project does (keys from 1, `num-samples`, label filters, Pillow or OpenCV), so a mistake
in our own reader cannot hide one in our writer. Whole loaders, down to how they find folders.
"""

import glob
import io
import os
import re
import string
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pytest
from PIL import Image

from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.storage.trainer_rules import TRAINER_RULES
from siman_synth.storage.verify import verify_dataset

LABELS = [
    *("harbour", "Harbour", "WE'RE", "Café", "two words", "$10.99", "漢字", "½", "?!", "naïve"),
    *("x" * 24, "y" * 25, "z" * 26, "!" + "w" * 25, "é" * 26, "a^b", "İstanbul", "v" * 40),
]
ALPHANUMERICS = "0123456789abcdefghijklmnopqrstuvwxyz"
MAX_LENGTH = 25

Read = list[tuple[str, tuple[int, int]]]


def pillow_size(data: bytes, mode: str) -> tuple[int, int]:
    return Image.open(io.BytesIO(data)).convert(mode).size


def opencv_size(data: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(data, dtype="uint8"), 1)
    assert image is not None
    return image.shape[1], image.shape[0]


def leaf_folders(root: str) -> Iterator[str]:
    for folder, subfolders, _ in os.walk(root + "/"):
        if not subfolders:
            yield folder


def dtrb(root: str) -> Read:
    result: Read = []
    for folder in leaf_folders(root):
        env = lmdb.open(folder, max_readers=32, readonly=True, lock=False, readahead=False, meminit=False)
        with env.begin(write=False) as txn:
            for index in range(1, int(txn.get(b"num-samples")) + 1):
                label = txn.get(b"label-%09d" % index).decode("utf-8")
                if len(label) > MAX_LENGTH or re.search(f"[^{ALPHANUMERICS}]", label.lower()):
                    continue
                size = pillow_size(txn.get(b"image-%09d" % index), "L")
                result.append((re.sub(f"[^{ALPHANUMERICS}]", "", label.lower()), size))
        env.close()
    return result


def parseq(root: str) -> Read:
    charset = string.digits + string.ascii_letters + string.punctuation
    result: Read = []
    for data_file in glob.glob(root + "/**/data.mdb", recursive=True):
        env = lmdb.open(
            os.path.dirname(data_file),
            max_readers=1,
            readonly=True,
            create=False,
            readahead=False,
            meminit=False,
            lock=False,
        )
        with env.begin() as txn:
            for index in range(1, int(txn.get(b"num-samples")) + 1):
                label = "".join(txn.get(f"label-{index:09d}".encode()).decode().split())
                label = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
                if len(label) > MAX_LENGTH:
                    continue
                label = "".join(c for c in label if c in charset)
                if label:
                    result.append((label, pillow_size(txn.get(f"image-{index:09d}".encode()), "RGB")))
        env.close()
    return result


def encode_openocr(text: str) -> str | None:
    kept = [c for c in text.lower() if c in ALPHANUMERICS]
    return "".join(kept) if 0 < len(kept) <= MAX_LENGTH else None


def encode_paddleocr(text: str) -> str | None:
    if not 0 < len(text) <= MAX_LENGTH:
        return None
    return "".join(c for c in text.lower() if c in ALPHANUMERICS) or None


def openocr_or_paddleocr(root: str, encode: Callable[[str], str | None]) -> Read:
    result: Read = []
    for folder in leaf_folders(root):
        env = lmdb.open(folder, max_readers=32, readonly=True, lock=False, readahead=False, meminit=False)
        txn = env.begin(write=False)
        for index in range(1, int(txn.get(b"num-samples")) + 1):
            data = txn.get(b"image-%09d" % index)
            # OpenOCR's ratio sampler takes the size from here and never looks again.
            width, height = txn.get(b"wh-%09d" % index).decode("utf-8").split("_")
            assert (int(width), int(height)) == opencv_size(data)
            text = encode(txn.get(b"label-%09d" % index).decode("utf-8"))
            if text is not None:
                result.append((text, opencv_size(data)))
        env.close()
    return result


def mmocr(root: str) -> Read:
    dictionary = string.digits + string.ascii_letters + "!\"#$%&'()*+,-./:;<=>?@[\\]_`~"
    result: Read = []
    env = lmdb.open(root, max_readers=1, readonly=True, lock=False, readahead=False, meminit=False)
    with env.begin(write=False) as txn:
        for index in range(1, int(txn.get(b"num-samples").decode("utf-8")) + 1):
            text = txn.get(f"label-{index:09d}".encode()).decode("utf-8")
            tokens = ["<start>", *(c if c in dictionary else "\ufffd" for c in text), "<end>"]
            target = [token for token in tokens[:MAX_LENGTH] if len(token) == 1]
            size = opencv_size(txn.get(f"image-{index:09d}".encode()))
            result.append(("".join(target), size))
    env.close()
    return result


# What is handed over: a root above the set, except for MMOCR, which takes the set itself.
READERS: dict[str, Callable[[Path], Read]] = {
    "dtrb": lambda folder: dtrb(str(folder.parent)),
    "parseq": lambda folder: parseq(str(folder.parent)),
    "openocr": lambda folder: openocr_or_paddleocr(str(folder.parent), encode_openocr),
    "paddleocr": lambda folder: openocr_or_paddleocr(str(folder.parent), encode_paddleocr),
    "mmocr": lambda folder: mmocr(str(folder)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a data set as JPEG and PNG files, written in several transactions, with metadata."""
    path = tmp_path / "root" / "train"
    with LmdbWriter.create(path, chunk=4) as writer:
        for number, label in enumerate(LABELS, 1):
            width_px = 30 + number
            pixels = np.full((32, width_px, 3), number * 9, np.uint8)
            buffer = io.BytesIO()
            Image.fromarray(pixels).save(buffer, "JPEG" if number % 2 else "PNG")
            writer.write(
                Sample(buffer.getvalue(), label, width_px, 32, {"font": "f", "boxes": [[0, 0, 9, 9]]})
            )
    return path


@pytest.mark.parametrize("name", sorted(READERS))
def test_a_reader_reads_what_we_say_it_reads(name: str, folder: Path) -> None:
    found = READERS[name](folder)
    outcomes = [TRAINER_RULES[name].read(label) for label in LABELS]
    wanted = [
        (outcome.text, (30 + number, 32))
        for number, outcome in enumerate(outcomes, 1)
        if outcome.text is not None
    ]
    assert found == wanted
    report = verify_dataset(LmdbReader.open(folder), TRAINER_RULES[name])
    assert report.ok
    assert report.survive == len(found)


@pytest.mark.parametrize("name", sorted(READERS))
def test_plain_words_survive_everywhere(name: str, tmp_path: Path) -> None:
    image = io.BytesIO()
    Image.new("RGB", (64, 32)).save(image, "JPEG")
    words = ["harbour", "lantern", "42"]
    with LmdbWriter.create(tmp_path / "root" / "train") as writer:
        for word in words:
            writer.write(Sample(image.getvalue(), word, 64, 32))
    assert READERS[name](tmp_path / "root" / "train") == [(word, (64, 32)) for word in words]


def test_exact_labels_come_back_where_nothing_is_filtered(folder: Path) -> None:
    env = lmdb.open(str(folder), readonly=True, lock=False)
    with env.begin() as txn:
        assert txn.get(b"num-samples") == str(len(LABELS)).encode()
        stored = [txn.get(b"label-%09d" % number) for number in range(1, len(LABELS) + 1)]
        assert txn.get(b"image-%09d" % (len(LABELS) + 1)) is None
        assert txn.get(b"image-000000000") is None
    env.close()
    assert stored == [unicodedata.normalize("NFC", label).encode("utf-8") for label in LABELS]
