"""`siman-synth generate`."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from siman_synth.cli.options import (
    HELP,
    device_option,
    dry_run_option,
    out_option,
    recipe_options,
    reports_errors,
)

if TYPE_CHECKING:
    from siman_synth.synthesis.job import Job


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@click.command("generate", context_settings=HELP)
@click.option(
    "--n", "count", required=True, type=click.IntRange(min=1, max=999_999_999), help="How many samples."
)
@out_option("Folder of the LMDB; it will hold data.mdb and lock.mdb alone.")
@click.option(
    "--corpus",
    multiple=True,
    metavar="NAME|FILE[:WEIGHT]",
    help="Words: a bundled corpus or pattern, or a UTF-8 file with one word a line; a file without a capital "
    "letter is written in mixed case. May be given often.",
)
@click.option(
    "--styles",
    default="bundled",
    show_default=True,
    metavar="DIR|LIST|LMDB|NAME",
    help="Real crops that lend their style; they need no labels.",
)
@click.option(
    "--weights", type=click.Path(path_type=Path), help="A model from `pretrain`  [default: bundled]"
)
@click.option(
    "--fonts",
    multiple=True,
    metavar="all|FAMILY|FILE|DIR",
    help="Fonts of the content. May be given often.  [default: all bundled]",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Decides every sample."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    show_default="cores; all of a cluster",
    help="Processes, or shards that a cluster makes at a time; never changes the bytes.",
)
@click.option(
    "--backend",
    type=click.Choice(["loky", "dask", "ray"]),
    default="loky",
    show_default=True,
    help="Where the workers are: on this machine, or on a Dask or Ray cluster (docs/cluster.md).",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="The cluster's address  [default: DASK_SCHEDULER_ADDRESS or RAY_ADDRESS]",
)
@click.option(
    "--gate",
    type=click.Choice(["off", "ink", "readable"]),
    help="What is refused and drawn anew: nothing, words whose ink does not stand out, or also words "
    "that a recognizer misreads.  [default: ink]",
)
@click.option(
    "--gate-edits",
    type=click.IntRange(min=0),
    help="How many characters the recognizer may get wrong.  [default: 0]",
)
@recipe_options("text.max_length=12")
@device_option
@click.option("--resume", is_flag=True, help="Finish a run that was stopped.")
@click.option("--overwrite", is_flag=True, help="Remove the data set at --out and begin anew.")
@dry_run_option
@reports_errors
def generate_command(
    count: int,
    out: Path,
    corpus: tuple[str, ...],
    styles: str,
    weights: Path | None,
    fonts: tuple[str, ...],
    seed: int,
    workers: int | None,
    backend: str,
    scheduler: str | None,
    gate: str | None,
    gate_edits: int | None,
    recipe: str | None,
    overrides: tuple[str, ...],
    device: str,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
) -> None:
    """Write labeled word images in borrowed styles as an LMDB.

    Stopped or killed, the run goes on with --resume and ends with the same bytes. Settings
    and a summary lie beside OUT as OUT.config.toml and OUT.summary.json.

    \b
    Example: siman-synth generate --corpus words.txt --styles crops/ --n 10000 --out train
    """
    if backend == "loky" and scheduler is not None:
        raise click.UsageError("--scheduler is for --backend dask and ray; loky runs on this machine alone.")
    try:
        # The imports take seconds, in which Ctrl-C may come.
        with _on_stop(lambda: _end(out)):
            from siman_synth.config import load_config
            from siman_synth.models.bundled import weights_file
            from siman_synth.models.device import resolve_device
            from siman_synth.resources import resource_folder
            from siman_synth.synthesis.config import GenerateConfig
            from siman_synth.synthesis.job import Job
            from siman_synth.synthesis.pipeline import generate

        with _on_stop(_interrupt):
            job = Job(
                corpus=corpus or ("default",),
                styles=styles,
                fonts=fonts or ("all",),
                weights=weights_file(weights),
                device=str(resolve_device(device)),
                seed=seed,
                count=count,
                config=load_config(
                    GenerateConfig,
                    recipe,
                    (*_gate_settings(gate, gate_edits), *overrides),
                    resource_folder("recipes"),
                ),
            )
            if dry_run:
                click.echo(_resolved(job))
            else:
                if backend == "loky":
                    workers = workers or _cores()
                result = generate(job, out, workers, resume, overwrite, backend=backend, scheduler=scheduler)
                click.echo(result.to_text())
    except KeyboardInterrupt:
        click.echo(f"\n{_how_to_go_on(out)}", err=True)
        raise SystemExit(130) from None


def _gate_settings(gate: str | None, edits: int | None) -> tuple[str, ...]:
    settings: tuple[str, ...] = ()
    if gate is not None:
        settings = (f"gate.ink={_toml(gate != 'off')}", f"gate.readable={_toml(gate == 'readable')}")
    return settings if edits is None else (*settings, f"gate.edits={edits}")


def _toml(value: bool) -> str:
    return str(value).lower()


def _resolved(job: "Job") -> str:
    from siman_synth.config import fingerprint, to_toml
    from siman_synth.synthesis.inputs import check_inputs
    from siman_synth.synthesis.pipeline import skipped_lines

    inputs = check_inputs(job)
    notes = [
        f"{len(inputs.opened.styles)} styles, {len(inputs.opened.fonts)} fonts, {job.count} samples",
        *skipped_lines(inputs.skipped),
        f"fingerprint {fingerprint(job.identity(inputs.contents))}",
    ]
    return "\n".join([to_toml(job.config), *(f"# {note}" for note in notes)])


def _how_to_go_on(out: Path) -> str:
    from siman_synth.synthesis.run_folder import RunPaths

    run = RunPaths(out).run
    if run.exists():
        return f"Stopped. Finished shards are in {run}; run the same command with --resume to go on."
    return "Stopped before anything was made."


def _interrupt() -> None:
    raise KeyboardInterrupt


def _end(out: Path) -> None:
    """End without raising: an exception in the midst of their import aborts some libraries."""
    click.echo(f"\n{_how_to_go_on(out)}", err=True)
    os._exit(130)


@contextmanager
def _on_stop(act: Callable[[], None]) -> Iterator[None]:
    """Act on Ctrl-C, and on SIGTERM: batch systems send it before they kill."""

    def stopped(_signal: int, _frame: FrameType | None) -> None:
        act()

    previous = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            # Who told a process to ignore Ctrl-C, a shell that runs it in the background, means it.
            if signal.getsignal(number) is not signal.SIG_IGN:
                previous[number] = signal.signal(number, stopped)
    except ValueError:  # not the main thread: signals are somebody else's business
        pass
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
