"""Plots for the report, each drawn for a light and for a dark page, as data URIs."""

import base64
import io
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from siman_synth.evaluation.appearance import MEASURES, Histogram
from siman_synth.evaluation.distances import Features
from siman_synth.evaluation.spectrum import PERIODS_PX, Spectrum

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASET_COLOUR = "#e07b39"
REAL_COLOUR = "#3b82c4"

_INK_ON_LIGHT, _INK_ON_DARK = "#333333", "#d0d0d0"
_TSNE_POINTS = 1000
_TSNE_PERPLEXITY = 30.0


@dataclass(frozen=True, slots=True)
class Chart:
    """One plot as two SVG images, and what it shows."""

    light: str
    dark: str
    text: str


def histogram_chart(histogram: Histogram) -> Chart:
    """Draw the values of one measure in both sets over each other."""

    def draw(figure: "Figure", ink: str) -> None:
        axes = _axes(figure, ink)
        for shares, colour in ((histogram.real, REAL_COLOUR), (histogram.dataset, DATASET_COLOUR)):
            axes.stairs(shares, histogram.edges, fill=True, color=colour, alpha=0.35)
            axes.stairs(shares, histogram.edges, color=colour, linewidth=1.4)
        axes.set_yticks([])
        axes.set_xlim(histogram.edges[0], histogram.edges[-1])
        axes.set_ylim(bottom=0)

    text = (
        f"{histogram.measure} ({MEASURES[histogram.measure]}): median {histogram.dataset_median:.3g}, "
        f"real {histogram.real_median:.3g}; overlap {histogram.overlap:.0%}"
    )
    return _chart(draw, (3.6, 1.9), text)


def tsne_chart(real: Features, dataset: Features, seed: int) -> Chart:
    """Draw real and generated vectors in the plane of t-SNE (figure 3 of the SimAN paper)."""
    from sklearn.manifold import TSNE

    count = min(len(real), len(dataset), _TSNE_POINTS)
    vectors = np.concatenate([real[:count], dataset[:count]])
    perplexity = min(_TSNE_PERPLEXITY, (len(vectors) - 1) / 3)
    plane = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(vectors)
    # In random order: neither set may lie on top of the other.
    order = np.random.default_rng(seed).permutation(len(plane))
    colours = np.array([REAL_COLOUR] * count + [DATASET_COLOUR] * count)

    def draw(figure: "Figure", ink: str) -> None:
        axes = _axes(figure, ink)
        axes.scatter(*plane[order].T, s=14, c=colours[order], alpha=0.65, linewidths=0, rasterized=True)
        axes.set_axis_off()

    return _chart(draw, (7.2, 5.4), f"t-SNE of {count} real and {count} generated words")


def spectrum_chart(axis: str, real: Spectrum, dataset: Spectrum) -> Chart:
    """Draw the power of both sets over the frequencies along one axis, "x" or "y", in decibels."""

    def draw(figure: "Figure", ink: str) -> None:
        axes = _axes(figure, ink)
        for spectrum, colour in ((real, REAL_COLOUR), (dataset, DATASET_COLOUR)):
            power = spectrum.along_x if axis == "x" else spectrum.along_y
            frequencies = np.linspace(0, 0.5, len(power))
            axes.plot(frequencies, 10 * np.log10(power.clip(1e-12)), color=colour, linewidth=1.4)
        axes.set_yticks([])
        axes.set_xticks([0, 0.125, 0.25, 0.375, 0.5], ["0", "8 px", "4 px", "", "2 px"])
        axes.set_xlim(0, 0.5)

    peaks = ", ".join(
        f"at {period} px {dataset.peaks[key]:.2f} (real {real.peaks[key]:.2f})"
        for period in PERIODS_PX
        for key in [f"{axis}, {period} px"]
    )
    return _chart(draw, (3.6, 1.9), f"power along {axis}; over its neighbours {peaks}")


def _axes(figure: "Figure", ink: str) -> Any:
    # Room for the numbers below; matplotlib's own layouts take most of the time of a plot.
    axes = figure.add_axes((0.03, 0.14, 0.94, 0.84))
    axes.tick_params(colors=ink, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(ink)
    return axes


def _chart(draw: Callable[["Figure", str], None], size_in: Sequence[float], text: str) -> Chart:
    return Chart(_svg(draw, size_in, _INK_ON_LIGHT), _svg(draw, size_in, _INK_ON_DARK), text)


@contextmanager
def _without_warnings(logger: str) -> Iterator[None]:
    """Keep a library from telling the terminal that it cannot keep a cache of its own."""
    found = logging.getLogger(logger)
    before = found.level
    found.setLevel(logging.ERROR)
    try:
        yield
    finally:
        found.setLevel(before)


def _svg(draw: Callable[["Figure", str], None], size_in: Sequence[float], ink: str) -> str:
    import matplotlib

    with _without_warnings("matplotlib.font_manager"):
        from matplotlib.figure import Figure

    # Text as paths: the page must not depend on fonts. A fixed salt and no date: equal bytes.
    with matplotlib.rc_context({"svg.fonttype": "path", "svg.hashsalt": "siman-synth"}):
        figure = Figure(figsize=(size_in[0], size_in[1]))
        draw(figure, ink)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, dpi=160, metadata={"Date": None})
    return data_uri(buffer.getvalue(), "image/svg+xml")


def data_uri(data: bytes, kind: str) -> str:
    """Return `data` as a URI that holds it."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
