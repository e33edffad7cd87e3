"""`siman-synth studio`."""

from pathlib import Path

import click

from siman_synth import stopping
from siman_synth.cli.options import HELP, reports_errors, say


@click.command("studio", context_settings=HELP)
@click.option(
    "--styles",
    multiple=True,
    metavar="DIR|LIST|LMDB|NAME",
    help="Real crops to choose styles from. Can be repeated.  [default: the model's, or bundled]",
)
@click.option("--dataset", type=click.Path(path_type=Path), help="A data set to look through, in any layout.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    help="A model from `pretrain`, file or run, or small or light, which ship  [default: small]",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A report of `evaluate` to compare. Can be repeated.  [default: DATASET.report, if there]",
)
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that `fit` wrote: its recipe, crops, fonts and weights, and its report.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port",
    default=0,
    show_default="a free one",
    type=click.IntRange(0, 65535),
    help="Port to listen at.",
)
@reports_errors
def studio_command(
    styles: tuple[str, ...],
    dataset: Path | None,
    weights: Path | None,
    reports: tuple[Path, ...],
    model: Path | None,
    host: str,
    port: int,
) -> None:
    """Write words, look at data sets, edit photos and compare reports in a browser.

    Prints an address of this machine; the token in it lets you in. Ctrl-C stops it. Needs
    pip install "siman-synth[web]".

    \b
    Example: siman-synth studio --styles crops/ --dataset words
    """
    from siman_synth.extras import require

    require("web", "siman-synth studio", ("starlette", "uvicorn"))
    import torch

    from siman_synth.web.serve import open_studio, serve

    torch.set_num_threads(1)
    stopping.last_words(lambda: "Stopped.")
    studio = open_studio(styles, dataset, weights, reports, model=model)
    serve(studio, host, port, lambda address: say(f"Open {address}\nCtrl-C stops it."))
