"""`siman-synth generate`."""

import os
from pathlib import Path

import click

from siman_synth.cli.options import device_option, dry_run_option, out_option, recipe_options, reports_errors


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@click.command("generate")
@click.option("--n", "count", required=True, type=click.IntRange(min=1), help="How many samples.")
@out_option("Folder of the LMDB; it will hold data.mdb and lock.mdb alone.")
@click.option(
    "--corpus",
    multiple=True,
    metavar="NAME|FILE[:WEIGHT]",
    help="Words: a bundled corpus or pattern, or a UTF-8 file with one word a line. May be given often.",
)
@click.option(
    "--styles",
    default="bundled",
    show_default=True,
    metavar="DIR|LIST|LMDB|NAME",
    help="Real crops that lend their style; they need no labels.",
)
@click.option("--weights", type=click.Path(path_type=Path), help="A model from `pretrain`  [default: bundled]")
@click.option(
    "--fonts", multiple=True, metavar="all|FAMILY|FILE|DIR", help="Fonts of the content  [default: all bundled]"
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Decides every sample.")
@click.option(
    "--workers", type=click.IntRange(min=1), default=_cores, show_default="cores", help="Processes; never changes the bytes."
)
@recipe_options
@device_option
@click.option("--resume", is_flag=True, help="Finish a run that was stopped.")
@click.option("--overwrite", is_flag=True, help="Remove what is at --out and begin anew.")
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
    workers: int,
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
    from siman_synth.config import fingerprint, load_config, to_toml
    from siman_synth.models.device import resolve_device
    from siman_synth.resources import resource_folder
    from siman_synth.synthesis.config import GenerateConfig
    from siman_synth.synthesis.inputs import open_inputs
    from siman_synth.synthesis.job import Job
    from siman_synth.synthesis.pipeline import RunPaths, generate
    from siman_synth.synthesis.synthesizer import weights_file

    config = load_config(GenerateConfig, recipe, overrides, resource_folder("recipes"))
    job = Job(
        corpus=corpus or ("default",),
        styles=styles,
        fonts=fonts or ("all",),
        weights=weights_file(weights),
        device=str(resolve_device(device)),
        seed=seed,
        count=count,
        config=config,
    )
    if dry_run:
        inputs = open_inputs(job)
        click.echo(to_toml(config))
        click.echo(f"# {len(inputs.styles)} styles, {len(inputs.fonts)} fonts, {count} samples")
        for tally in (inputs.mixture.skipped, inputs.fonts.skipped, inputs.styles.skipped):
            for line in tally.lines():
                click.echo(f"# skipped: {line}")
        click.echo(f"# fingerprint {fingerprint(job.identity(inputs.contents))}")
        return
    try:
        result = generate(job, out, workers, resume, overwrite)
    except KeyboardInterrupt:
        click.echo(
            f"\nStopped. Finished shards are in {RunPaths(out).run}; run the same command with --resume to go on.",
            err=True,
        )
        raise SystemExit(130) from None
    click.echo(result.to_text())
