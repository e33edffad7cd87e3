"""`siman-synth verify`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, reports_errors, say

_TRAINERS = ("dtrb", "parseq", "openocr", "paddleocr", "mmocr")


@click.command("verify", context_settings=HELP)
@click.argument("dataset", metavar="DATASET", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "trainer",
    type=click.Choice(_TRAINERS),
    help="Also apply this trainer's filters to the labels.",
)
@click.option(
    "--charset",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The trainer's characters in place of its default ones: a UTF-8 file, in one line or one a line.",
)
@click.option(
    "--max-length",
    type=click.IntRange(min=1),
    help="The trainer's longest label in place of its default one.",
)
@reports_errors
def verify_command(dataset: Path, trainer: str | None, charset: Path | None, max_length: int | None) -> None:
    """Check that every image decodes and every label is there; exit 1 if not.

    DATASET is an LMDB, or a set in any layout that `export` writes. With --for: how many samples
    survive that trainer's filters, and why the others do not.

    \b
    Example: siman-synth verify words --for parseq
    """
    if trainer is None and (charset or max_length):
        raise click.UsageError("--charset and --max-length say how a trainer is set up; name it with --for.")
    from siman_synth.storage.apart import run_apart
    from siman_synth.storage.tasks import verified

    text, ok = run_apart(verified, dataset, trainer, charset, max_length)
    say(text)
    if not ok:
        raise SystemExit(1)
