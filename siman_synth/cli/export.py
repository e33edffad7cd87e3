"""`siman-synth export`."""

from pathlib import Path

import click

from siman_synth import stopping
from siman_synth.cli.options import HELP, FiniteRange, out_option, plain_bars, reports_errors, say
from siman_synth.escaping import printable_lines

_FORMATS = (
    "paddleocr", "imagefolder", "parquet", "webdataset", "doctr", "easyocr", "kraken", "tesstrain", "mmocr",
    "lmdb",
)  # fmt: skip


@click.command("export", context_settings=HELP)
@click.argument("dataset", metavar="DATASET", type=click.Path(path_type=Path))
@click.option("--to", required=True, type=click.Choice(_FORMATS), help="The layout to write.")
@out_option("Folder to make; it must not exist.")
@click.option(
    "--val",
    default=0.0,
    show_default=True,
    type=FiniteRange(min=0),
    metavar="SHARE|COUNT",
    help="How much to set apart for validation: a share below 1, or a count.",
)
@click.option(
    "--separate-words",
    is_flag=True,
    help="Never put the same word, whatever its case, on both sides.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Random seed of the split."
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with a sample's name (an LMDB key, a path, or a number) a line: no others are written.",
)
@click.option(
    "--drop", type=click.Path(path_type=Path, dir_okay=False), help="Such a file of samples to leave out."
)
@click.option("--resume", is_flag=True, help="Finish an export that was stopped.")
@reports_errors
def export_command(
    dataset: Path,
    to: str,
    out: Path,
    val: float,
    separate_words: bool,
    seed: int,
    keep: Path | None,
    drop: Path | None,
    resume: bool,
) -> None:
    """Write a labeled set in the layout that your trainer reads.

    DATASET is an LMDB, or a set in any of these layouts. Every sample is read back and compared
    with its source. Parquet needs pip install "siman-synth[parquet]".

    \b
    Example: siman-synth export words --to paddleocr --val 0.1 --out paddle
    """
    from siman_synth.exports.run import WORK_SUFFIX, export
    from siman_synth.files import beside

    work = beside(out, WORK_SUFFIX)
    stopping.last_words(
        lambda: printable_lines(
            f"Stopped. What is written is in {work}; run the same command with --resume to go on."
            if work.exists()
            else "Stopped."
        )
    )
    plain_bars()
    result = export(
        dataset,
        to,
        out,
        validation=val,
        separate_words=separate_words,
        seed=seed,
        keep=keep,
        drop=drop,
        resume=resume,
    )
    say(result.to_text())
