"""`siman-synth evaluate`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, reports_errors


@click.command("evaluate", context_settings=HELP)
@click.argument("dataset", metavar="DATASET", type=click.Path(path_type=Path))
@click.option(
    "--real",
    required=True,
    type=click.Path(path_type=Path),
    help="Real crops to compare with: a folder tree, a list file, or an LMDB, labeled or not.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the report  [default: DATASET.report]",
)
@click.option(
    "--n",
    "count",
    default=2000,
    show_default=True,
    type=click.IntRange(min=50),
    help="At most so many images of either set, chosen at random.",
)
@click.option(
    "--reader",
    type=click.Choice(("ppocr", "none")),
    default="ppocr",
    show_default=True,
    help="The recognizer that judges readability.",
)
@click.option(
    "--features",
    default="imagenet,reader",
    show_default=True,
    metavar="KIND[,KIND]",
    help="What distances are measured on: imagenet, reader, or none.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Decides which images."
)
@click.option(
    "--show-real/--hide-real",
    default=True,
    show_default=True,
    help="Show pictures of real crops in the report; hide them in one that leaves your hands.",
)
@reports_errors
def evaluate_command(
    dataset: Path,
    real: Path,
    out: Path | None,
    count: int,
    reader: str,
    features: str,
    seed: int,
    show_real: bool,
) -> None:
    """Measure how readable a data set is, and how close to real crops.

    Writes report.html, one page with all its pictures, and metrics.json. Needs
    pip install "siman-synth[evaluate]".

    \b
    Example: siman-synth evaluate words --real crops/
    """
    from siman_synth.evaluation.pipeline import REPORT_FILE, default_out, evaluate
    from siman_synth.evaluation.result import Job

    kinds = () if features == "none" else tuple(dict.fromkeys(part.strip() for part in features.split(",")))
    folder = out or default_out(dataset)
    click.echo(evaluate(Job(dataset, real, count, seed, reader, kinds, show_real), folder).to_text())
    click.echo(f"report in {folder / REPORT_FILE}")
