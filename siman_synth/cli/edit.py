"""`siman-synth edit`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from siman_synth.cli.options import HELP, device_option, plain_bars, reports_errors, say

if TYPE_CHECKING:
    from siman_synth.editing.tasks import Outcome

MISREAD_STATUS = 3


class _Numbers(click.ParamType):  # type: ignore[type-arg, unused-ignore]
    """Several numbers with commas between them."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.name = f"{count} numbers"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Return the numbers of a text."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            numbers = ()
        if len(numbers) != self.count:
            self.fail(
                f"{self.count} numbers with commas between them are needed, found {value!r}.", param, ctx
            )
        return numbers


@click.command("edit", context_settings=HELP)
@click.argument("photo", required=False, type=click.Path(path_type=Path))
@click.option("--text", help="The new word.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="The edited picture, .png or .jpg; it must not exist."
)
@click.option(
    "--quad",
    type=_Numbers(8),
    metavar="X,Y,X,Y,X,Y,X,Y",
    help="Corners around the word in pixels, clockwise from its top left; room that they leave may be "
    "written on.",
)
@click.option("--box", type=_Numbers(4), metavar="X,Y,W,H", help="An upright box around the word in pixels.")
@click.option(
    "--old",
    metavar="TEXT",
    help="The word that is there. Without --quad and --box it is looked for in the photo, in other case and "
    "without accents, too, if it is nowhere as written; with them it need not be read.  "
    "[default: what OCR reads there; without --quad and --box the photo is one word]",
)
@click.option(
    "--index", type=click.IntRange(min=1), help="Which of several places that say --old, from the top."
)
@click.option(
    "--width",
    type=click.Choice(("natural", "keep")),
    default="natural",
    show_default=True,
    help="How wide the new word is: as its letters want, condensed where room is short; or as the old one.",
)
@click.option(
    "--align",
    type=click.Choice(("auto", "start", "center", "end")),
    default="auto",
    show_default=True,
    help="Which edge of the old word a shorter or longer one keeps. auto: where the line begins if words "
    "stand beside it, else the edge that it shares with the line above or below, else the middle.",
)
@click.option(
    "--edits",
    type=click.Path(path_type=Path),
    metavar="CSV|JSONL",
    help="A file of many edits instead: columns photo, text, out, and quad, box, old, index, width, align "
    "as above. Edits with the same photo and out follow one another.",
)
@click.option(
    "--fonts",
    multiple=True,
    metavar="all|FAMILY|FILE|DIR",
    help="Fonts to choose from. Can be repeated.  [default: all bundled]",
)
@click.option(
    "--language",
    metavar="CODE",
    help="Language of the words, such as ja or ko: how bundled fonts write Chinese characters.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="A model from `pretrain`, file or run, or small or light, which ship  [default: small]",
)
@device_option
@click.option(
    "--sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a picture of before, after and what was painted (PNG).",
)
@click.option("--allow-misread", is_flag=True, help="Exit with 0 even where OCR does not read the new word.")
@reports_errors
def edit_command(
    photo: Path | None,
    text: str | None,
    out: Path | None,
    quad: tuple[float, ...] | None,
    box: tuple[float, ...] | None,
    old: str | None,
    index: int | None,
    width: str,
    align: str,
    edits: Path | None,
    fonts: tuple[str, ...],
    language: str | None,
    weights: Path | None,
    device: str,
    sheet: Path | None,
    allow_misread: bool,
) -> None:
    """Change a word in a photo and nothing else.

    The new word takes the old one's font, colours, line and sharpness. Outside the quadrilateral every
    pixel stays as it is. Exit status 3 when OCR does not read the new word.

    \b
    Example: siman-synth edit shop.jpg --old OPEN --text CLOSED --out closed.png
    """
    from siman_synth.editing.tasks import EditTask, read_tasks, run_tasks

    if edits is not None:
        told = click.get_current_context().get_parameter_source
        names = ("photo", "text", "out", "quad", "box", "old", "index", "width", "align")
        given = [name for name in names if told(name) != click.core.ParameterSource.DEFAULT]
        named = ["PHOTO" if name == "photo" else f"--{name}" for name in given]
        if named:
            raise click.UsageError(f"--edits says all this in its file: leave out {', '.join(named)}.")
        tasks = read_tasks(edits)
    else:
        needed = {"PHOTO": photo, "--text": text, "--out": out}
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            raise click.UsageError(f"Missing {', '.join(missing)}, or a file of edits (--edits).")
        assert photo is not None
        assert text is not None
        assert out is not None
        tasks = [EditTask(photo, text, out, quad, box, old, index, width, align)]  # type: ignore[arg-type]
    plain_bars()
    outcome = run_tasks(tasks, fonts, weights, device, sheet, language or "auto", one=edits is None)
    say(outcome.to_text())
    status = _status(outcome, allow_misread)
    if status:
        raise SystemExit(status)


def _status(outcome: "Outcome", allow_misread: bool) -> int:
    if outcome.failed:
        return 1
    return MISREAD_STATUS if outcome.misread and not allow_misread else 0
