"""`siman-synth fit`."""

from pathlib import Path

import click

from siman_synth import stopping
from siman_synth.cli.options import (
    HELP,
    FiniteRange,
    device_option,
    out_option,
    plain_bars,
    recipe_options,
    reports_errors,
    say,
)
from siman_synth.escaping import printable, printable_lines


@click.command("fit", context_settings=HELP)
@click.option(
    "--crops",
    required=True,
    multiple=True,
    metavar="DIR|LIST|LMDB",
    help="Unlabeled crops that words shall look like: a folder tree, a list file, or an LMDB. "
    "Can be repeated.",
)
@out_option("Folder of what is found: recipe.toml, report.html, and what generate --model takes.")
@click.option(
    "--corpus",
    multiple=True,
    metavar="NAME|FILE[:WEIGHT]",
    help="Words, as for generate. How often each source comes is fitted, unless weights say it.  "
    "[default: the bundled mixture]",
)
@click.option(
    "--fonts",
    multiple=True,
    metavar="all|printers|FAMILY|FILE|DIR",
    help="Fonts to choose from. Can be repeated.  [default: all bundled, and those of printers]",
)
@recipe_options("text.max_length=40")
@click.option(
    "--minutes",
    type=FiniteRange(min=0, min_open=True),
    show_default="20, or no limit with --trials",
    help="How long to search.",
)
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    help="How many recipes to try; the same seed and number give the same recipe.",
)
@click.option(
    "--pretrain-steps",
    default=0,
    show_default=True,
    type=click.IntRange(min=0),
    help="Steps of pretraining on the crops before the search, from the weights that ship with "
    "siman-synth. Asked of a fit that ended, it is searched again.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Random seed.")
@device_option
@click.option("--resume", is_flag=True, help="Go on with the fit in --out, also one that ended.")
@click.option("--overwrite", is_flag=True, help="Remove the fit at --out and start over.")
@reports_errors
def fit_command(
    crops: tuple[str, ...],
    out: Path,
    corpus: tuple[str, ...],
    fonts: tuple[str, ...],
    recipe: str | None,
    overrides: tuple[str, ...],
    minutes: float | None,
    trials: int | None,
    pretrain_steps: int,
    seed: int,
    device: str,
    resume: bool,
    overwrite: bool,
) -> None:
    """Find the fonts, layouts and damages of your own crops.

    Words are simulated with every setting, weighed until they look like half of the crops, and
    compared with the other half. Labels are never read. --recipe and --set say where the search begins,
    and what is not fitted. Needs pip install "siman-synth[fit]".

    \b
    Example: siman-synth fit --crops crops/ --out mine
             siman-synth generate --model mine --n 100000 --out train
    """
    stopping.last_words(
        lambda: (
            printable_lines(
                f"Stopped. Run the same command with --resume to go on; {out} keeps what was done."
            )
            if out.exists()
            else "Stopped before anything was made."
        )
    )
    from siman_synth.config import load_config
    from siman_synth.fitting.run import FONTS, fit
    from siman_synth.models.device import resolve_device
    from siman_synth.resources import resource_folder
    from siman_synth.synthesis.config import GenerateConfig

    plain_bars()
    found = fit(
        crops,
        out,
        corpus=corpus or ("default",),
        fonts=fonts or FONTS,
        config=load_config(GenerateConfig, recipe, overrides, resource_folder("recipes")),
        minutes=minutes,
        trials=trials,
        pretrain_steps=pretrain_steps,
        seed=seed,
        device=str(resolve_device(device)),
        resume=resume,
        overwrite=overwrite,
    )
    say(found.to_text())
    say(f"report in {printable(out / 'report.html')}")
    say(f"Generate with: siman-synth generate --model {printable(out)} --n 10000 --out train")
