"""The report: one HTML page that holds its pictures and asks nothing of the network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from siman_synth.evaluation.charts import (
    DATASET_COLOUR,
    REAL_COLOUR,
    data_uri,
    histogram_chart,
    tsne_chart,
)
from siman_synth.evaluation.distances import NEIGHBOURS, Features
from siman_synth.evaluation.readability import ReadWord
from siman_synth.evaluation.result import Evaluation
from siman_synth.evaluation.style import REPEATS, Interval
from siman_synth.evaluation.word_set import HEIGHT_PX, MAX_ASPECT, WordSet
from siman_synth.reading.reader import Image

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


def write_report(
    evaluation: Evaluation, vectors: Mapping[str, tuple[Features, Features]], path: Path
) -> None:
    """Write the page. `vectors` are (data set, real) by kind of features; the first kind is drawn."""
    tsne = None
    for kind, (dataset, real) in list(vectors.items())[:1]:
        tsne = kind, tsne_chart(real, dataset, evaluation.job.seed)
    page = _render(
        evaluation=evaluation,
        tsne=tsne,
        histograms=[histogram_chart(histogram) for histogram in evaluation.histograms],
        sheets=_sheets(evaluation),
        rejected=_rejected_sheet(evaluation.job.dataset),
        colours={"dataset": DATASET_COLOUR, "real": REAL_COLOUR},
        height_px=HEIGHT_PX,
        max_aspect=MAX_ASPECT,
        repeats=REPEATS,
        neighbours=NEIGHBOURS,
    )
    path.write_text(page, encoding="utf-8")


def _render(**values: object) -> str:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["interval"] = _interval
    return str(environment.get_template(_TEMPLATE).render(values))


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
    height, width = image.shape[:2]
    if height > _SHOWN_HEIGHT_PX:
        width = max(1, round(width * _SHOWN_HEIGHT_PX / height))
        image = cv2.resize(image, (width, _SHOWN_HEIGHT_PX), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    # Quality 95 looks like the original, at a quarter of a PNG's size.
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 95))
    return data_uri(encoded.tobytes(), "image/jpeg")


def _rejected_sheet(dataset: Path) -> str | None:
    """Return the contact sheet of rejected words, if a run left one beside the data set."""
    found = dataset.absolute()
    sheet = found.with_name(f"{found.name}.rejected.png")
    return data_uri(sheet.read_bytes(), "image/png") if sheet.is_file() else None
