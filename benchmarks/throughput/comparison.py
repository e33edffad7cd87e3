"""Section `peers`: other generators in the same run, with the same words and font files."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from .generate import Settings
from .runs import Fit, Run, RunError, alternate, measure

_DRIVERS = Path(__file__).with_name("peers")
VARIANTS = {
    "synthtiger": ("short", "example"),
    "trdg": ("stock", "pictures"),
    "text_renderer": ("words",),
    "doctr_synth_generator": ("words",),
}
_MODULES = {"doctr_synth_generator": "generator"}
"""What a peer is imported by, where that is not its name."""
"""Peers and the settings that each is measured with; `peers/*.py` say what these are."""
EARLIER = "earlier"
"""Names a checkout of siman-synth at another commit, which runs with this environment."""
_NEEDS_CHECKOUT = {("synthtiger", "example")}


def peers(
    settings: Settings,
    pythons: Mapping[str, str],
    checkouts: Mapping[str, Path],
    sizes: tuple[int, int],
) -> None:
    """Measure every peer that is installed, in turns with ours; ratios are of this run alone."""
    report = settings.report
    candidates = {"siman-synth": settings.candidate()}
    if EARLIER in checkouts:
        candidates["siman-synth, earlier"] = settings.candidate(checkout=checkouts[EARLIER])
    for name, variants in VARIANTS.items():
        if why := _why_not(settings, name, pythons):
            report.missing(name, why)
            continue
        for variant in variants:
            if (name, variant) in _NEEDS_CHECKOUT and name not in checkouts:
                report.missing(f"{name}, {variant}", f"pass --checkout {name}=FOLDER")
                continue
            label = f"{name}, {variant}"
            candidates[label] = sizes, _runner(settings, name, pythons[name], variant, checkouts.get(name))
    fits = alternate(candidates, settings.repeats)
    ours = fits["siman-synth"]
    for label, fit in fits.items():
        if isinstance(fit, RunError):
            report.missing(label, f"failed: {fit}")
            continue
        low, high = fit.cpu_ms_range
        note = f"slope from {fit.small} to {fit.large} images, {low:.1f} to {high:.1f}"
        report.add(f"{label}, an image more", fit.cpu_ms, "CPU-ms", note, runs=fit.runs)
        first = f"; first file or shard after {fit.first_s:.1f} s" if fit.first_s is not None else ""
        report.add(f"{label}, start-up", fit.start_cpu_s, "CPU-s", f"{fit.start_wall_s:.1f} s{first}")
        if isinstance(ours, Fit) and fit is not ours:
            report.add(f"{label}, cost against ours", fit.cpu_ms / ours.cpu_ms, "times")


def _why_not(settings: Settings, name: str, pythons: Mapping[str, str]) -> str:
    """Say why a peer cannot be measured, "" if it can."""
    if name not in pythons:
        return f"not installed: pass --peer {name}=PYTHON"
    try:
        measure([pythons[name], "-c", f"import {_MODULES.get(name, name)}"], folder=settings.folder)
    except RunError as error:
        return f"not installed: {str(error).rsplit(' | ')[-1]}"
    return ""


def _runner(
    settings: Settings, name: str, python: str, variant: str, checkout: Path | None
) -> Callable[[int], tuple[int, Run]]:
    out = settings.folder / name

    def run(count: int) -> tuple[int, Run]:
        shutil.rmtree(out, ignore_errors=True)
        request = settings.inputs.request(out, count, variant, checkout)
        measured = measure(
            [python, _DRIVERS / f"run_{name}.py", request],
            folder=settings.folder,
            first=lambda: next(out.rglob("*.jpg"), None) is not None,
        )
        made = int(json.loads(measured.output.splitlines()[-1])["images"])
        shutil.rmtree(out)
        if made < 0.5 * count:
            raise RunError(f"made {made} of {count} images")
        return made, measured

    return run
