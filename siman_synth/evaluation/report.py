"""The report: one HTML page that holds its pictures and asks nothing of the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siman_synth.evaluation.charts import (
    DATASET_COLOUR,
    REAL_COLOUR,
    Chart,
    data_uri,
    histogram_chart,
    spectrum_chart,
    tsne_chart,
)
from siman_synth.evaluation.distances import NEIGHBOURS, Features
from siman_synth.evaluation.page import rendered
from siman_synth.evaluation.readability import ReadWord
from siman_synth.evaluation.result import Evaluation
from siman_synth.evaluation.spectrum import TILE_PX
from siman_synth.evaluation.style import REPEATS, Interval
from siman_synth.evaluation.word_set import HEIGHT_PX, MAX_ASPECT, WordSet
from siman_synth.imaging.codec import encode_jpeg
from siman_synth.imaging.resize import resize_to_height
from siman_synth.ocr.recognizer import Image

_TEMPLATE = "report.html.j2"
_SHOWN = 80
_SHOWN_HEIGHT_PX = 48


@dataclass(frozen=True, slots=True)
class Word:
    """One picture of a sheet. `read` is None where nothing was asked."""

    picture: str
    label: str
    read: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """Pictures under one heading."""

    title: str
    text: str
    words: list[Word]


def report_page(evaluation: Evaluation, vectors: Mapping[str, tuple[Features, Features]]) -> str:
    """Return the page. `vectors` are (data set, real) by kind of features; the first kind is drawn."""
    tsne = None
    for kind, (dataset, real) in list(vectors.items())[:1]:
        tsne = kind, tsne_chart(real, dataset, evaluation.job.seed)
    values = {
        "evaluation": evaluation,
        "tsne": tsne,
        "histograms": [histogram_chart(histogram) for histogram in evaluation.histograms],
        "spectra": _spectra(evaluation),
        "sheets": _sheets(evaluation),
        "rejected": _rejected_sheet(evaluation.job.dataset),
        "colours": {"dataset": DATASET_COLOUR, "real": REAL_COLOUR},
        "height_px": HEIGHT_PX,
        "max_aspect": MAX_ASPECT,
        "tile_px": TILE_PX,
        "repeats": REPEATS,
        "neighbours": NEIGHBOURS,
    }
    return rendered(Path(__file__).with_name(_TEMPLATE), values, {"interval": _interval})


def _spectra(evaluation: Evaluation) -> list[Chart]:
    dataset, real = evaluation.dataset_spectrum, evaluation.real_spectrum
    return [spectrum_chart(axis, real, dataset) for axis in "xy"] if dataset and real else []


def _interval(found: Interval, scale: float = 1.0, digits: int = 2) -> str:
    mean, low, high = (f"{scale * value:.{digits}f}" for value in (found.mean, found.low, found.high))
    return f"{mean} ({low} to {high})"


def _sheets(evaluation: Evaluation) -> list[Sheet]:
    sheets = [Sheet("From the data set", "Drawn at random, with labels.", _first_words(evaluation.dataset))]
    sides = [("Worst read of the data set", evaluation.dataset, evaluation.dataset_read)]
    if evaluation.job.show_real:
        sheets.append(Sheet("Real crops", "Drawn at random.", _first_words(evaluation.real)))
        sides.append(("Worst read of the real crops", evaluation.real, evaluation.real_read))
    for title, words, read in sides:
        if read is not None:
            wrong = read.misread()
            text = f"{len(wrong)} of {read.summary.words} words were read wrongly; up to {_SHOWN} are shown."
            sheets.append(Sheet(title, text, _read_words(words, wrong[:_SHOWN])))
    return sheets


def _first_words(words: WordSet) -> list[Word]:
    pairs = zip(words.images[:_SHOWN], words.labels[:_SHOWN], strict=True)
    return [Word(_picture(image), label or "") for image, label in pairs]


def _read_words(words: WordSet, chosen: Sequence[ReadWord]) -> list[Word]:
    return [Word(_picture(words.images[word.index]), word.label, word.reading.text) for word in chosen]


def _picture(image: Image) -> str:
    if image.shape[0] > _SHOWN_HEIGHT_PX:
        image = resize_to_height(image, _SHOWN_HEIGHT_PX)
    # Quality 95 looks like the original, at a quarter of a PNG's size.
    return data_uri(encode_jpeg(image, 95), "image/jpeg")


def _rejected_sheet(dataset: Path) -> str | None:
    """Return the contact sheet of rejected words, if a run left one beside the data set."""
    found = dataset.absolute()
    sheet = found.with_name(f"{found.name}.rejected.png")
    # Never through a link: what it leads to is somebody's file, and the report leaves his hands.
    if sheet.is_symlink() or not sheet.is_file():
        return None
    return data_uri(sheet.read_bytes(), "image/png")
