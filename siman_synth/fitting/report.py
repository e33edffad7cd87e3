"""The report of a fit: one HTML page with its pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siman_synth.evaluation.appearance import MEASURES, Histogram
from siman_synth.evaluation.charts import DATASET_COLOUR, REAL_COLOUR, Chart, data_uri, histogram_chart
from siman_synth.evaluation.page import rendered
from siman_synth.fitting.belief import Belief
from siman_synth.fitting.crops import least_like
from siman_synth.fitting.measures import Measured, Measures
from siman_synth.fitting.recipe import half_way, recipe_text, settings_of
from siman_synth.fitting.result import FitResult
from siman_synth.fitting.search import Search
from siman_synth.fitting.simulation import images_of
from siman_synth.fitting.store import Trial
from siman_synth.fitting.table import CASE, CORPORA, Range, Share, Weights
from siman_synth.imaging.codec import encode_jpeg
from siman_synth.imaging.resize import resize_to_height
from siman_synth.ocr.recognizer import Image
from siman_synth.several import named

_TEMPLATE = "report.html.j2"
_SHOWN = 60
_LEAST_LIKE = 24
_WORDS = 240
"""Of how many words the looks are shown, where trials were judged by as many."""
_SHOWN_HEIGHT_PX = 48
_CHOICES = 12


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart: where it begins and ends, from 0 to 1, before and after."""

    name: str
    before: tuple[float, float]
    after: tuple[float, float]
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """One entry of the table, as bars."""

    title: str
    setting: str
    bars: list[Bar]


def report_page(
    search: Search, best: Trial, found: FitResult, real: Sequence[Image], measures: Measures
) -> str:
    """Return the page."""
    before = images_of(search.words_of(search.before, _SHOWN))
    after = images_of(search.words_of(best, min(_WORDS, best.words)))
    measured = measures.measure(after)
    crops = search.targets.checked
    far = least_like(crops, measured, next(iter(crops.features)), _LEAST_LIKE)
    checked = real[1::2]
    values = {
        "crops": named(search.simulator.job.styles),
        "result": found,
        "sheets": [
            ("Crops", _pictures(real[:_SHOWN])),
            ("Words before", _pictures(before)),
            ("Words now", _pictures(after[:_SHOWN])),
        ],
        "found": _found(search, best),
        "histograms": _histograms(measured, crops),
        "unexplained": _pictures([checked[index] for index in far]),
        "trials": [(one.number, one.words, one.score, dict(one.options)) for one in search.trials],
        "recipe": recipe_text(search.recipe(best), settings_of(search.simulator.table), ""),
        "colours": {"dataset": DATASET_COLOUR, "real": REAL_COLOUR},
    }
    return rendered(Path(__file__).with_name(_TEMPLATE), values)


def _found(search: Search, best: Trial) -> list[Found]:
    table, default = search.simulator.table, search.default
    now = Belief.from_json(table, best.belief) if best.belief else default
    shown = []
    for entry, before, after in zip(table, default.values, now.values, strict=True):
        if isinstance(entry, Range):
            ends = [entry.value(end) for end in after]
            text = f"{ends[0]:g} to {ends[1]:g}"
            bars = [Bar("", (before[0], before[1]), (after[0], after[1]), text)]
        elif isinstance(entry, Share):
            bars = [Bar("", (0.0, before[0]), (0.0, after[0]), f"{after[0]:.0%}")]
        else:
            bars = choice_bars(entry, before, after)
        name = entry.name if isinstance(entry, Weights) else entry.setting
        shown.append(Found(entry.shown, name, bars))
    return shown


def choice_bars(entry: Weights, before: np.ndarray, after: np.ndarray) -> list[Bar]:
    """Return the bars of the most frequent choices, as often as they come in the recipe."""
    names = list(entry.choices)
    if entry.name in (CASE, CORPORA):
        found, kept = (dict(zip(names, shares, strict=True)) for shares in (after, before))
        after = np.array(list(half_way(found, kept).values()))
    most = max(before.max(), after.max())
    return [
        Bar(names[index], (0.0, before[index] / most), (0.0, after[index] / most), f"{after[index]:.1%}")
        for index in np.argsort(-after)[:_CHOICES].tolist()
    ]


def _histograms(made: Measured, crops: Measured) -> list[Chart]:
    names = list(MEASURES)[: crops.looks.shape[1]]
    return [
        histogram_chart(Histogram.of(name, made.looks[:, column], crops.looks[:, column]))
        for column, name in enumerate(names)
    ]


def _pictures(images: Sequence[Image]) -> list[str]:
    small = [
        resize_to_height(image, _SHOWN_HEIGHT_PX) if image.shape[0] > _SHOWN_HEIGHT_PX else image
        for image in images
    ]
    return [data_uri(encode_jpeg(image, 92), "image/jpeg") for image in small]
