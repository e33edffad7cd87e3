"""What the experiments share: recognizers trained by row and seed, results a line each, tables, plots."""

import functools
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np

from siman_synth import TrainingSet, load_recognizer, train_recognizer
from siman_synth.config import fingerprint, load_config, to_mapping
from siman_synth.errors import SimanError
from siman_synth.files import publish_folder
from siman_synth.recognition.charset import Charset
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.run import check_inputs
from siman_synth.recognizer_training.start import Start
from siman_synth.recognizer_training.testing import read_words, scores_of
from siman_synth.resources import resource_folder
from siman_synth.storage.labeled_set import LabeledSet
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.training.checkpoints import Checkpoints

Words = Sequence[TrainingSet]
_RESULTS = "results.jsonl"
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
    """A folder of results: a recognizer is trained once, and tested once on each set.

    A run is known by all that decides its numbers (settings, seed, words, what it begins with), a test
    by its run and its words: the same command again goes on where it stopped, and what has changed since
    is made anew, beside what was there.
    """

    out: Path
    tests: Mapping[str, Path]
    device: str = "auto"
    only: Sequence[str] = ()
    """Names of the rows to make; none for all."""

    def run(self, rows: Sequence[Row], seeds: Sequence[int]) -> list[dict[str, Any]]:
        """Train and test what is missing, seed by seed; return a line for each row and seed."""
        self.out.mkdir(parents=True, exist_ok=True)
        try:
            tests = {name: _words_hash(path) for name, path in self.tests.items()}
            runs = [_Run.of(row, seed) for seed in seeds for row in self._wanted(rows)]
            for run in runs:  # before hours of training: is all there?
                if self._missing(run, tests):
                    self._check(run)
            for run in runs:
                if missing := self._missing(run, tests):
                    self._complete(run, missing)
            return [self._line(run, tests) for run in runs]
        except SimanError as error:
            raise click.ClickException(str(error)) from error

    def _wanted(self, rows: Sequence[Row]) -> list[Row]:
        names = [row.name for row in rows]
        if unknown := sorted(set(self.only) - set(names)):
            raise click.BadParameter(f"there is no row '{unknown[0]}'. Rows are: {'; '.join(names)}.")
        return [row for row in rows if not self.only or row.name in self.only]

    def _missing(self, run: "_Run", tests: Mapping[str, str]) -> dict[str, str]:
        scores = self._scores(run)
        return {name: words for name, words in tests.items() if words not in scores}

    def _check(self, run: "_Run") -> None:
        folder = self._folder(run)
        resume = _has_checkpoints(folder)
        check_inputs(run.config, run.words, folder, resume=resume, init=None if resume else run.init)
        for path in self.tests.values():
            LabeledWords(path, Charset(run.config.model.charset))

    def _complete(self, run: "_Run", missing: Mapping[str, str]) -> None:
        print(f"{run.row}, seed {run.seed}", flush=True)
        folder = self._folder(run)
        resume = _has_checkpoints(folder)
        result = train_recognizer(
            run.config,
            run.words,
            folder,
            resume=resume,
            init=None if resume else run.init,
            device=self.device,
            say=print,
        )
        if result.interrupted:
            raise click.Abort
        recognizer = load_recognizer(folder).recognizer
        for name, test_words in missing.items():
            words = LabeledWords(self.tests[name], recognizer.charset)
            found = scores_of(read_words(recognizer, words, name))
            print(f"  {name}: {found.to_text()}", flush=True)
            line = {
                "row": run.row, "seed": run.seed, "run": run.identity, "test": name, "test_words": test_words,
                "words": found.words, "right": found.right, "within_one_edit": found.within_one_edit,
            }  # fmt: skip
            with (self.out / _RESULTS).open("a", encoding="utf-8") as file:
                file.write("\n" + json.dumps(line))  # what a kill cut in half stays a line of its own

    def _folder(self, run: "_Run") -> Path:
        name = run.row.replace(" ", "-").replace("/", "-")
        return self.out / f"{name}-{run.seed}-{run.identity[:8]}"

    def _line(self, run: "_Run", tests: Mapping[str, str]) -> dict[str, Any]:
        scores = self._scores(run)
        return {
            "row": run.row,
            "seed": run.seed,
            "scores": {name: scores[words] for name, words in tests.items()},
        }

    def _scores(self, run: "_Run") -> dict[str, dict[str, Any]]:
        """Return what is known of a run, by the hash of the words that it was tested on."""
        path, found = self.out / _RESULTS, {}
        for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if line.get("run") == run.identity:
                found[line["test_words"]] = {
                    kind: line[kind] for kind in ("words", "right", "within_one_edit")
                }
        return found


@dataclass(frozen=True, slots=True)
class _Run:
    """One row with one seed."""

    row: str
    seed: int
    config: RecognizerTrainingConfig
    words: Words
    init: str | None
    identity: str
    """A hash of all that decides its numbers."""

    @classmethod
    def of(cls, row: Row, seed: int) -> "_Run":
        config, words = seeded(row.config, seed), row.words(seed)
        start = Start.read(row.init, config.model).record
        identity = {
            "settings": to_mapping(config),
            "words": [[_words_hash(part.path), part.weight, part.most] for part in words],
            "init": start and start["sha256"],
        }
        return cls(row.name, seed, config, words, row.init, fingerprint(identity))


@functools.cache
def _words_hash(path: str | Path) -> str:
    with LabeledSet.open(path) as words:
        return words.fingerprint()


def _has_checkpoints(folder: Path) -> bool:
    return bool(Checkpoints(folder / "checkpoints").files())


def options(scales: Mapping[str, Scale], seeds: str) -> Callable[[Command], Command]:
    """Return a decorator that adds what every experiment asks for; `seeds` is the default of --seeds."""

    def decorate(command: Command) -> Command:
        for option in (
            click.option(
                "--out", required=True, type=click.Path(path_type=Path), help="Runs, results, table and plot."
            ),
            click.option("--device", default="auto", show_default=True),
            click.option("--only", multiple=True, metavar="ROW", help="Make this row; can be repeated."),
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


def subset(source: Path, folder: Path, count: int, seed: int) -> Path:
    """Write `count` labeled samples of an LMDB, drawn at random, as an LMDB; not again if it is there.

    Its name in `folder` says which samples they are.
    """
    out = folder / f"{count}-{seed}-{_words_hash(source)[:8]}"
    if not out.exists():
        partial = out.with_name(f"{out.name}.partial")
        with LmdbReader.open(source) as reader:
            chosen = np.random.default_rng(seed).permutation(len(reader))[:count]
            with LmdbWriter.create(partial, overwrite=True) as writer:
                for index in sorted(map(int, chosen)):
                    writer.write(reader[index])
        publish_folder(partial, out)
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
