"""The ablation: the renders that `generate` would paint, in random colours instead, as an LMDB.

Words, fonts, layouts, framing, noise and encoding are those of a run with the same inputs, recipe and seed;
only the network and the crops' sharpness are missing. Colours of ink and ground are uniform and at least
so many grey levels apart as the ink gate asks for.

    python benchmarks/plain_renders.py --n 10000 --corpus words.txt --styles crops.lmdb --out plain
"""

from pathlib import Path

import click
import numpy as np
from tqdm import tqdm

from siman_synth.config import load_config
from siman_synth.errors import SimanError
from siman_synth.render.word import WordRenderer
from siman_synth.resources import resource_folder
from siman_synth.runs.inputs import Inputs, planner
from siman_synth.runs.job import Job
from siman_synth.seeding import sample_rng
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.finish import add_noise, encode


def coloured(mask: np.ndarray, least: float, rng: np.random.Generator) -> np.ndarray:
    """Turn an ink mask, uint8 (H, W), into ink of one random colour on another, uint8 (H, W, 3)."""
    while True:
        ink, ground = rng.uniform(0, 255, (2, 3))
        if np.linalg.norm(ink - ground) / 3**0.5 >= least:
            break
    share = mask[..., None] / 255
    return np.rint(share * ink + (1 - share) * ground).astype(np.uint8)


@click.command()
@click.option("--n", "count", required=True, type=click.IntRange(1), help="How many samples.")
@click.option("--corpus", required=True, help="As `generate` takes it.")
@click.option("--styles", required=True, help="Crops: they decide how long words are.")
@click.option("--recipe", help="As `generate` takes it.")
@click.option("--seed", default=0, show_default=True)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the LMDB.")
def main(count: int, corpus: str, styles: str, recipe: str | None, seed: int, out: Path) -> None:
    """Write plain renders in random colours."""
    config = load_config(GenerateConfig, recipe, recipe_folder=resource_folder("recipes"))
    job = Job(count=count, corpus=(corpus,), styles=styles, seed=seed, config=config)
    inputs = Inputs.open(job)
    plans, renderer = planner(job, inputs), WordRenderer(inputs.fonts, config.render)
    with LmdbWriter.create(out) as writer:
        for index in tqdm(range(count), unit="image", disable=None):
            for attempt in range(config.execution.max_attempts):
                try:
                    plan = plans.plan(index, attempt)
                    mask = renderer.render(plan.content).mask
                except SimanError:
                    continue
                rng = sample_rng(seed, "colours", index, attempt)
                image = add_noise(coloured(mask, config.gate.min_contrast, rng), plan.finish)
                height, width = mask.shape
                data = encode(image, plan.finish, config.finish)
                writer.write(Sample(data, plan.content.text, width, height))
                break


if __name__ == "__main__":
    main()
