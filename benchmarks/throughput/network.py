"""Programs that measure the network alone and print one JSON line; run by the sections, or by hand.

python benchmarks/throughput/network.py restyle --words words.txt
python benchmarks/throughput/network.py batches --device cuda --precision bf16 --batch 256
"""

import json
import time
from contextlib import nullcontext
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from siman_synth.crops.pool import CropPool
from siman_synth.models.allocator import keep_freed_memory
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.resources import resource_folder
from siman_synth.runs.inputs import styles_path
from siman_synth.synthesis.style_bank import StyleBank
from siman_synth.synthesis.synthesizer import Synthesizer

_HEIGHT = 32
_STEP = 16


def word_masks(words: list[str]) -> list[np.ndarray]:
    """Write words upright in Open Sans: ink masks, uint8 (32, W), sorted by width."""
    path = next((resource_folder("fonts") / "open-sans").glob("*400Regular.ttf"))
    font = ImageFont.truetype(str(path), 22)
    masks = []
    for word in words:
        width = -(-round(font.getlength(word) + 8) // _STEP) * _STEP
        picture = Image.new("L", (width, _HEIGHT))
        ImageDraw.Draw(picture).text((4, 0), word, fill=255, font=font)
        masks.append(np.asarray(picture))
    return sorted(masks, key=lambda mask: mask.shape[1])


@click.group()
def main() -> None:
    """Measure the network alone."""


@main.command()
@click.option("--words", "word_file", required=True, type=click.Path(path_type=Path))
@click.option("--count", default=500, help="Words, as many as a shard has.")
@click.option("--repeats", default=7)
@click.option("--weights", type=click.Path(path_type=Path), help="Instead of the bundled ones.")
def restyle(word_file: Path, count: int, repeats: int, weights: Path | None) -> None:
    """CPU-ms an image of `Synthesizer.restyle` in one thread, as a worker calls it for a shard."""
    torch.set_num_threads(1)
    keep_freed_memory()
    lines = word_file.read_text(encoding="utf-8").split("\n")
    picked = np.random.default_rng(0).choice([line for line in lines if line], count).tolist()
    masks = word_masks(picked)
    bank = StyleBank.build(CropPool.open(styles_path("bundled")))
    styles = [bank[number % len(bank)] for number in range(count)]
    synthesizer = Synthesizer.load(weights, device="cpu")

    def once() -> float:
        began = time.process_time()
        synthesizer.restyle(masks, styles)
        return (time.process_time() - began) / count

    once()
    once()
    seconds = sorted(once() for _ in range(repeats))[repeats // 2]
    width = float(np.mean([mask.shape[1] for mask in masks]))
    click.echo(json.dumps({"cpu_ms": 1e3 * seconds, "words": count, "mean_width_px": width}))


@main.command()
@click.option("--device", default="cuda")
@click.option("--precision", type=click.Choice(["fp32", "bf16"]), default="fp32")
@click.option("--batch", default=256)
@click.option("--width", default=112, help="Columns of content and of style.")
@click.option("--seconds", default=2.0, help="How long to run after the warm-up.")
def batches(device: str, precision: str, batch: int, width: int, seconds: float) -> None:
    """Images a second through the generator on tensors that are on the device already."""
    generator = load_generator(weights_file(None), device).generator
    shape = (batch, 3, _HEIGHT, width)
    content = torch.rand(shape, device=device).mul_(2).sub_(1).contiguous(memory_format=torch.channels_last)
    half = torch.autocast(device, torch.bfloat16) if precision == "bf16" else nullcontext()

    def finished() -> float:
        if device == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    with torch.inference_mode(), half:
        style = generator.encode_style(content.flip(0))
        for _ in range(3):
            generator.restyle(content, style)
        steps, began = 0, finished()
        while (passed := finished() - began) < seconds:
            generator.restyle(content, style)
            steps += 1
    click.echo(json.dumps({"images_per_second": steps * batch / passed, "batch": batch, "width_px": width}))


if __name__ == "__main__":
    main()
