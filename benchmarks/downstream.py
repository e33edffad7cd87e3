"""How well does a recognizer read real words that was trained on a data set?

One small CRNN with CTC, the same steps, seeds and augmentation for every data set. Letters and
digits are compared, without regard to case, as the field does; labels that hold none are left out
and counted. A finished run is a line of --out and is not made again, so a stopped benchmark goes on
with the same command; two processes with different --seeds may share one --out.

    python benchmarks/downstream.py --train ours=words --train mixed=words+other --test real \\
        --sources sources.txt --n 10000 --steps 4000 --seeds 0,1,2 --out downstream.jsonl
"""

import json
import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import torch
from tqdm import tqdm

from siman_synth.errors import CropError, TrainingError
from siman_synth.imaging.decode import decode_crop
from siman_synth.recognition.charset import Charset
from siman_synth.recognition.crnn import STEPS, Crnn, read_words
from siman_synth.recognition.ctc import ctc_loss, fits
from siman_synth.recognition.images import squeeze, to_batch
from siman_synth.seeding import derived_seed, sample_rng
from siman_synth.storage.lmdb_reader import LmdbReader

CHARSET = Charset()
BATCH_SIZE = 64
PEAK_RATE = 4e-3
WARM_UP = 0.05
LOSS_WINDOW = 100


@dataclass(frozen=True, slots=True)
class Words:
    """Labeled words in memory: images uint8 (32, 100, 3), labels cleaned."""

    images: list[np.ndarray]
    labels: list[str]
    heights_px: list[int]
    numbers: list[int]
    left_out: Counter[str]

    @classmethod
    def read(cls, folder: Path, limit: int | None = None, for_training: bool = False) -> "Words":
        """Read the first usable samples of an LMDB; what is left out is counted by reason."""
        words = cls([], [], [], [], Counter())
        with LmdbReader.open(folder) as reader:
            for number in tqdm(range(len(reader)), desc=folder.name, unit="image", disable=None):
                if len(words.labels) == limit:
                    break
                label = CHARSET.clean(reader.label(number) or "")
                if not label:
                    words.left_out["no letter or digit"] += 1
                elif for_training and not fits(CHARSET.encode(label), STEPS):
                    words.left_out[f"too long for {STEPS} steps"] += 1
                else:
                    words._add(number, label, reader.image(number))
        return words

    def _add(self, number: int, label: str, data: bytes) -> None:
        try:
            image = decode_crop(data, f"image {number + 1}")
        except CropError as error:
            self.left_out[error.reason] += 1
            return
        self.images.append(squeeze(image))
        self.labels.append(label)
        self.heights_px.append(image.shape[0])
        self.numbers.append(number)

    def __add__(self, other: "Words") -> "Words":
        return Words(
            self.images + other.images,
            self.labels + other.labels,
            self.heights_px + other.heights_px,
            self.numbers + other.numbers,
            self.left_out + other.left_out,
        )


def read_training(folders: Sequence[Path], count: int) -> Words:
    """Read `count` words in equal shares from each folder; fewer where there are fewer."""
    shares = [count // len(folders) + (at < count % len(folders)) for at in range(len(folders))]
    parts = [
        Words.read(folder, share, for_training=True) for folder, share in zip(folders, shares, strict=True)
    ]
    return sum(parts[1:], start=parts[0])


def sources_of(words: Words, file: Path | None, total: int) -> list[str]:
    """Return the group of each test word: its source, or its height without a file of sources."""
    if file is None:
        return [_height_group(height) for height in words.heights_px]
    names = file.read_text(encoding="utf-8").split()
    if len(names) != total:
        raise click.ClickException(
            f"{file} holds {len(names)} words, the test set {total} samples. "
            "Give one source, without spaces, a line for each sample, in order."
        )
    return [names[number] for number in words.numbers]


def _height_group(height_px: int) -> str:
    if height_px <= 24:
        return "under 25 px"
    return "25 to 40 px" if height_px <= 40 else "over 40 px"


def augmented(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move, turn, shear, blur and recolour a word a little; uint8 (32, 100, 3) to the same."""
    height, width = image.shape[:2]
    turn, shear = rng.normal(0, math.radians(2)), rng.normal(0, 0.08)
    scale = 1 + rng.uniform(-0.08, 0.08, 2)
    linear = np.array([[scale[0], shear - turn], [turn, scale[1]]])
    centre = np.array([width / 2, height / 2])
    shift = centre - linear @ centre + rng.uniform(-1, 1, 2) * (0.03 * width, 0.06 * height)
    matrix = np.hstack([linear, shift[:, None]])
    moved = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.3:
        moved = cv2.GaussianBlur(moved, (0, 0), rng.uniform(0.4, 1.2))
    gain, offset = rng.uniform(0.7, 1.3) * rng.uniform(0.9, 1.1, 3), rng.uniform(-25, 25)
    table = np.clip((np.arange(256)[:, None] - 128) * gain + 128 + offset, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(moved, table[:, None, :]))


def batches(words: Words, seed: int, steps: int) -> Iterator[list[int]]:
    """Yield the sample numbers of each step: every sample once, in an order of its own each time."""
    queue: list[int] = []
    epoch = 0
    for _ in range(steps):
        while len(queue) < BATCH_SIZE:
            queue += sample_rng(seed, "order", epoch).permutation(len(words.labels)).tolist()
            epoch += 1
        yield queue[:BATCH_SIZE]
        del queue[:BATCH_SIZE]


def rate(step: int, steps: int) -> float:
    """Return the learning rate: a short rise, then half a cosine down to zero."""
    done = step / steps
    if done < WARM_UP:
        return PEAK_RATE * (step + 1) / math.ceil(WARM_UP * steps)
    return PEAK_RATE * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def train(words: Words, seed: int, steps: int, title: str) -> tuple[Crnn, list[float]]:
    """Train a recognizer from scratch; returns it and the loss of each step."""
    torch.manual_seed(derived_seed(seed, "weights"))
    crnn = Crnn(CHARSET.classes)
    optimizer = torch.optim.AdamW(crnn.parameters(), weight_decay=0.01)
    encoded = [CHARSET.encode(label) for label in words.labels]
    losses: list[float] = []
    with tqdm(total=steps, desc=title, unit="step", disable=None) as bar:
        for step, chosen in enumerate(batches(words, seed, steps)):
            rng = sample_rng(seed, "augmentation", step)
            images = to_batch([augmented(words.images[i], rng) for i in chosen])
            loss = ctc_loss(crnn(images), [encoded[i] for i in chosen])
            if not torch.isfinite(loss):
                raise TrainingError(f"The loss of {title} is {loss.item()} at step {step}.")
            for group in optimizer.param_groups:
                group["lr"] = rate(step, steps)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(crnn.parameters(), 5.0)
            optimizer.step()
            losses.append(loss.item())
            bar.update()
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    return crnn, losses


def run(
    words: Words, test: Words, sources: Sequence[str], seed: int, steps: int, title: str
) -> dict[str, Any]:
    """Train and test once; returns what a line of the results says beside its settings."""
    started = time.perf_counter()
    crnn, losses = train(words, seed, steps, title)
    seconds = time.perf_counter() - started
    right: dict[str, list[bool]] = defaultdict(list)
    for source, label, read in zip(sources, test.labels, read_words(crnn, test.images, CHARSET), strict=True):
        right[source].append(label == read)
    return {
        "images": len(words.labels),
        "left_out": dict(words.left_out),
        "tested": {source: len(found) for source, found in right.items()},
        "right": {source: sum(found) for source, found in right.items()},
        "loss": round(statistics.mean(losses[-LOSS_WINDOW:]), 4),
        "losses": [
            round(statistics.mean(losses[at : at + LOSS_WINDOW]), 4) for at in range(0, steps, LOSS_WINDOW)
        ],
        "threads": torch.get_num_threads(),
        "steps_per_second": round(steps / seconds, 2),
    }


def table(lines: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """Return the Markdown table of finished runs: mean ± standard deviation over seeds."""
    by_name = {name: [line for line in lines if line["name"] == name] for name in names}
    sources = sorted(lines[0]["tested"])
    counts = lines[0]["tested"]
    heads = ["data set", "images", "seeds", *(f"{source} ({counts[source]})" for source in sources)]
    heads += ["mean of sources", f"all words ({sum(counts.values())})", "final loss"]
    rows = [heads, ["---"] * len(heads)]
    for name, runs in by_name.items():
        if not runs:
            continue
        shares = [[line["right"][s] / line["tested"][s] for s in sources] for line in runs]
        columns = [list(column) for column in zip(*shares, strict=True)]
        columns.append([statistics.mean(share) for share in shares])
        columns.append([sum(line["right"].values()) / sum(line["tested"].values()) for line in runs])
        seeds = ", ".join(str(line["seed"]) for line in runs)
        cells = [_spread([100 * value for value in column], 1) for column in columns]
        losses = _spread([line["loss"] for line in runs], 3)
        rows.append([name, str(runs[0]["images"]), seeds, *cells, losses])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _spread(values: Sequence[float], digits: int) -> str:
    mean = f"{statistics.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def finished(out: Path, settings: dict[str, Any], names: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return the lines of earlier runs that belong to this table.

    Raises:
        click.ClickException: one was made with other settings.
    """
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    mine = [line for line in lines if line["name"] in names]
    for line in mine:
        for key, value in (settings | {"train": names[line["name"]]}).items():
            if line[key] != value:
                raise click.ClickException(
                    f"{out} holds '{line['name']}', seed {line['seed']}, with {key} = {line[key]}, here "
                    f"{value}. Use another --out or another name."
                )
    return mine


def _training_sets(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, list[str]]:
    sets = {}
    for value in values:
        name, equals, folders = value.partition("=")
        if not (name and equals and folders) or name in sets:
            raise click.BadParameter(f"must be NAME=LMDB or NAME=LMDB+LMDB, each name once; found '{value}'.")
        sets[name] = folders.split("+")
    return sets


def _seeds(_: click.Context, __: click.Parameter, value: str) -> list[int]:
    try:
        return [int(seed) for seed in value.split(",")]
    except ValueError:
        raise click.BadParameter(f"must be numbers with commas between, found '{value}'.") from None


@click.command()
@click.option(
    "--train", "sets", multiple=True, required=True, callback=_training_sets, metavar="NAME=LMDB[+LMDB…]",
    help="A data set to train on; several folders give equal shares. May be given often.",
)  # fmt: skip
@click.option("--test", "test_folder", required=True, type=click.Path(path_type=Path), help="A labeled LMDB.")
@click.option(
    "--sources",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The source of each test sample, one a line.  [default: group by image height]",
)
@click.option("--n", "count", default=10_000, show_default=True, type=click.IntRange(1), help="Images a set.")
@click.option("--steps", default=4000, show_default=True, type=click.IntRange(1), help="Of 64 images.")
@click.option("--seeds", default="0,1,2", show_default=True, callback=_seeds, help="One run each.")
@click.option("--threads", type=click.IntRange(1), help="Of a run.  [default: cores]")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Results, a JSON line a run.")
def main(
    sets: dict[str, list[str]],
    test_folder: Path,
    sources: Path | None,
    count: int,
    steps: int,
    seeds: list[int],
    threads: int | None,
    out: Path,
) -> None:
    """Train the same small recognizer on each data set, test it on real words, print a table."""
    if threads is not None:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)
    settings = {"n": count, "steps": steps, "test": str(test_folder)}
    settings["sources"] = None if sources is None else str(sources)
    lines = finished(out, settings, sets)
    done = {(line["name"], line["seed"]) for line in lines}
    test = Words.read(test_folder)
    groups = sources_of(test, sources, len(LmdbReader.open(test_folder)))
    if test.left_out:
        print(f"left out of the test: {dict(test.left_out)}")
    for name, folders in sets.items():
        missing = [seed for seed in seeds if (name, seed) not in done]
        if not missing:
            continue
        words = read_training([Path(folder) for folder in folders], count)
        for seed in missing:
            line = {"name": name, "seed": seed, "train": folders} | settings
            line |= run(words, test, groups, seed, steps, f"{name} seed {seed}")
            lines.append(line)
            with out.open("a") as file:
                file.write(json.dumps(line) + "\n")
    wanted = sorted((line for line in lines if line["seed"] in seeds), key=lambda line: line["seed"])
    print(table(wanted, list(sets)))


if __name__ == "__main__":
    main()
