"""Sections `cost`, `workers` and `memory`: the command `siman-synth generate` as a user runs it."""

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .inputs import Inputs
from .report import Report
from .runs import Fit, Memory, Run, RunError, alternate, measure

_NETWORK = Path(__file__).with_name("network.py")


@dataclass(frozen=True)
class Settings:
    """What the sections have in common."""

    inputs: Inputs
    report: Report
    sizes: tuple[int, int]
    """Images of the small and of the large run."""
    repeats: int
    styles: str
    options: tuple[str, ...] = ()
    """More options for `siman-synth generate`."""
    device: str = "cpu"

    @property
    def folder(self) -> Path:
        """Where the runs take place."""
        return self.inputs.folder

    def generate(
        self,
        count: int,
        *,
        workers: int = 1,
        corpus: Path | None = None,
        styles: str | Path | None = None,
        extra: Sequence[str] = (),
        memory: bool = False,
        program: Sequence[str | Path] = (sys.executable, "-m", "siman_synth"),
    ) -> Run:
        """Run `siman-synth generate`, or another `program` of its kind; the first result is the first
        finished shard.

        Raises:
            RunError: it failed, or made another number of images.
        """
        out = self.folder / "ours"
        remove_data(out)
        shards = Path(f"{out}.run", "shards")
        run = measure(
            [
                *program, "generate",
                "--n", str(count), "--out", out, "--workers", str(workers), "--seed", "1",
                "--corpus", corpus or self.inputs.words, "--fonts", "all",
                "--styles", styles or self.styles, "--device", self.device, *extra, *self.options,
                "--overwrite",
            ],
            folder=self.folder,
            first=lambda: any(shards.glob("*.json")),
            memory=memory,
        )  # fmt: skip
        made = json.loads(Path(f"{out}.summary.json").read_text())["made"]
        remove_data(out)
        if made < 0.98 * count:
            raise RunError(f"made {made} of {count} images")
        return run

    def candidate(
        self, workers: int = 1, checkout: Path | None = None
    ) -> tuple[tuple[int, int], Callable[[int], tuple[int, Run]]]:
        """Return sizes and runner for `alternate`; with `checkout`, of the siman-synth that lies there."""
        program: tuple[str | Path, ...] = (sys.executable, "-m", "siman_synth")
        settings = self
        if checkout is not None:
            program = ("env", f"PYTHONPATH={checkout.resolve()}", *program)
            settings = replace(self, options=_without_weights(self.options))
        return self.sizes, lambda count: (count, settings.generate(count, workers=workers, program=program))


def _without_weights(options: Sequence[str]) -> tuple[str, ...]:
    """Leave `--weights` out: another commit has weights of its own."""
    kept = list(options)
    while "--weights" in kept:
        place = kept.index("--weights")
        del kept[place : place + 2]
    return tuple(kept)


def label(workers: int) -> str:
    """Return "1 worker" or "2 workers"."""
    return f"{workers} worker{'s' if workers > 1 else ''}"


def remove_data(out: Path) -> None:
    """Remove a data set and what lies beside it."""
    for path in (out, *out.parent.glob(f"{out.name}.*")):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def cost(settings: Settings) -> None:
    """One worker: CPU-ms an image, start-up, the network alone."""
    report, (small, large) = settings.report, settings.sizes
    with settings.report.attempt("generate, 1 worker"):
        fit = alternate({"ours": settings.candidate()}, settings.repeats)["ours"]
        if isinstance(fit, RunError):
            raise fit
        low, high = fit.cpu_ms_range
        report.add(
            "generate, 1 worker, an image more", fit.cpu_ms, "CPU-ms",
            f"slope from {small} to {large} images, median of {settings.repeats}, {low:.1f} to {high:.1f}",
            runs=fit.runs,
        )  # fmt: skip
        report.add("start-up, CPU", fit.start_cpu_s, "s", "what is left at no image")
        report.add("start-up, clock", fit.start_wall_s, "s", "the same")
        if fit.first_s is not None:
            report.add("first finished shard on disk after", fit.first_s, "s", "up to 250 images")
    with settings.report.attempt("first image"):
        runs = [
            settings.generate(64, extra=("--set", "execution.shard_size=16")) for _ in range(settings.repeats)
        ]
        firsts = sorted(run.first_s for run in runs if run.first_s is not None)
        report.add("first image on disk after", firsts[len(firsts) // 2], "s", "shards of 16, so 16 images")
    with settings.report.attempt("network alone"):
        words = settings.inputs.words
        run = measure([sys.executable, _NETWORK, "restyle", "--words", words], folder=settings.folder)
        found = json.loads(run.output.splitlines()[-1])
        report.add(
            "network alone (Synthesizer.restyle)", found["cpu_ms"], "CPU-ms",
            f"one thread, {found['words']} words a call as in a shard, reading their styles included, "
            f"{found['mean_width_px']:.0f} px wide in the mean",
        )  # fmt: skip


def workers(settings: Settings, counts: Sequence[int]) -> None:
    """The clock with one and with more workers, in turns."""
    report, large = settings.report, settings.sizes[1]
    names = {label(count): count for count in counts}
    fits = alternate({name: settings.candidate(count) for name, count in names.items()}, settings.repeats)
    base: Fit | None = None
    for name, fit in fits.items():
        if isinstance(fit, RunError):
            report.missing(name, f"failed: {fit}")
            continue
        base = base or fit
        report.add(f"{name}, {large} images", fit.whole_wall_s, "s", "whole process", runs=fit.runs)
        report.add(f"{name}, an image more", fit.wall_ms, "ms", f"{fit.cpu_ms:.1f} CPU-ms")
        report.add(f"{name}, first shard after", fit.first_s, "s")
        if fit is not base:
            report.add(f"{name}, as fast, whole process", base.whole_wall_s / fit.whole_wall_s, "times")
            report.add(f"{name}, as fast, an image more", base.wall_ms / fit.wall_ms, "times")


def memory(
    settings: Settings, counts: Sequence[int], sizes: Sequence[int], corpus_lines: int, pool_crops: int
) -> None:
    """Resident memory of all processes together: by images, by lines of corpus, by crops of pool."""
    report = settings.report
    if importlib.util.find_spec("psutil") is None:
        report.missing("resident memory", "psutil is not installed")
        return
    small_corpus, images = 10_000, sizes[0]
    for count in counts:
        for size in sizes:
            with report.attempt(f"{size} images, {label(count)}"):
                run = settings.generate(size, workers=count, memory=True)
                assert run.peak is not None
                own = f"{run.peak.own_mb:.0f} MB without pages of files"
                report.add(f"{size} images, {label(count)}", run.peak.resident_mb, "MB", own)
        base: Memory | None = None
        for name, corpus, styles in (
            (f"corpus of {small_corpus:,} lines", lambda: settings.inputs.corpus(small_corpus), None),
            (f"corpus of {corpus_lines:,} lines", lambda: settings.inputs.corpus(corpus_lines), None),
            (
                f"pool of {pool_crops:,} crops",
                lambda: settings.inputs.corpus(small_corpus),
                lambda: settings.inputs.pool(pool_crops),
            ),
        ):
            what = f"{name}, {label(count)}"
            with report.attempt(what):
                run = settings.generate(
                    images, workers=count, corpus=corpus(), styles=styles() if styles else None,
                    extra=("--set", "execution.shard_size=16"), memory=True,
                )  # fmt: skip
                assert run.peak is not None
                base = base or run.peak
                more = run.peak.own_mb - base.own_mb
                note = f"{images} images" if run.peak is base else f"{more:+.0f} MB without pages of files"
                report.add(what, run.peak.resident_mb, "MB", note)
                report.add(f"{what}, first image after", run.first_s, "s", "16 images; sampled meanwhile")
