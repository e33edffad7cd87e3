"""`siman-synth inspect`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, reports_errors, say
from siman_synth.escaping import printable


@click.command("inspect", context_settings=HELP)
@click.argument("dataset", metavar="DATASET", type=click.Path(path_type=Path))
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a contact sheet with labels (PNG); of files that exist, only a sheet is replaced.",
)
@click.option(
    "--count", default=80, show_default=True, type=click.IntRange(min=1), help="Samples on the sheet."
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    help="Random seed of the sheet's samples  [default: spread evenly over the set]",
)
@reports_errors
def inspect_command(dataset: Path, sheet: Path | None, count: int, seed: int | None) -> None:
    """Count what a data set holds and draw a contact sheet.

    DATASET is an LMDB, or a set in any layout that `export` writes.

    \b
    Example: siman-synth inspect words --sheet words.png
    """
    from siman_synth.errors import OutputError
    from siman_synth.files import write_bytes
    from siman_synth.storage.apart import run_apart
    from siman_synth.storage.sheet_file import require_sheet_name
    from siman_synth.storage.tasks import inspected

    if sheet is not None:
        require_sheet_name(sheet)
    text, picture, shown = run_apart(inspected, dataset, None if sheet is None else count, seed)
    say(text)
    if sheet is None:
        return
    try:
        if not sheet.parent.exists():
            sheet.parent.mkdir(parents=True)
        write_bytes(sheet, picture)
    except OSError as error:
        raise OutputError(
            f"Cannot write the sheet {sheet}: {error.strerror}. Choose another --sheet."
        ) from error
    say(f"sheet of {shown} samples in {printable(sheet)}")
