"""Which layout lies at a path."""

from collections.abc import Iterator
from pathlib import Path

from siman_synth.errors import DatasetError
from siman_synth.storage.formats.documents import DoctrLabels, MmocrDocument, document_kind
from siman_synth.storage.formats.listings import (
    LabelsCsv,
    MetadataLines,
    PaddleList,
    is_labels_csv,
    is_paddle_list,
)
from siman_synth.storage.formats.pairs import Manifest, is_manifest, pairs_below
from siman_synth.storage.formats.parquet import ParquetRows
from siman_synth.storage.formats.source import Source
from siman_synth.storage.formats.tars import TarSamples

METADATA, LABELS_JSON, LABELS_CSV = "metadata.jsonl", "labels.json", "labels.csv"
PARQUET, TAR = ".parquet", ".tar"
_LISTS = (".txt", ".tsv", ".lst")
_TRAIN_FIRST = ("train", "training")


def sources_at(path: Path, confined: bool = False) -> tuple[str, list[Source]]:
    """Return the name of the layout at `path`, and what it consists of; no source if there is none known.

    Splits are taken together, the one for training first.

    Raises:
        DatasetError: it is of a known layout and cannot be read.
    """
    if path.is_dir():
        return _in_folder(path, confined)
    found = _of_file(path, confined) if path.is_file() else None
    return (found[0], [found[1]]) if found else ("", [])


def _of_file(path: Path, confined: bool) -> tuple[str, Source] | None:
    suffix = path.suffix.lower()
    if suffix == PARQUET:
        return "parquet", ParquetRows([path])
    if suffix == TAR:
        return "webdataset", TarSamples([path])
    if suffix == ".jsonl":
        return "imagefolder", MetadataLines(path, confined)
    if suffix == ".csv" and is_labels_csv(path):
        return "easyocr", LabelsCsv(path, confined)
    if suffix == ".json":
        kind = document_kind(path)
        if kind is not None:
            return kind, (MmocrDocument if kind == "mmocr" else DoctrLabels)(path, confined)
    if suffix in _LISTS:
        if is_paddle_list(path):
            return "paddleocr", PaddleList(path, confined)
        if is_manifest(path):
            return "kraken", Manifest(path, confined)
    return None


def _in_folder(path: Path, confined: bool) -> tuple[str, list[Source]]:
    folders = [path, *_ordered(entry for entry in path.iterdir() if entry.is_dir())]
    if files := [file for folder in folders for file in _with_suffix(folder, PARQUET)]:
        return "parquet", [ParquetRows(files)]
    if files := [file for folder in folders for file in _with_suffix(folder, TAR)]:
        return "webdataset", [TarSamples(files)]
    for name in (METADATA, LABELS_JSON):
        listed = [_of_file(folder / name, confined) for folder in folders if (folder / name).is_file()]
        if found := [one for one in listed if one is not None]:
            return found[0][0], [source for _, source in found]
    if files := _ordered(file for file in path.rglob(LABELS_CSV) if is_labels_csv(file)):
        return "easyocr", [LabelsCsv(file, confined) for file in files]
    for suffix in (".json", *_LISTS):
        listed = [_of_file(file, confined) for file in _with_suffix(path, suffix)]
        if found := [one for one in listed if one is not None]:
            return found[0][0], [source for kind, source in found if kind == found[0][0]]
    pairs = pairs_below(path, confined)
    return ("kraken", [pairs]) if pairs is not None else ("", [])


def _with_suffix(folder: Path, suffix: str) -> list[Path]:
    # Hidden files, and what an interrupted download left, have other endings or a dot in front.
    return _ordered(
        file for file in folder.glob(f"*{suffix}") if file.is_file() and not file.name.startswith(".")
    )


def _ordered(paths: Iterator[Path]) -> list[Path]:
    """Return paths by name, what is for training first."""
    return sorted(paths, key=lambda path: (not any(name in path.as_posix() for name in _TRAIN_FIRST), path))


def no_set_error(path: Path) -> DatasetError:
    """Return the error for a folder in which no labeled set lies."""
    return DatasetError(
        f"No data set at {path}: it holds no data.mdb, and no *.parquet, *.tar, metadata.jsonl, labels.json, "
        "labels.csv, list of paths and labels, or *.gt.txt beside images. Give the folder that does."
    )
