"""What an evaluation found, for a terminal and for `metrics.json`."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from siman_synth import __version__
from siman_synth.escaping import printable
from siman_synth.evaluation.appearance import Histogram
from siman_synth.evaluation.readability import Readability, ReadWord
from siman_synth.evaluation.spectrum import Spectrum
from siman_synth.evaluation.style import StyleDistance
from siman_synth.evaluation.word_set import WordSet


@dataclass(frozen=True, slots=True)
class Job:
    """What to compare with what."""

    dataset: Path
    real: Path
    count: int
    seed: int
    ocr: str
    features: tuple[str, ...]
    show_real: bool = True
    """Whether the report may hold pictures of real crops."""


@dataclass(frozen=True, slots=True)
class ReadSet:
    """The readability of one set, and its words from worst to best read."""

    summary: Readability
    words: list[ReadWord]

    def misread(self) -> list[ReadWord]:
        """The words that were read wrongly, the worst first."""
        wrong = [word for word in self.words if word.distance]
        return sorted(wrong, key=lambda word: (word.similarity, -word.reading.score, word.index))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All figures of one evaluation. What was not asked for is None or empty."""

    job: Job
    dataset: WordSet
    real: WordSet
    dataset_read: ReadSet | None
    real_read: ReadSet | None
    distances: list[StyleDistance]
    histograms: list[Histogram]
    dataset_spectrum: Spectrum | None = None
    real_spectrum: Spectrum | None = None

    def to_json(self) -> dict[str, object]:
        """Return plain values for `metrics.json`."""
        return {
            "siman_synth": __version__,
            "settings": {
                "n": self.job.count,
                "seed": self.job.seed,
                "ocr": self.job.ocr,
                "features": list(self.job.features),
            },
            "dataset": _set_json(self.dataset),
            "real": _set_json(self.real),
            "readability": {
                "dataset": _readability_json(self.dataset_read),
                "real": _readability_json(self.real_read),
            },
            "distances": {distance.features: distance.to_json() for distance in self.distances},
            "spectrum": {
                side: spectrum.to_json() if spectrum else None
                for side, spectrum in (("dataset", self.dataset_spectrum), ("real", self.real_spectrum))
            },
            "appearance": {
                histogram.measure: {
                    "dataset_median": histogram.dataset_median,
                    "real_median": histogram.real_median,
                    "overlap": histogram.overlap,
                }
                for histogram in self.histograms
            },
        }

    def to_text(self) -> str:
        """Return the main figures as lines for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for title, words in (("data set", self.dataset), ("real", self.real)):
            yield f"{title:<9} {printable(words.path)}: {len(words)} of {words.total} images"
            for line in words.skipped.lines():
                yield f"  skipped: {line}"
        for title, read in (("data set", self.dataset_read), ("real", self.real_read)):
            if read is not None:
                found = read.summary
                if found.outside_alphabet or not found.words:
                    yield f"{title:<9} {found.words} of {found.labels} labels can be judged by {found.ocr}"
                if found.without_accents:
                    yield (
                        f"{title:<9} {found.without_accents} labels judged without accents, and by the look "
                        "of their letters alone: the OCR does not separate them"
                    )
                if not found.words:
                    continue
                yield (
                    f"{title:<9} read right {found.right:.1%}   within one edit "
                    f"{found.within_one_edit:.1%}   edit similarity {found.edit_similarity:.3f}"
                )
        for distance in self.distances:
            yield f"{distance.features}, {distance.half} images a side, real against real in brackets"
            one, floor = distance.dataset, distance.floor
            yield (
                f"  Fréchet {one.frechet.mean:.4g} ({floor.frechet.mean:.4g})   "
                f"KID x 1000 {1000 * one.kid.mean:.2f} ({1000 * floor.kid.mean:.2f})   "
                f"density {one.density.mean:.2f} ({floor.density.mean:.2f})   "
                f"coverage {one.coverage.mean:.2f} ({floor.coverage.mean:.2f})"
            )
        if self.dataset_spectrum and self.real_spectrum:
            ours, theirs = self.dataset_spectrum, self.real_spectrum
            yield f"spectrum, {ours.tiles} and {theirs.tiles} tiles, real in brackets"
            peaks = "   ".join(f"{at} {ours.peaks[at]:.2f} ({theirs.peaks[at]:.2f})" for at in ours.peaks)
            yield f"  power over its neighbours: {peaks}"
            yield f"  share of high frequencies {ours.high_share:.3%} ({theirs.high_share:.3%})"


def _set_json(words: WordSet) -> dict[str, object]:
    return {
        "path": printable(words.path),
        "images": len(words),
        "of": words.total,
        "labeled": words.labeled,
        "skipped": words.skipped.to_json(),
    }


def _readability_json(read: ReadSet | None) -> dict[str, object] | None:
    if read is None:
        return None
    values = asdict(read.summary) | {"right_standard_error": read.summary.right_error}
    if not read.summary.words:  # nothing was judged: neither right nor wrong
        shares = ("right", "right_standard_error", "within_one_edit", "edit_similarity")
        values |= dict.fromkeys(shares)
    return values
