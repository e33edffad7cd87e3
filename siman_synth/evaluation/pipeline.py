"""From two sets of images to a report."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from siman_synth.crops.labeled import pool_with_labels
from siman_synth.errors import ConfigError, DatasetError, OutputError
from siman_synth.evaluation.appearance import appearance
from siman_synth.evaluation.distances import Features
from siman_synth.evaluation.features import FEATURE_PACKAGES, load_features, usable_threads
from siman_synth.evaluation.readability import read_words
from siman_synth.evaluation.report import report_page
from siman_synth.evaluation.result import Evaluation, Job, ReadSet
from siman_synth.evaluation.spectrum import Spectrum
from siman_synth.evaluation.style import style_distance
from siman_synth.evaluation.word_set import WordSet, in_width_order
from siman_synth.extras import require
from siman_synth.files import make_folder, write_texts
from siman_synth.ocr.recognizer import Image, Ocr
from siman_synth.recognition.own_ocr import PPOCR, check_ocr, open_ocr
from siman_synth.seeding import sample_rng
from siman_synth.several import several

REPORT_FILE = "report.html"
METRICS_FILE = "metrics.json"

_MARKS = {REPORT_FILE: b" against real crops</title>", METRICS_FILE: b'"siman_synth"'}
"""What either file holds near its beginning, by which it is known again."""
_LOOKED_AT = 4096

_REPORT_PACKAGES = ("jinja2", "matplotlib", "sklearn")


def evaluate(
    dataset: str | Path,
    real: str | Path,
    out: str | Path | None = None,
    *,
    count: int = 2000,
    seed: int = 0,
    ocr: str | Ocr = "ppocr",
    features: str | Iterable[str] = ("imagenet", "ocr"),
    show_real: bool = True,
) -> Evaluation:
    """Compare a data set with real crops; write `report.html` and `metrics.json` into `out`.

    Args:
        dataset: an LMDB, labeled if OCR is asked.
        real: a folder tree, a list or an LMDB of crops, labeled or not.
        out: a folder, made if it is not there; an earlier report in it is replaced. None is
            `DATASET.report` beside the data set.
        count: maximum images per set, drawn at random.
        seed: random seed of the draw.
        ocr: what judges readability: "ppocr", "none", a recognizer's file or the folder of its
            training run, or an object of your own.
        features: what distances are measured on: "imagenet", "ocr", both or none of them.
        show_real: whether the report may hold pictures of real crops.

    Raises:
        MissingPackageError: an optional package is missing.
        ConfigError: there is no such OCR, or there are no such features.
        CropError: a set has too few usable images.
        DatasetError: the data set has no labels, cannot be read, or is the real set itself.
        OutputError: `out` lies inside one of the sets, or holds a file with the name of one of the
            report's that no evaluation wrote.
    """
    name = ocr if isinstance(ocr, str) else ocr.name
    kinds = tuple(dict.fromkeys(map(str, several(features))))
    job = Job(Path(dataset), Path(real), count, seed, name, kinds, show_real)
    folder = default_out(job.dataset) if out is None else Path(out)
    if isinstance(ocr, str):
        check_ocr(ocr)
    _check(job, folder)
    return _evaluate(job, folder, open_ocr(ocr, usable_threads()) if isinstance(ocr, str) else ocr)


def _evaluate(job: Job, out: Path, ocr: Ocr | None) -> Evaluation:
    dataset = WordSet.load(job.dataset, job.count, job.seed)
    if ocr is not None:
        dataset.require_labels()
    real = WordSet.load(job.real, job.count, job.seed)
    make_folder(out)  # now that both sets can be used, and before what takes long
    dataset_read = _read(dataset, ocr)
    real_read = _read(real, ocr)
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
        dataset_spectrum=Spectrum.of(scaled[0]),
        real_spectrum=Spectrum.of(scaled[1]),
    )
    metrics = json.dumps(evaluation.to_json(), ensure_ascii=False, indent=2)
    write_texts({out / METRICS_FILE: metrics + "\n", out / REPORT_FILE: report_page(evaluation, vectors)})
    return evaluation


def default_out(dataset: Path) -> Path:
    """Return `DATASET.report`, beside the data set and never in it."""
    found = dataset.absolute()
    return found.with_name(f"{found.name}.report")


def _check(job: Job, out: Path) -> None:
    for kind in job.features:
        if kind not in FEATURE_PACKAGES:
            raise ConfigError(
                f"There are no features '{kind}'. Use {', '.join(FEATURE_PACKAGES)}, or both with a comma."
            )
    modules = list(_REPORT_PACKAGES)
    if job.ocr == PPOCR:
        modules += ["rapidocr", "onnxruntime"]
    for kind in job.features:
        modules += FEATURE_PACKAGES[kind]
    require("evaluate", "siman-synth evaluate", list(dict.fromkeys(modules)))
    if pool_with_labels(job.dataset)[0].fingerprint() == pool_with_labels(job.real)[0].fingerprint():
        raise DatasetError(
            f"{job.dataset} and {job.real} hold the same images. Give real crops that the data set "
            "was not made from."
        )
    for path in (job.dataset, job.real):
        if path.is_dir() and out.absolute().is_relative_to(path.absolute()):
            raise OutputError(
                f"The report {out} would lie inside {path}, where it would be read as data. "
                "Choose another output folder."
            )
    for file in (out / name for name in _MARKS):
        if file.is_symlink() or (file.exists() and not _is_own(file)):
            raise OutputError(
                f"{file} exists and was not written by an evaluation. Choose another output folder."
            )


def _is_own(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return _MARKS[file.name] in opened.read(_LOOKED_AT)


def _read(words: WordSet, ocr: Ocr | None) -> ReadSet | None:
    return ReadSet(*read_words(words, ocr)) if ocr is not None and words.labeled else None


def _vectors(kind: str, dataset: Sequence[Image], real: Sequence[Image]) -> tuple[Features, Features]:
    extract = load_features(kind, usable_threads())
    sides = [
        np.stack(in_width_order(images, extract, f"{kind} features, {side}")).astype(np.float64)
        for side, images in (("data set", dataset), ("real", real))
    ]
    return sides[0], sides[1]
