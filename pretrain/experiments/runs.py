"""What the experiments share: recognizers trained by row and seed, results a line each, tables, plots."""

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

from siman_synth import TrainingSet, TrainingStream, load_recognizer, train_recognizer
from siman_synth.config import fingerprint, load_config
from siman_synth.errors import SimanError
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.testing import read_words, scores_of
from siman_synth.resources import resource_folder
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter

Words = Sequence[TrainingSet | TrainingStream]
Scale = tuple[str, Sequence[str]]
"""A bundled recipe and what is changed in it."""
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: a recognizer, what it begins with, and what it learns from."""

    name: str
    config: RecognizerTrainingConfig
    init: str | None
    words: Callable[[int], Words]
    """Takes the seed."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """A folder of results: a finished run is a line of `results.jsonl`, a stopped one goes on."""

    out: Path
    tests: Mapping[str, Path]
    device: str = "auto"

    def run(self, rows: Sequence[Row], seeds: Sequence[int]) -> list[dict[str, Any]]:
        """Train and test what is missing, seed by seed; return the lines of all rows and seeds."""
        self.out.mkdir(parents=True, exist_ok=True)
        for seed in seeds:
            for row in rows:
                if self._line(row, seed) is None:
                    try:
                        self._write(row, seed)
                    except SimanError as error:
                        raise click.ClickException(str(error)) from error
        return [line for row in rows for seed in seeds if (line := self._line(row, seed)) is not None]

    def _write(self, row: Row, seed: int) -> None:
        print(f"{row.name}, seed {seed}", flush=True)
        folder = self.out / f"{row.name.replace(' ', '-').replace('/', '-')}-{seed}"
        config = seeded(row.config, seed)
        resume = (folder / "checkpoints").exists() and any((folder / "checkpoints").iterdir())
        started = time.perf_counter()
        result = train_recognizer(
            config,
            row.words(seed),
            folder,
            resume=resume,
            init=None if resume else row.init,
            device=self.device,
            say=print,
        )
        if result.interrupted:
            raise click.Abort
        recognizer = load_recognizer(folder).recognizer
        scores = {}
        for name, path in self.tests.items():
            found = scores_of(read_words(recognizer, LabeledWords(path, recognizer.charset), name))
            print(f"  {name}: {found.to_text()}", flush=True)
            scores[name] = {
                "words": found.words,
                "right": found.right,
                "within_one_edit": found.within_one_edit,
            }
        line = {
            "row": row.name, "seed": seed, "fingerprint": fingerprint(row.config), "scores": scores,
            "seconds": round(time.perf_counter() - started),
        }  # fmt: skip
        with (self.out / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _line(self, row: Row, seed: int) -> dict[str, Any] | None:
        path = self.out / "results.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        for line in lines:
            if (line["row"], line["seed"]) == (row.name, seed):
                if line["fingerprint"] != fingerprint(row.config):
                    raise click.ClickException(
                        f"{path} holds '{row.name}', seed {seed}, of other settings. Use another --out."
                    )
                return dict(line)
        return None


def options(scales: Mapping[str, Scale], seeds: str) -> Callable[[Command], Command]:
    """Return a decorator that adds what every experiment asks for; `seeds` is the default of --seeds."""

    def decorate(command: Command) -> Command:
        for option in (
            click.option(
                "--out", required=True, type=click.Path(path_type=Path), help="Runs, results, table and plot."
            ),
            click.option("--device", default="auto", show_default=True),
            click.option(
                "--seeds", default=seeds, show_default=True, callback=numbers, help="One run each."
            ),
            click.option("--steps", type=click.IntRange(1), help="Of each run  [default: the scale's]"),
            click.option("--scale", type=click.Choice(list(scales)), default="cpu", show_default=True),
            click.option(
                "--test", "tests", multiple=True, required=True, callback=named_paths, metavar="NAME=LMDB",
                help="A test set; can be repeated.",
            ),
        ):  # fmt: skip
            command = option(command)
        return command

    return decorate


def scaled(scale: Scale, steps: int | None, *overrides: str) -> RecognizerTrainingConfig:
    """Return the settings of a scale with overrides, and with another number of steps if one is given."""
    recipe, settings = scale
    more = () if steps is None else (f"training.steps={steps}",)
    return recognizer(recipe, *settings, *overrides, *more)


def report(
    lines: Sequence[Mapping[str, Any]], tests: Sequence[str], out: Path, plot_name: str, title: str
) -> None:
    """Write the table and the plot of the first test set, and print the table."""
    text = table(lines, tests)
    (out / "table.md").write_text(text + "\n", encoding="utf-8")
    plot(lines, tests[0], out / plot_name, title)
    print(text)


def recognizer(recipe: str, *overrides: str) -> RecognizerTrainingConfig:
    """Return a bundled recipe with overrides."""
    return load_config(RecognizerTrainingConfig, recipe, overrides, resource_folder("recognizers"))


def seeded(config: RecognizerTrainingConfig, seed: int) -> RecognizerTrainingConfig:
    """Return the settings with another seed."""
    return replace(config, training=replace(config.training, seed=seed))


def subset(source: Path, out: Path, count: int, seed: int) -> Path:
    """Write `count` labeled samples of an LMDB, drawn at random, as an LMDB; not again if it is there."""
    if not out.exists():
        with LmdbReader.open(source) as reader:
            chosen = np.random.default_rng(seed).permutation(len(reader))[:count]
            out.parent.mkdir(parents=True, exist_ok=True)
            with LmdbWriter.create(out) as writer:
                for index in sorted(map(int, chosen)):
                    writer.write(reader[index])
    return out


def table(lines: Sequence[Mapping[str, Any]], tests: Sequence[str]) -> str:
    """Return a Markdown table: Acc. and E.D. 1 in percent, mean ± standard deviation over seeds."""
    rows = list(dict.fromkeys(line["row"] for line in lines))
    heads = ["row", "seeds", *(f"{test} {kind}" for test in tests for kind in ("Acc.", "E.D. 1"))]
    cells = [heads, ["---"] * len(heads)]
    for row in rows:
        mine = [line for line in lines if line["row"] == row]
        values = [
            _spread([100 * line["scores"][test][kind] for line in mine])
            for test in tests
            for kind in ("right", "within_one_edit")
        ]
        cells.append([row, str(len(mine)), *values])
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def plot(lines: Sequence[Mapping[str, Any]], test: str, path: Path, title: str) -> None:
    """Draw the accuracy of each row on a test set as a bar, seeds as points; needs matplotlib."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = list(dict.fromkeys(line["row"] for line in lines))
    figure, axes = pyplot.subplots(figsize=(7, 0.5 * len(rows) + 1.2))
    for place, row in enumerate(rows):
        shares = [100 * line["scores"][test]["right"] for line in lines if line["row"] == row]
        axes.barh(place, statistics.mean(shares), color="#4878a8")
        axes.plot(shares, [place] * len(shares), "k.")
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.set_xlabel(f"words of {test} read right, %")
    axes.set_title(title)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


def named_paths(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, Path]:
    """Turn NAME=LMDB options into a mapping."""
    pairs = [value.partition("=") for value in values]
    if any(not (name and path) for name, _, path in pairs):
        raise click.BadParameter("must be NAME=LMDB.")
    return {name: Path(path) for name, _, path in pairs}


def numbers(_: click.Context, __: click.Parameter, value: str) -> list[int]:
    """Turn "0,1,2" into a list."""
    try:
        return [int(part) for part in value.split(",")]
    except ValueError:
        raise click.BadParameter(f"must be numbers with commas between, found '{value}'.") from None


def _spread(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.1f}"
