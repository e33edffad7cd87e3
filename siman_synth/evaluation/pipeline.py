"""From two sets of images to a report."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from siman_synth.crops.pool import CropPool
from siman_synth.errors import ConfigError, DatasetError, OutputError
from siman_synth.evaluation.appearance import appearance
from siman_synth.evaluation.distances import Features
from siman_synth.evaluation.features import FEATURE_PACKAGES, load_features
from siman_synth.evaluation.readability import read_words
from siman_synth.evaluation.report import write_report
from siman_synth.evaluation.result import Evaluation, Job, ReadSet
from siman_synth.evaluation.style import style_distance
from siman_synth.evaluation.word_set import WordSet, in_width_order
from siman_synth.reading.extras import require
from siman_synth.reading.ppocr import PpOcr
from siman_synth.reading.reader import Image, WordReader
from siman_synth.seeding import sample_rng

READERS = ("ppocr", "none")
REPORT_FILE = "report.html"
METRICS_FILE = "metrics.json"

_REPORT_PACKAGES = ("jinja2", "matplotlib", "sklearn")
_MAX_THREADS = 4


def evaluate(job: Job, out: Path, reader: WordReader | None = None) -> Evaluation:
    """Compare a data set with real crops; write `report.html` and `metrics.json` into `out`.

    Args:
        job: what to compare, and how.
        out: a folder, made if it is not there; the two files in it are replaced.
        reader: the recognizer to ask instead of the one that `job.reader` names.

    Raises:
        MissingPackageError: an optional package is missing.
        ConfigError: `job` names an unknown reader or kind of features.
        CropError: a set has too few usable images.
        DatasetError: the data set has no labels, cannot be read, or is the real set itself.
        OutputError: `out` lies inside one of the sets.
    """
    _check(job, out)
    out.mkdir(parents=True, exist_ok=True)
    dataset = WordSet.load(job.dataset, job.count, job.seed)
    asked = reader or (PpOcr.load(_threads()) if job.reader == "ppocr" else None)
    if asked is not None:
        dataset.require_labels()
    real = WordSet.load(job.real, job.count, job.seed)
    dataset_read = _read(dataset, asked)
    real_read = _read(real, asked)
    scaled = dataset.of_one_height(), real.of_one_height()
    vectors = {kind: _vectors(kind, *scaled) for kind in job.features}
    evaluation = Evaluation(
        job=job,
        dataset=dataset,
        real=real,
        dataset_read=dataset_read,
        real_read=real_read,
        distances=[
            style_distance(kind, real_side, dataset_side, sample_rng(job.seed, "evaluation", kind))
            for kind, (dataset_side, real_side) in vectors.items()
        ],
        histograms=appearance(dataset, real, *scaled),
    )
    metrics = json.dumps(evaluation.to_json(), ensure_ascii=False, indent=2)
    (out / METRICS_FILE).write_text(metrics + "\n", encoding="utf-8")
    write_report(evaluation, vectors, out / REPORT_FILE)
    return evaluation


def default_out(dataset: Path) -> Path:
    """Return `DATASET.report`, beside the data set and never in it."""
    found = dataset.absolute()
    return found.with_name(f"{found.name}.report")


def _check(job: Job, out: Path) -> None:
    if job.reader not in READERS:
        raise ConfigError(f"There is no reader '{job.reader}'. Use one of {', '.join(READERS)}.")
    for kind in job.features:
        if kind not in FEATURE_PACKAGES:
            raise ConfigError(
                f"There are no features '{kind}'. Use {', '.join(FEATURE_PACKAGES)}, or both with a comma."
            )
    modules = list(_REPORT_PACKAGES)
    if job.reader == "ppocr":
        modules += ["rapidocr", "onnxruntime"]
    for kind in job.features:
        modules += FEATURE_PACKAGES[kind]
    require("evaluate", "siman-synth evaluate", list(dict.fromkeys(modules)))
    if CropPool.open(job.dataset).fingerprint() == CropPool.open(job.real).fingerprint():
        raise DatasetError(
            f"{job.dataset} and {job.real} hold the same images. Give real crops that the data set "
            "was not made from as --real."
        )
    for path in (job.dataset, job.real):
        if path.is_dir() and out.absolute().is_relative_to(path.absolute()):
            raise OutputError(
                f"The report {out} would lie inside {path}, where it would be read as data. "
                "Choose another --out."
            )


def _read(words: WordSet, reader: WordReader | None) -> ReadSet | None:
    return ReadSet(*read_words(words, reader)) if reader is not None and words.labeled else None


def _vectors(kind: str, dataset: Sequence[Image], real: Sequence[Image]) -> tuple[Features, Features]:
    extract = load_features(kind, _threads())
    sides = [
        np.stack(in_width_order(images, extract, f"{kind} features, {side}")).astype(np.float64)
        for side, images in (("data set", dataset), ("real", real))
    ]
    return sides[0], sides[1]


def _threads() -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MAX_THREADS)
