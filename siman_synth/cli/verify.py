"""`siman-synth verify`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, reports_errors

_READERS = ("dtrb", "parseq", "openocr", "paddleocr", "mmocr")


@click.command("verify", context_settings=HELP)
@click.argument("dataset", metavar="LMDB", type=click.Path(path_type=Path))
@click.option(
    "--reader",
    "reader_name",
    type=click.Choice(_READERS),
    help="Also apply this recognizer's filters to the labels.",
)
@reports_errors
def verify_command(dataset: Path, reader_name: str | None) -> None:
    """Check that every image decodes and every label is there; exit 1 if not.

    With --reader: how many samples survive that recognizer's default filters, and why the
    others do not.

    \b
    Example: siman-synth verify words --reader parseq
    """
    from siman_synth.storage.lmdb_reader import LmdbReader
    from siman_synth.storage.reader_rules import READER_RULES
    from siman_synth.storage.verify import verify_dataset

    rule = None if reader_name is None else READER_RULES[reader_name]
    with LmdbReader.open(dataset) as reader:
        report = verify_dataset(reader, rule)
    click.echo(report.to_text())
    if not report.ok:
        raise SystemExit(1)
