"""`siman-synth verify`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, reports_errors, say

_TRAINERS = ("dtrb", "parseq", "openocr", "paddleocr", "mmocr")


@click.command("verify", context_settings=HELP)
@click.argument("dataset", metavar="LMDB", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "trainer",
    type=click.Choice(_TRAINERS),
    help="Also apply this trainer's filters to the labels.",
)
@reports_errors
def verify_command(dataset: Path, trainer: str | None) -> None:
    """Check that every image decodes and every label is there; exit 1 if not.

    With --for: how many samples survive that trainer's default filters, and why the others
    do not.

    \b
    Example: siman-synth verify words --for parseq
    """
    from siman_synth.storage.apart import run_apart
    from siman_synth.storage.tasks import verified

    text, ok = run_apart(verified, dataset, trainer)
    say(text)
    if not ok:
        raise SystemExit(1)
