"""The LMDB layout that text recognizers share: key names, one sample, and what a label may hold.

Every reader of the CRNN lineage expects `num-samples` and, counted from 1,
`image-%09d` (the encoded file) and `label-%09d` (UTF-8). OpenOCR also reads
`wh-%09d` ("<width>_<height>"). `meta-%09d` (JSON) and `machine-%09d` (a machine's reading)
are ours; readers skip them.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from siman_synth.escaping import storable_document

FIRST_INDEX = 1
COUNT_KEY = b"num-samples"
RUN_KEY = b"siman-synth"
"""Under it a generated set says how it was made, as JSON. Trainers ask for keys by name and never see it."""
DATA_FILE = "data.mdb"
LOCK_FILE = "lock.mdb"

# No image has a side of more digits, and Python reads no number of thousands.
_SIZE = re.compile(rb"(\d{1,7})_(\d{1,7})")

# Control characters, surrogates, and the line and paragraph separators: none can be drawn, and
# a line of a ground-truth file would break at most of them.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Sample:
    """One word image as it lies in the LMDB: the encoded file, its label and its size.

    `label` is None in an unlabeled set. `meta` is whatever JSON was stored beside it. `machine` is what a
    machine read in it, which is no label.
    """

    image: bytes
    label: str | None
    width_px: int
    height_px: int
    meta: Mapping[str, Any] | None = None
    machine: str | None = None


def image_key(number: int) -> bytes:
    """Return the key of image `number`, counted from 1."""
    return b"image-%09d" % number


def label_key(number: int) -> bytes:
    """Return the key of label `number`, counted from 1."""
    return b"label-%09d" % number


def size_key(number: int) -> bytes:
    """Return the key of the size of image `number`, counted from 1."""
    return b"wh-%09d" % number


def meta_key(number: int) -> bytes:
    """Return the key of the JSON beside image `number`, counted from 1."""
    return b"meta-%09d" % number


def machine_key(number: int) -> bytes:
    """Return the key of a machine's reading of image `number`, counted from 1."""
    return b"machine-%09d" % number


def sample_entries(number: int, sample: Sample) -> Iterator[tuple[bytes, bytes]]:
    """Yield every key and value that stores `sample` as number `number`."""
    yield image_key(number), sample.image
    if sample.label is not None:
        yield label_key(number), sample.label.encode("utf-8")
    if sample.machine is not None:
        yield machine_key(number), sample.machine.encode("utf-8")
    yield size_key(number), b"%d_%d" % (sample.width_px, sample.height_px)
    if sample.meta is not None:
        # Sorted keys and fixed separators: equal metadata, equal bytes.
        text = json.dumps(sample.meta, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        yield meta_key(number), storable_document(text).encode("utf-8")


def parse_size(value: bytes | None) -> tuple[int, int] | None:
    """Return (width, height) from the value of a `wh-` key, or None if it holds no size."""
    found = _SIZE.fullmatch(value or b"")
    return (int(found[1]), int(found[2])) if found else None


def label_problem(label: str) -> str | None:
    """Return what keeps `label` from being stored, as the end of a sentence, or None."""
    if not label:
        return "is empty"
    for position, character in enumerate(label):
        if unicodedata.category(character) in _REFUSED_CATEGORIES:
            return f"holds U+{ord(character):04X}, which breaks lines or is a control, at position {position}"
    if not unicodedata.is_normalized("NFC", label):
        return "is not in Unicode normal form C"
    return None
