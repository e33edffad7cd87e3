"""Sections `pretrain` and `gpu`: training on either, and the network and whole runs on a GPU."""

import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from siman_synth.resources import resource_folder

from .generate import Settings, label
from .runs import RunError, alternate, measure

_HERE = Path(__file__).parent
_FIND_GPU = "import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else '')"
_PEAK_TFLOPS = {"H200": 989.0, "H100 PCIe": 756.0, "H100": 989.0, "A100": 312.0}
"""Dense bf16 by the vendor's data sheets; the first name that is part of the device's counts."""
_PAPER_STEPS = 400_000


def find_gpu(settings: Settings) -> str:
    """Return the name of the CUDA device, or "" if there is none."""
    return measure([sys.executable, "-c", _FIND_GPU], folder=settings.folder).output.strip()


def steps_per_second(
    settings: Settings, crops: Path, recipe: str, batch: int, device: str, steps: int, warm_up: int
) -> float:
    """Run `siman-synth pretrain` and return the rate after the warm-up, from its stats.jsonl.

    Raises:
        RunError: it failed.
    """
    out = settings.folder / "pretrained"
    shutil.rmtree(out, ignore_errors=True)
    every, never = warm_up, 10 * steps
    values = {
        "training.steps": steps, "training.batch_size": batch, "data.held_out": 64,
        "training.precision": "bf16" if device == "cuda" else "fp32", "logging.stats_every": every,
        "logging.panel_every": never, "logging.checkpoint_every": never, "logging.snapshot_every": never,
    }  # fmt: skip
    overrides = [part for key, value in values.items() for part in ("--set", f"{key}={value}")]
    measure(
        [
            sys.executable, "-m", "siman_synth", "pretrain", "--crops", crops.resolve(), "--out", out,
            "--recipe", recipe, "--device", device, "--cache", settings.folder / "cache", *overrides,
        ],
        folder=settings.folder, threads=True,
    )  # fmt: skip
    lines = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    shutil.rmtree(out)
    # Each line covers as many steps as the next; the first one holds the warm-up.
    seconds = [batch / line["images_per_second"] for line in lines[1:] if "images_per_second" in line]
    return len(seconds) / sum(seconds)


def pretrain(settings: Settings, crops: Path | None) -> None:
    """Steps a second of the small recipe on the CPU, all cores."""
    if crops is None:
        settings.report.missing("small recipe, batch 64", "pass --crops")
        return
    with settings.report.attempt("small recipe, batch 64"):
        rate = steps_per_second(settings, crops, "small", 64, "cpu", steps=150, warm_up=50)
        settings.report.add(
            "small recipe, batch 64", rate, "steps/s", "the last 100 of 150 steps, fp32, all cores"
        )


def gpu(
    settings: Settings,
    crops: Path | None,
    device: str,
    batches: Sequence[int],
    counts: Sequence[int],
    peak: float | None,
) -> None:
    """The network alone, whole runs and pretraining on a CUDA device; without --crops on the bundled ones."""
    report, name = settings.report, ""
    with report.attempt("GPU"):
        name = find_gpu(settings)
    if not name:
        report.missing("GPU", "no CUDA device")
        return
    if device != "cuda":
        report.missing("GPU", f"pass --device cuda to measure the {name}")
        return
    peak = peak or next((value for key, value in _PEAK_TFLOPS.items() if key in name), None)
    report.add("bf16 peak", peak, "TFLOP/s", f"{name}, dense" if peak else f"{name}: pass --peak-tflops")
    for precision in ("fp32", "bf16"):
        for batch in batches:
            with report.attempt(f"network alone, {precision}, batch {batch}"):
                run = measure(
                    [
                        sys.executable, _HERE / "network.py", "batches", "--device", "cuda",
                        "--precision", precision, "--batch", str(batch),
                    ],
                    folder=settings.folder,
                )  # fmt: skip
                found = json.loads(run.output.splitlines()[-1])
                report.add(
                    f"network alone, {precision}, batch {batch}", found["images_per_second"], "images/s",
                    f"32 x {found['width_px']} px, styles encoded before, tensors on the device",
                )  # fmt: skip
    _whole_runs(settings, counts)
    _pretraining(settings, crops or resource_folder("styles") / "crops", peak)


def _whole_runs(settings: Settings, counts: Sequence[int]) -> None:
    fits = alternate({label(count): settings.candidate(count) for count in counts}, settings.repeats)
    for name, fit in fits.items():
        what = f"generate, {name}"
        if isinstance(fit, RunError):
            settings.report.missing(what, f"failed: {fit}")
        else:
            note = f"an image more, {fit.cpu_ms:.1f} CPU-ms; {fit.large} images took {fit.whole_wall_s:.1f} s"
            settings.report.add(what, 1e3 / fit.wall_ms, "images/s", note, runs=fit.runs)


def _pretraining(settings: Settings, crops: Path, peak: float | None) -> None:
    report, batch = settings.report, 256
    for recipe in ("small", "paper"):
        what = f"pretraining, {recipe} recipe, batch {batch}, bf16"
        with report.attempt(what):
            rate = steps_per_second(settings, crops, recipe, batch, "cuda", steps=400, warm_up=100)
            report.add(what, rate * batch, "images/s", f"{rate:.2f} steps/s, the last 300 of 400 steps")
            hours = _PAPER_STEPS / rate / 3600
            report.add(f"{what}, {_PAPER_STEPS:,} steps", hours, "h", "extrapolated")
            counted = measure(
                [sys.executable, _HERE / "flops.py", "--recipe", recipe], folder=settings.folder, threads=True
            )
            gflops = json.loads(counted.output.splitlines()[-1])["gflop_per_image"]
            tflops = gflops * rate * batch / 1e3
            note = f"{gflops:.2f} GFLOP an image and step, both networks, forward and backward"
            report.add(f"{what}, arithmetic", tflops, "TFLOP/s", note)
            if peak:
                report.add(f"{what}, share of the bf16 peak", 100 * tflops / peak, "%")
