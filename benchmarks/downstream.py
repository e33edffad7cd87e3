"""How well does a recognizer read real words that was trained on a data set?

One small CRNN with CTC, the same steps, seeds and augmentation for every data set. Letters and
digits are compared, without regard to case, as the field does; labels that hold none are left out
and counted. A finished run is a line of --out and is not made again, and a stopped one goes on in its
folder beside --out, so the same command ends a stopped benchmark; two processes with different --seeds
may share one --out.

    python benchmarks/downstream.py --train ours=words --train mixed=words+other --test real \\
        --sources sources.txt --n 10000 --steps 4000 --seeds 0,1,2 --out downstream.jsonl
"""

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import cv2
import torch

from siman_synth.recognition.recognizer import Recognizer
from siman_synth.recognition.weights import load_recognizer
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.run import TrainingSet, train_recognizer
from siman_synth.recognizer_training.testing import read_words
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.tally import Tally

CONFIG = RecognizerTrainingConfig()
LOSS_WINDOW = 100


def sources_of(words: LabeledWords, file: Path | None, total: int) -> list[str]:
    """Return the group of each test word: its source, or its height without a file of sources."""
    if file is None:
        return [_height_group(words.height_px(number)) for number in range(len(words))]
    names = file.read_text(encoding="utf-8").split()
    if len(names) != total:
        raise click.ClickException(
            f"{file} holds {len(names)} words, the test set {total} samples. "
            "Give one source, without spaces, a line for each sample, in order."
        )
    return [names[words.index(number)] for number in range(len(words))]


def _height_group(height_px: int) -> str:
    if height_px <= 24:
        return "under 25 px"
    return "25 to 40 px" if height_px <= 40 else "over 40 px"


def shares(folders: Sequence[str], count: int) -> list[int]:
    """Return how many words are taken of each folder: equal shares of `count`."""
    return [count // len(folders) + (at < count % len(folders)) for at in range(len(folders))]


def usable(folders: Sequence[str], count: int) -> list[LabeledWords]:
    """Open the words that a recognizer learns; fewer than `count` where there are fewer."""
    recognizer = Recognizer(CONFIG.model)
    return [
        LabeledWords(folder, recognizer.charset, recognizer.fits, most)
        for folder, most in zip(folders, shares(folders, count), strict=True)
    ]


def run(
    words: Sequence[LabeledWords],
    test: LabeledWords,
    sources: Sequence[str],
    seed: int,
    steps: int,
    out: Path,
) -> dict[str, Any]:
    """Train and test once; returns what a line of the results says beside its settings."""
    training = replace(CONFIG.training, seed=seed, steps=steps)
    logging = replace(CONFIG.logging, stats_every=min(10, steps), checkpoint_every=500)
    sets = [TrainingSet(str(part.path), len(part), len(part)) for part in words]
    started = time.perf_counter()
    result = train_recognizer(
        replace(CONFIG, training=training, logging=logging), sets, out, resume=True, device="cpu"
    )
    if result.interrupted:
        raise click.Abort
    seconds = time.perf_counter() - started
    read = read_words(load_recognizer(out).recognizer, test, "test")
    right: dict[str, list[bool]] = defaultdict(list)
    for word in read:
        right[sources[word.number]].append(word.label == word.reading.text)
    left_out = Tally()
    for part in words:
        left_out.merge(part.left_out)
    losses = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    windows = [
        [line["loss"] for line in losses if at < line["step"] <= at + LOSS_WINDOW]
        for at in range(0, steps, LOSS_WINDOW)
    ]
    return {
        "images": sum(len(part) for part in words),
        "left_out": dict(left_out.counts),
        "tested": {source: len(found) for source, found in right.items()},
        "right": {source: sum(found) for source, found in right.items()},
        "loss": round(statistics.mean(windows[-1]), 4),
        "losses": [round(statistics.mean(window), 4) for window in windows],
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
    test = LabeledWords(test_folder, Recognizer(CONFIG.model).charset)
    groups = sources_of(test, sources, len(LmdbReader.open(test_folder)))
    if test.left_out.total:
        print(f"left out of the test: {dict(test.left_out.counts)}")
    for name, folders in sets.items():
        missing = [seed for seed in seeds if (name, seed) not in done]
        if not missing:
            continue
        words = usable(folders, count)
        for seed in missing:
            line = {"name": name, "seed": seed, "train": folders} | settings
            print(f"{name}, seed {seed}")
            line |= run(words, test, groups, seed, steps, out.with_name(f"{out.name}.{name}-{seed}"))
            lines.append(line)
            with out.open("a") as file:
                file.write(json.dumps(line) + "\n")
    wanted = sorted((line for line in lines if line["seed"] in seeds), key=lambda line: line["seed"])
    print(table(wanted, list(sets)))


if __name__ == "__main__":
    main()
