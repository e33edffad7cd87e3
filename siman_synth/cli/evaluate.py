"""`siman-synth evaluate`."""

from pathlib import Path

import click

from siman_synth import stopping
from siman_synth.cli.options import HELP, plain_bars, reports_errors, say, written_since
from siman_synth.escaping import printable, printable_lines


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
    help="Maximum images per set, drawn at random.",
)
@click.option(
    "--ocr",
    metavar="ppocr|none|FILE",
    default="ppocr",
    show_default=True,
    help="OCR that judges readability; FILE is a recognizer of your own, or its run's folder.",
)
@click.option(
    "--features",
    default="imagenet,ocr",
    show_default=True,
    metavar="KIND[,KIND]",
    help="What distances are measured on: imagenet, ocr, or none.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Random seed of the draw."
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
    ocr: str,
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

    kinds = () if features == "none" else tuple(part.strip() for part in features.split(","))
    folder = out or default_out(dataset)
    plain_bars()
    is_written = written_since(folder / REPORT_FILE)
    stopping.last_words(
        lambda: printable_lines(
            f"Stopped, after the report in {folder} was written."
            if is_written()
            else "Stopped. No report was written."
        )
    )
    found = evaluate(
        dataset, real, folder, count=count, seed=seed, ocr=ocr, features=kinds, show_real=show_real
    )
    say(found.to_text())
    say(f"report in {printable(folder / REPORT_FILE)}")
