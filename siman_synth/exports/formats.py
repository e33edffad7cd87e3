"""What each trainer's layout is made of. Why each is as it is: docs/formats.md."""

import csv
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from siman_synth.errors import OutputError
from siman_synth.escaping import storable_document
from siman_synth.exports.ready import Ready
from siman_synth.extras import require
from siman_synth.storage.lmdb_format import Sample, label_problem
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter

_BOX_KEYS = ("boxes", "font", "style")
"""What goes along of a sample's metadata where there is room."""


@dataclass(frozen=True, slots=True)
class Part:
    """Successive samples of one split, written at once: a folder of images, or a shard."""

    split: str
    """`train` or `val`."""
    number: int
    total: int
    """How many parts its split has."""


class Format(Protocol):
    """How samples are laid out below a folder, the tree."""

    name: str
    part_size: int
    dictionary: bool
    """Whether the trainer wants a file with every character of the labels."""
    lists_space: bool
    """Whether the space is in that file, too; PaddleOCR hears of it by a setting."""
    takes_unlabeled: bool
    """Whether a set without labels can be stored."""
    suffixes: tuple[str, ...]
    """Image formats that may be stored as they are."""

    def problem(self, label: str) -> str | None:
        """Return why a label cannot be in this layout, or None."""
        ...

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        """Write the samples of a part; `listing` is a file for its lines of what `finish` joins."""
        ...

    def finish(self, tree: Path, split: str, listings: Sequence[Path]) -> None:
        """Join what all parts of a split listed."""
        ...

    def places(self, tree: Path, split: str) -> list[Path]:
        """Return what `LabeledSet.open` opens, one after the other, to read a split."""
        ...


class _Images:
    """Images as files, and one listing a split."""

    part_size = 1000
    dictionary = False
    lists_space = False
    takes_unlabeled = False
    suffixes: tuple[str, ...] = ("jpg", "png")
    header, between, footer = "", "", ""

    def problem(self, label: str) -> str | None:
        """Refuse what no line can hold."""
        found = label_problem(label)
        return None if found is None or found.endswith("form C") else f"label {found.split(',')[0]}"

    def folder(self, part: Part) -> str:
        """Return where the images of a part lie below the tree."""
        return f"{part.split}/{part.number:06d}"

    def listing(self, split: str) -> str | None:
        """Return the path of a split's listing below the tree."""
        return None

    def line(self, folder: str, sample: Ready) -> str:
        """Return what the listing says of a sample."""
        raise NotImplementedError

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        folder = _new(tree / self.folder(part))
        with listing.open("w", encoding="utf-8", newline="") as lines:
            for number, sample in enumerate(samples):
                (folder / sample.file).write_bytes(sample.image)
                lines.write((self.between if number else "") + self.line(self.folder(part), sample))

    def finish(self, tree: Path, split: str, listings: Sequence[Path]) -> None:
        name = self.listing(split)
        if name is None:
            return
        with (tree / name).open("w", encoding="utf-8", newline="") as joined:
            joined.write(self.header)
            between = ""
            for listing in listings:
                # One of which no sample could be written says nothing.
                if text := listing.read_text(encoding="utf-8"):
                    joined.write(between + text)
                    between = self.between
            joined.write(self.footer)

    def places(self, tree: Path, split: str) -> list[Path]:
        """Return the listing, or the folder of the split."""
        return [tree / (self.listing(split) or split)]


class Paddleocr(_Images):
    """PaddleOCR's SimpleDataSet: `rec_gt_train.txt`, `rec_gt_val.txt`, `path<TAB>label`."""

    name = "paddleocr"
    dictionary = True

    def listing(self, split: str) -> str:
        return f"rec_gt_{split}.txt"

    def line(self, folder: str, sample: Ready) -> str:
        return f"{folder}/{sample.file}\t{sample.label}\n"


class Imagefolder(_Images):
    """Hugging Face's image folder: `train/metadata.jsonl`, `validation/metadata.jsonl`."""

    name = "imagefolder"

    def folder(self, part: Part) -> str:
        return f"{_HUGGING_FACE[part.split]}/{part.number:06d}"

    def listing(self, split: str) -> str:
        return f"{_HUGGING_FACE[split]}/metadata.jsonl"

    def line(self, folder: str, sample: Ready) -> str:
        values: dict[str, Any] = {
            "file_name": f"{folder.partition('/')[2]}/{sample.file}",
            "text": sample.label,
        }
        return _json(values | _extras(sample)) + "\n"


class Doctr(_Images):
    """docTR: `train/labels.json` and `train/images/`. Its vocabularies have no space."""

    name = "doctr"
    header, between, footer = "{\n", ",\n", "\n}\n"

    def problem(self, label: str) -> str | None:
        return super().problem(label) or (
            "label with a space, which docTR cannot read" if any(map(str.isspace, label)) else None
        )

    def folder(self, part: Part) -> str:
        return f"{part.split}/images/{part.number:06d}"

    def listing(self, split: str) -> str:
        return f"{split}/labels.json"

    def line(self, folder: str, sample: Ready) -> str:
        return f"{_json(f'{folder[-6:]}/{sample.file}')}: {_json(sample.label)}"


class Mmocr(_Images):
    """MMOCR 1.x: `textrecog_train.json`, `textrecog_val.json`, paths relative to them."""

    name = "mmocr"
    dictionary = True
    lists_space = True
    header = '{"metainfo": {"dataset_type": "TextRecogDataset", "task_name": "textrecog"},\n "data_list": [\n'
    between, footer = ",\n", "\n]}\n"

    def listing(self, split: str) -> str:
        return f"textrecog_{split}.json"

    def line(self, folder: str, sample: Ready) -> str:
        return _json({"img_path": f"{folder}/{sample.file}", "instances": [{"text": sample.label}]})


class Easyocr(_Images):
    """EasyOCR's trainer: `labels.csv` in each folder that has no folder in it."""

    name = "easyocr"
    part_size = 10_000

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        folder = _new(tree / self.folder(part))
        numbers, empty = True, True
        with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("filename", "words"))
            for sample in samples:
                (folder / sample.file).write_bytes(sample.image)
                rows.writerow((sample.file, sample.label))
                numbers, empty = numbers and _is_number(sample.label), False
        if empty:
            shutil.rmtree(folder)
        elif numbers:
            # pandas makes numbers of such a column, and the trainer then asks a number for its length.
            raise OutputError(
                f"All labels of {self.folder(part)} are numbers, and EasyOCR stops at such a set. Put words "
                "among them, or choose another layout."
            )
        listing.touch()


class _PairFiles(_Images):
    suffixes: tuple[str, ...] = ("png",)

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        def with_texts() -> Iterator[Ready]:
            folder = tree / self.folder(part)
            for sample in samples:
                (folder / f"{sample.number:09d}.gt.txt").write_text(
                    sample.label + "\n", encoding="utf-8", newline=""
                )
                yield sample

        super().write(tree, listing, part, with_texts())

    def problem(self, label: str) -> str | None:
        return super().problem(label) or (
            "label that begins or ends with a space, which is cut off" if label != label.strip() else None
        )


class Kraken(_PairFiles):
    """Kraken: `x.png` and `x.gt.txt`, and a manifest a split: `train.txt`, `val.txt`."""

    name = "kraken"

    def listing(self, split: str) -> str:
        return f"{split}.txt"

    def line(self, folder: str, sample: Ready) -> str:
        return f"{folder}/{sample.file}\n"


class Tesstrain(_PairFiles):
    """tesstrain: `train-ground-truth/` with `x.png` and `x.gt.txt`; it takes no JPEG."""

    name = "tesstrain"

    def folder(self, part: Part) -> str:
        return f"{part.split}-ground-truth/{part.number:06d}"

    def line(self, folder: str, sample: Ready) -> str:
        return ""

    def places(self, tree: Path, split: str) -> list[Path]:
        # One part at a time, whose names are few; a part of which nothing could be written is empty.
        parts = sorted((tree / f"{split}-ground-truth").iterdir())
        return [part for part in parts if any(part.iterdir())]


class _Shards:
    part_size = 10_000
    dictionary = False
    lists_space = False
    takes_unlabeled = False
    suffixes: tuple[str, ...] = ("jpg", "png")

    def problem(self, label: str) -> str | None:
        return _Images().problem(label)

    def finish(self, tree: Path, split: str, listings: Sequence[Path]) -> None:
        """Nothing is to be joined: a part is a shard."""


class Webdataset(_Shards):
    """WebDataset: `train/shard-000000.tar` with `key.jpg`, `key.txt` and, for boxes, `key.json`."""

    name = "webdataset"

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        folder = tree / part.split
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(folder / f"shard-{part.number:06d}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for sample in samples:
                key = f"{sample.number:09d}"
                _add(tar, f"{key}.{sample.suffix}", sample.image)
                _add(tar, f"{key}.txt", sample.label.encode("utf-8"))
                if extras := _extras(sample):
                    _add(tar, f"{key}.json", _json({"text": sample.label} | extras).encode("utf-8"))
        listing.touch()

    def places(self, tree: Path, split: str) -> list[Path]:
        # One shard at a time: where ten million samples lie in all of them is half a gigabyte.
        return sorted((tree / split).glob("*.tar"))


class Parquet(_Shards):
    """Parquet with Hugging Face's Image feature: `data/train-00000-of-00002.parquet`."""

    name = "parquet"
    _rows = 1000

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        require("parquet", "Writing Parquet", ("pyarrow",))
        import pyarrow
        import pyarrow.parquet

        folder = tree / "data"
        folder.mkdir(parents=True, exist_ok=True)
        schema = _schema(pyarrow)
        name = f"{_HUGGING_FACE[part.split]}-{part.number:05d}-of-{part.total:05d}.parquet"
        with pyarrow.parquet.ParquetWriter(folder / name, schema) as writer:
            rows: list[dict[str, Any]] = []
            for sample in samples:
                extras = _extras(sample)
                rows.append(
                    {
                        "image": {"bytes": sample.image, "path": sample.file},
                        "text": sample.label,
                        **{key: extras.get(key) for key in _BOX_KEYS},
                    }
                )
                if len(rows) == self._rows:
                    writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                    rows.clear()
            if rows:
                writer.write_table(pyarrow.Table.from_pylist(rows, schema))
        listing.touch()

    def places(self, tree: Path, split: str) -> list[Path]:
        return sorted((tree / "data").glob(f"{_HUGGING_FACE[split]}-*.parquet"))


class Lmdb(_Shards):
    """The layout of siman-synth and of the trainers of the CRNN lineage: `train/data.mdb`, `val/data.mdb`."""

    name = "lmdb"
    takes_unlabeled = True

    def write(self, tree: Path, listing: Path, part: Part, samples: Iterable[Ready]) -> None:
        from siman_synth.imaging.decode import header_size

        with LmdbWriter.create(listing.with_suffix(".lmdb"), overwrite=True) as writer:
            for sample in samples:
                size = header_size(sample.image)
                assert size is not None
                writer.write(
                    Sample(sample.image, sample.label if sample.labeled else None, *size, sample.meta)
                )
        listing.touch()

    def problem(self, label: str) -> str | None:
        found = label_problem(label)
        return None if found is None else f"label {found.split(',')[0]}"

    def finish(self, tree: Path, split: str, listings: Sequence[Path]) -> None:
        with LmdbWriter.create(tree / split, overwrite=True) as writer:
            for listing in listings:
                with LmdbReader.open(listing.with_suffix(".lmdb")) as reader:
                    for sample in reader:
                        writer.write(sample)

    def places(self, tree: Path, split: str) -> list[Path]:
        return [tree / split]


def _new(folder: Path) -> Path:
    """Make a folder; what an interrupted export left in it goes."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


_HUGGING_FACE = {"train": "train", "val": "validation"}

_KINDS = (
    Paddleocr, Imagefolder, Parquet, Webdataset, Doctr, Easyocr, Kraken, Tesstrain, Mmocr, Lmdb,
)  # fmt: skip
FORMATS: dict[str, Callable[[], Format]] = {kind.name: kind for kind in _KINDS}
"""Every layout by the name that users give it."""


def _extras(sample: Ready) -> dict[str, Any]:
    """Return boxes, font and style of a sample, as far as they are known and of one type."""
    meta = sample.meta or {}
    extras: dict[str, Any] = {key: meta[key] for key in ("font", "style") if isinstance(meta.get(key), str)}
    boxes = meta.get("boxes")
    if isinstance(boxes, list) and all(_is_box(box) for box in boxes):
        extras["boxes"] = [[float(value) for value in box] for box in boxes]
    return extras


def _is_box(box: Any) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(isinstance(value, int | float) for value in box)


def _is_number(label: str) -> bool:
    try:
        float(label)
    except ValueError:
        return False
    return True


def _json(value: Any) -> str:
    return storable_document(json.dumps(value, ensure_ascii=False))


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _schema(pyarrow: Any) -> Any:
    texts, numbers = pyarrow.string(), pyarrow.list_(pyarrow.list_(pyarrow.float32()))
    number = {"dtype": "float32", "_type": "Value"}
    features = {
        "image": {"_type": "Image"},
        "text": {"dtype": "string", "_type": "Value"},
        "boxes": {"feature": {"feature": number, "_type": "Sequence"}, "_type": "Sequence"},
        "font": {"dtype": "string", "_type": "Value"},
        "style": {"dtype": "string", "_type": "Value"},
    }
    image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", texts)])
    fields = [("image", image), ("text", texts), ("boxes", numbers), ("font", texts), ("style", texts)]
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    return pyarrow.schema(fields).with_metadata(about)
