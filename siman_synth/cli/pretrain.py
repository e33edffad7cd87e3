"""`siman-synth pretrain`."""

from pathlib import Path

import click

from siman_synth.cli.options import (
    HELP,
    device_option,
    dry_run_option,
    out_option,
    recipe_options,
    reports_errors,
)


@click.command("pretrain", context_settings=HELP)
@click.option(
    "--crops",
    required=True,
    type=click.Path(path_type=Path),
    help="Unlabeled crops: a folder tree, a list file, or an LMDB.",
)
@out_option("Folder of the run: weights, checkpoints, panels, statistics.")
@recipe_options("training.steps=500")
@device_option
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint in --out.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the decoded crops  [default: OUT/cache]",
)
@dry_run_option
@reports_errors
def pretrain_command(
    crops: Path,
    out: Path,
    recipe: str | None,
    overrides: tuple[str, ...],
    device: str,
    resume: bool,
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
    from siman_synth.crops.cache import CropCache
    from siman_synth.crops.pool import CropPool
    from siman_synth.pretraining.config import PretrainConfig
    from siman_synth.pretraining.distributed import processes
    from siman_synth.pretraining.loop import pretrain, require_fresh
    from siman_synth.pretraining.probe_words import probe_words
    from siman_synth.resources import resource_folder
    from siman_synth.tally import Tally

    config = load_config(PretrainConfig, recipe or "small", overrides, resource_folder("pretrain/recipes"))
    require_fresh(out, resume)
    pool = CropPool.open(crops)
    if dry_run:
        click.echo(to_toml(config))
        click.echo(f"# {len(pool)} crops in {crops}\n# fingerprint {fingerprint(config)}")
        return
    with processes(device) as peers:
        folder = cache or out / "cache"
        if peers.is_main:
            CropCache.build(pool, folder, config.data.height_px, config.data.min_aspect)
        peers.barrier()
        crop_cache = CropCache.build(pool, folder, config.data.height_px, config.data.min_aspect)
        if peers.is_main:
            skipped = Tally()
            skipped.merge(pool.skipped)
            skipped.merge(crop_cache.skipped)
            click.echo(f"{len(crop_cache)} crops for training, {skipped.total} skipped")
            for line in skipped.lines():
                click.echo(f"  skipped: {line}")
        words = probe_words(config.data.height_px) if peers.is_main else []
        result = pretrain(config, crop_cache, out, peers, words, resume)
    if not peers.is_main:
        return
    if result.interrupted:
        click.echo(
            f"Stopped after step {result.steps}. Run the same command with --resume to go on.", err=True
        )
        raise SystemExit(130)
    click.echo(
        f"{result.steps} steps done. Generate with: siman-synth generate --weights {result.weights} ..."
    )
