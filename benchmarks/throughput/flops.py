"""Count the floating point operations of a training step and print them as one JSON line.

python benchmarks/throughput/flops.py --recipe paper
"""

import json

import click
import torch
from torch.utils.flop_counter import FlopCounterMode

from siman_synth.config import load_config
from siman_synth.models.grain import training_noise
from siman_synth.pretraining.batches import Batch
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.state import TrainState
from siman_synth.pretraining.step import Networks, train_step
from siman_synth.resources import resource_folder
from siman_synth.training.distributed import Processes


@click.command()
@click.option("--recipe", default="paper")
@click.option("--batch", default=8, help="Operations are in proportion to it.")
def main(recipe: str, batch: int) -> None:
    """GFLOP an image of one step: forward and backward, generator and discriminator."""
    config = load_config(PretrainConfig, recipe, (), resource_folder("pretrain/recipes"))
    device = torch.device("cpu")
    state = TrainState.create(config, device)
    networks = Networks.build(state, config, Processes(0, 1, device))
    height = config.data.height_px
    style, content, augmented = torch.rand(3, batch, 3, height, height).mul_(2).sub_(1)
    noise = training_noise(batch, height, height, torch.Generator().manual_seed(0))
    with FlopCounterMode(display=False) as counter:
        train_step(networks, state, Batch(augmented, style, content, style, noise), config)
    click.echo(json.dumps({"gflop_per_image": counter.get_total_flops() / batch / 1e9, "batch": batch}))


if __name__ == "__main__":
    main()
