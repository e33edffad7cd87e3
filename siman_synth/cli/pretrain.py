"""`siman-synth pretrain`."""

from pathlib import Path

import click

from siman_synth import stopping
from siman_synth.cli.options import (
    HELP,
    device_option,
    dry_run_option,
    out_option,
    plain_bars,
    recipe_options,
    reports_errors,
    say,
)
from siman_synth.escaping import printable


@click.command("pretrain", context_settings=HELP)
@click.option(
    "--crops",
    required=True,
    multiple=True,
    type=click.Path(path_type=Path),
    help="Unlabeled crops: a folder tree, a list file, or an LMDB. Can be repeated.",
)
@out_option("Folder of the run: weights, checkpoints, panels, statistics.")
@recipe_options("training.steps=500")
@device_option
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option(
    "--init", metavar="bundled|FILE", help="Start from weights instead of at random. Not with --resume."
)
@click.option(
    "--teacher",
    metavar="bundled|FILE",
    help="Learn to paint plain words as these weights do, instead of rebuilding patches.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the decoded crops  [default: OUT/cache]",
)
@dry_run_option
@reports_errors
def pretrain_command(
    crops: tuple[Path, ...],
    out: Path,
    recipe: str | None,
    overrides: tuple[str, ...],
    device: str,
    resume: bool,
    init: str | None,
    teacher: str | None,
    cache: Path | None,
    dry_run: bool,
) -> None:
    """Learn styles from unlabeled crops (SimAN).

    Labels are never read. The run can be stopped at any time and resumed with the same
    numbers; OUT/siman.safetensors is what `generate --weights` takes. For several GPUs:
    torchrun --nproc-per-node 2 -m siman_synth pretrain ...

    \b
    Example: siman-synth pretrain --crops crops/ --out runs/mine
    """
    from siman_synth.config import fingerprint, load_config, to_toml
    from siman_synth.pretraining.config import PretrainConfig
    from siman_synth.pretraining.run import check_inputs, pretrain
    from siman_synth.resources import resource_folder

    config = load_config(PretrainConfig, recipe or "small", overrides, resource_folder("pretrain/recipes"))
    if dry_run:
        pool = check_inputs(config, crops, out, resume, init, teacher)
        say(to_toml(config))
        say(f"# {len(pool)} crops in {printable(pool.place)}\n# fingerprint {fingerprint(config)}")
        return
    stopping.last_words(lambda: "Stopped. Run the same command with --resume to go on where it stands.")
    plain_bars()
    result = pretrain(
        config, crops, out, resume=resume, init=init, teacher=teacher, cache=cache, device=device, say=say
    )
    if not result.is_main:
        return
    if result.interrupted:
        say(f"Stopped after step {result.steps}. Run the same command with --resume to go on.", err=True)
        raise SystemExit(130)
    say(f"{result.steps} steps done. Generate with: siman-synth generate --weights {result.weights} ...")
