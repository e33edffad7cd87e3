"""The benchmark of data sets: the same numbers for the same seed, and no run made twice."""

import json
import runpy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

from siman_synth.recognizer_training.labeled_words import NO_CHARACTER, TOO_LONG
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

BENCHMARK = Path(__file__).resolve().parents[2] / "benchmarks" / "downstream.py"
LABELS = ("Sale", "42", "Öl", "!?", "x" * 14, "Quay")


def write_words(folder: Path, count: int) -> Path:
    rng = np.random.default_rng(count)
    with LmdbWriter.create(folder) as writer:
        for number in range(count):
            height = (20, 32, 60)[number % 3]
            image = rng.integers(0, 255, (height, 90, 3), dtype=np.uint8)
            data = cv2.imencode(".jpg", image)[1].tobytes()
            writer.write(Sample(data, LABELS[number % len(LABELS)], 90, height))
    return folder


class Benchmark:
    """The command with a test set and two training sets."""

    def __init__(self, folder: Path) -> None:
        self.main = runpy.run_path(str(BENCHMARK))["main"]
        self.folder = folder
        self.one, self.two = write_words(folder / "one", 12), write_words(folder / "two", 18)
        self.test = write_words(folder / "test", 12)

    def run(self, out: str, *options: object) -> Result:
        fixed = ["--test", self.test, "--steps", 2, "--threads", 1, "--out", self.folder / out]
        return CliRunner().invoke(self.main, [str(part) for part in (*fixed, *options)])

    def lines(self, out: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in (self.folder / out).read_text().splitlines()]
        return [{key: value for key, value in line.items() if key != "steps_per_second"} for line in lines]


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> Benchmark:
    return Benchmark(tmp_path_factory.mktemp("downstream"))


@pytest.mark.slow
def test_finished_runs_stay_and_missing_ones_are_added(benchmark: Benchmark) -> None:
    both = ["--train", f"one={benchmark.one}", "--train", f"mixed={benchmark.one}+{benchmark.two}", "--n", 9]
    assert benchmark.run("a", *both, "--seeds", "1").exit_code == 0
    first = benchmark.lines("a")
    assert [(line["name"], line["images"]) for line in first] == [("one", 8), ("mixed", 9)]
    assert first[0]["left_out"] == {NO_CHARACTER: 2, TOO_LONG: 2}
    # Each group holds every label once or twice; the one of signs alone is left out.
    assert first[0]["tested"] == {"under 25 px": 2, "25 to 40 px": 4, "over 40 px": 4}
    result = benchmark.run("a", *both, "--seeds", "0,1")
    assert benchmark.lines("a")[:2] == first
    assert [(line["name"], line["seed"]) for line in benchmark.lines("a")[2:]] == [("one", 0), ("mixed", 0)]
    rows = [row for row in result.output.splitlines() if row.startswith("| ")]
    assert "| seeds | 25 to 40 px (4) | over 40 px (4) | under 25 px (2) | mean of sources |" in rows[0]
    assert [row.split(" | ")[:3] for row in rows[2:]] == [["| one", "8", "0, 1"], ["| mixed", "9", "0, 1"]]
    assert benchmark.run("b", *both, "--seeds", "1").exit_code == 0
    assert benchmark.lines("b") == first


@pytest.mark.slow
def test_sources_are_named_sample_by_sample(benchmark: Benchmark) -> None:
    file = benchmark.folder / "sources.txt"
    options = ["--train", f"one={benchmark.one}", "--seeds", "0", "--sources", file]
    file.write_text("svt 6\nic15 6\n")
    result = benchmark.run("c", *options)
    assert "holds 4 words, the test set 12 samples. Give one source" in result.output
    file.write_text("svt\n" * 5 + "ic15\n" * 7)
    assert benchmark.run("c", *options).exit_code == 0
    assert benchmark.lines("c")[0]["tested"] == {"svt": 4, "ic15": 6}


@pytest.mark.slow
def test_results_of_other_settings_are_not_mixed(benchmark: Benchmark) -> None:
    options = ["--train", f"one={benchmark.one}", "--seeds", "0"]
    assert benchmark.run("d", *options).exit_code == 0
    result = benchmark.run("d", *options, "--steps", 3)
    message = "holds 'one', seed 0, with steps = 2, here 3. Use another --out or another name."
    assert message in result.output
    assert result.exit_code == 1
    assert "must be NAME=LMDB" in benchmark.run("d", "--train", "nonsense").output
