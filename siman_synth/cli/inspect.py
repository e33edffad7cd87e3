"""`siman-synth inspect`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, reports_errors


@click.command("inspect", context_settings=HELP)
@click.argument("dataset", metavar="LMDB", type=click.Path(path_type=Path))
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a contact sheet with labels (PNG).",
)
@click.option(
    "--count", default=80, show_default=True, type=click.IntRange(min=1), help="Samples on the sheet."
)
@click.option(
    "--seed", type=click.IntRange(min=0), help="Draw the sheet's samples at random instead of evenly."
)
@reports_errors
def inspect_command(dataset: Path, sheet: Path | None, count: int, seed: int | None) -> None:
    """Count what a word LMDB holds and draw a contact sheet.

    \b
    Example: siman-synth inspect words --sheet words.png
    """
    from siman_synth.errors import OutputError
    from siman_synth.storage.contact_sheet import dataset_sheet
    from siman_synth.storage.inspect import inspect_dataset
    from siman_synth.storage.lmdb_reader import LmdbReader

    with LmdbReader.open(dataset) as reader:
        click.echo(inspect_dataset(reader).to_text())
        if sheet is None:
            return
        picture = dataset_sheet(reader, count, seed)
    try:
        if not sheet.parent.exists():
            sheet.parent.mkdir(parents=True)
        picture.save(sheet, "PNG")
    except OSError as error:
        raise OutputError(
            f"Cannot write the sheet {sheet}: {error.strerror}. Choose another --sheet."
        ) from error
    click.echo(f"sheet of {min(count, len(reader))} samples in {sheet}")
