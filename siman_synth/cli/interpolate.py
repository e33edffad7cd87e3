"""`siman-synth interpolate`."""

from pathlib import Path

import click

from siman_synth.cli.options import HELP, device_option, reports_errors, say


@click.command("interpolate", context_settings=HELP)
@click.option("--text", required=True, help="The word.")
@click.option(
    "--from", "first", required=True, type=click.Path(path_type=Path), help="A crop whose look is the first."
)
@click.option(
    "--to",
    "last",
    type=click.Path(path_type=Path),
    help="A crop whose look is the last  [default: that of --from, for letters alone]",
)
@click.option(
    "--steps", default=8, show_default=True, type=click.IntRange(min=2, max=200), help="How many pictures."
)
@click.option(
    "--fonts",
    nargs=2,
    metavar="FONT FONT",
    help="First and last font: a bundled family or font, or a font file  "
    "[default: Open Sans, or a plain one of the script]",
)
@click.option(
    "--mix",
    type=click.Choice(("auto", "outlines", "features")),
    default="auto",
    show_default=True,
    help="How letters of two fonts are mixed; auto mixes outlines where they are compatible.",
)
@click.option("--equal-shares", is_flag=True, help="Take equal shares instead of steps that look equal.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="A model from `pretrain`, file or run, or small or light, which ship  [default: small]",
)
@device_option
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The strip (PNG).")
@reports_errors
def interpolate_command(
    text: str,
    first: Path,
    last: Path | None,
    steps: int,
    fonts: tuple[str, str] | None,
    mix: str,
    equal_shares: bool,
    weights: Path | None,
    device: str,
    out: Path,
) -> None:
    """Write a word in looks between two crops, and letters between two fonts.

    Prints how even the steps are, in the network's features, and how many of them OCR reads.

    \b
    Example: siman-synth interpolate --text Harbour --from old.jpg --to new.jpg --out strip.png
    """
    from siman_synth.editing.strips import draw_strip

    say(draw_strip(text, first, last or first, fonts, steps, mix, not equal_shares, weights, device, out))
