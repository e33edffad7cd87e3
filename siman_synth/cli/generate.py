"""`siman-synth generate`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from siman_synth import stopping
from siman_synth.cli.options import (
    HELP,
    device_option,
    dry_run_option,
    out_option,
    plain_bars,
    recipe_options,
    reports_errors,
    say,
    written_since,
)
from siman_synth.escaping import printable_lines

if TYPE_CHECKING:
    from siman_synth.runs.job import Job
    from siman_synth.runs.run_folder import RunPaths


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
    "letter is written in mixed case. Can be repeated.",
)
@click.option(
    "--language",
    metavar="CODE",
    help="Language of the words, such as ar, ja or tr: their word list if --corpus names none, their fonts, "
    "and how letter case is written.",
)
@click.option(
    "--styles",
    multiple=True,
    metavar="DIR|LIST|LMDB|NAME",
    help="Real crops whose look the words take on; they need no labels. Can be repeated.  [default: bundled]",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="A model from `pretrain`, file or run, or small or light, which ship  [default: small]",
)
@click.option(
    "--fonts",
    multiple=True,
    metavar="all|printers|FAMILY|FILE|DIR",
    help="Fonts that words are drawn in; printers: those of printers and tills; FILE.ttc#2 is one face of a "
    "collection. Can be repeated.  "
    "[default: all bundled]",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Random seed.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    show_default="cores; all of a cluster",
    help="Number of processes (on a cluster: shards made at a time); the output does not depend on it.",
)
@click.option(
    "--backend",
    type=click.Choice(["local", "dask", "ray", "loky"]),
    default="local",
    show_default=True,
    help="Where the workers are: on this machine, or on a Dask or Ray cluster (docs/cluster.md); loky is an "
    "old name of local.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="The cluster's address  [default: DASK_SCHEDULER_ADDRESS or RAY_ADDRESS]",
)
@click.option(
    "--gate",
    type=click.Choice(["off", "ink", "readable"]),
    help="What is rejected and resampled: nothing (off), words whose ink does not stand out (ink), or these "
    "and words that OCR misreads (readable).  [default: ink]",
)
@click.option(
    "--gate-edits",
    type=click.IntRange(min=0),
    help="How many characters OCR may get wrong.  [default: 0]",
)
@click.option(
    "--gate-ocr",
    metavar="ppocr|FILE",
    help="OCR of --gate readable; FILE is a recognizer of your own, or its run's folder.  [default: ppocr]",
)
@click.option(
    "--gate-unjudged",
    type=click.Choice(["refuse", "pass"]),
    help="What --gate readable does where OCR has not the characters of most labels.  [default: refuse]",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that `fit` wrote: recipe, words, crops, fonts and weights. Options beside it go before.",
)
@recipe_options("text.max_length=12")
@device_option
@click.option("--resume", is_flag=True, help="Finish a run that was stopped.")
@click.option("--overwrite", is_flag=True, help="Remove the data set at --out and start over.")
@dry_run_option
@reports_errors
def generate_command(
    count: int,
    out: Path,
    corpus: tuple[str, ...],
    language: str | None,
    styles: tuple[str, ...],
    weights: Path | None,
    fonts: tuple[str, ...],
    seed: int,
    workers: int | None,
    backend: str,
    scheduler: str | None,
    gate: str | None,
    gate_edits: int | None,
    gate_ocr: str | None,
    gate_unjudged: str | None,
    model: Path | None,
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
    if gate_ocr is not None and gate != "readable":
        raise click.UsageError("--gate-ocr is for --gate readable; no other gate asks OCR.")
    if backend in ("local", "loky") and scheduler is not None:
        raise click.UsageError("--scheduler is for --backend dask and ray; local runs on this machine alone.")
    from siman_synth.runs.run_folder import RunPaths
    from siman_synth.storage.lmdb_format import DATA_FILE

    paths = RunPaths(out)
    is_done = written_since(paths.out / DATA_FILE)
    stopping.last_words(lambda: printable_lines(_how_to_go_on(paths, is_done())))
    from siman_synth.config import load_config
    from siman_synth.fitting.model import Model
    from siman_synth.models.bundled import weights_file
    from siman_synth.models.device import resolve_device
    from siman_synth.resources import resource_folder
    from siman_synth.runs.generate import generate
    from siman_synth.runs.job import Job
    from siman_synth.runs.process import settle
    from siman_synth.synthesis.config import GenerateConfig

    fitted = None if model is None else Model.open(model)
    if fitted is not None:
        corpus, fonts = corpus or fitted.corpus, fonts or fitted.fonts
        styles, weights = styles or fitted.styles, weights or fitted.weights
        recipe = recipe or str(fitted.recipe)
    job = Job(
        corpus=corpus or ("default",),
        styles=styles or ("bundled",),
        fonts=fonts or ("all",),
        weights=weights_file(weights),
        device=str(resolve_device(device)),
        seed=seed,
        count=count,
        config=load_config(
            GenerateConfig,
            recipe,
            (
                *_gate_settings(gate, gate_edits, gate_ocr or "ppocr", gate_unjudged),
                *_language_setting(language),
                *overrides,
            ),
            resource_folder("recipes"),
        ),
    )
    for name, value in (("--gate-edits", gate_edits), ("--gate-unjudged", gate_unjudged)):
        if value is not None and job.config.gate.ocr == "none":
            raise click.UsageError(f"{name} is for --gate readable; no other gate asks OCR.")
    if dry_run:
        say(_resolved(job))
        return
    if backend in ("local", "loky"):
        from joblib import cpu_count  # it knows the limits of containers and batch systems

        workers = workers or cpu_count()
    settle()
    plain_bars()
    result = generate(job, out, workers, resume, overwrite, backend=backend, scheduler=scheduler)
    say(result.to_text())


def _language_setting(language: str | None) -> tuple[str, ...]:
    return () if language is None else (f"text.language={json.dumps(language)}",)


def _gate_settings(gate: str | None, edits: int | None, ocr: str, unjudged: str | None) -> tuple[str, ...]:
    settings: tuple[str, ...] = ()
    if gate is not None:
        # A text of JSON is one of TOML, quotes, backslashes and all.
        settings = (
            f"gate.ink={json.dumps(gate != 'off')}",
            f"gate.ocr={json.dumps(ocr if gate == 'readable' else 'none')}",
        )
    if unjudged is not None:
        settings = (*settings, f"gate.unjudged={json.dumps(unjudged)}")
    return settings if edits is None else (*settings, f"gate.edits={edits}")


def _resolved(job: "Job") -> str:
    from siman_synth.config import fingerprint, to_toml
    from siman_synth.runs.inputs import check_inputs
    from siman_synth.runs.result import skipped_lines

    inputs = check_inputs(job)
    notes = [
        f"{len(inputs.opened.styles)} styles, {len(inputs.opened.fonts)} fonts, {job.count} samples",
        *skipped_lines(inputs.skipped),
        f"fingerprint {fingerprint(job.identity(inputs.contents))}",
    ]
    return "\n".join([to_toml(job.config), *(f"# {note}" for note in notes)])


def _how_to_go_on(paths: "RunPaths", is_done: bool) -> str:
    if paths.run.exists():
        return f"Stopped. Finished shards are in {paths.run}; run the same command with --resume to go on."
    if is_done:
        return f"Stopped, after {paths.out} was finished."
    return "Stopped before anything was made."
