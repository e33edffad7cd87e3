"""The experiments of the paper run from one command each, and make no run twice."""

import json
import runpy
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.recognizer_training.tiny import write_words

PROGRAMS = Path(__file__).resolve().parents[2] / "pretrain" / "experiments"

pytestmark = pytest.mark.slow


@pytest.fixture
def words(tmp_path: Path) -> Path:
    return write_words(tmp_path / "words")


def run(name: str, *options: object, status: int = 0) -> Result:
    sys.path.insert(0, str(PROGRAMS))
    try:
        main = runpy.run_path(str(PROGRAMS / f"{name}.py"))["main"]
        arguments = [str(option) for option in (*options, "--steps", 1, "--device", "cpu")]
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    finally:
        sys.path.remove(str(PROGRAMS))
    assert result.exit_code == status, result.output
    return result


def rows(out: Path) -> list[tuple[str, int]]:
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines() if line]
    return [(line["row"], line["seed"]) for line in lines]


def test_probe(words: Path, tmp_path: Path) -> None:
    options = (
        "--words",
        words,
        "--test",
        f"real={words}",
        "--encoder",
        "scene=bundled",
        "--out",
        tmp_path / "out",
    )
    first = run("probe", *options, "--seeds", "0")
    wanted = [(f"{name}, {decoder}", 0) for decoder in ("ctc", "attention") for name in ("random", "scene")]
    assert rows(tmp_path / "out") == wanted
    assert "| row | seeds | real Acc. | real E.D. 1 |" in first.output
    run("probe", *options, "--seeds", "0,1")
    assert rows(tmp_path / "out") == wanted + [(name, 1) for name, _ in wanted]
    assert (tmp_path / "out" / "probe.png").stat().st_size > 1000
    text = (tmp_path / "out" / "table.md").read_text()
    assert text.count("| 2 |") == 4


def test_semi_supervision(words: Path, tmp_path: Path) -> None:
    options = ("--labeled", words, "--generated", words, "--test", f"real={words}", "--shares", "25,100")
    run("semi_supervision", *options, "--seeds", "0", "--out", tmp_path / "out")
    kinds = ("scratch", "SimAN", "SimAN and generated")
    assert rows(tmp_path / "out") == [(f"{count} labels, {kind}", 0) for count in (6, 24) for kind in kinds]


def test_synthesis(words: Path, crop_folder: Path, tmp_path: Path) -> None:
    ours, theirs = (write_words(tmp_path / name, repeats=n) for name, n in (("ours", 2), ("theirs", 3)))
    options = ("--labeled", words, "--generated", f"ours={ours}", "--peer", f"theirs={theirs}")
    figure = ("--styles", crop_folder, "--word", "sale", "--figure-words", 20)
    run("synthesis", *options, *figure, "--test", f"real={words}", "--seeds", "0", "--out", tmp_path / "out")
    names = ("24 real", "ours", "theirs", "24 real and ours")
    assert rows(tmp_path / "out") == [(name, 0) for name in names]
    assert (tmp_path / "out" / "figure3.png").stat().st_size > 10_000


def test_a_run_is_known_by_what_it_was_made_from(words: Path, tmp_path: Path) -> None:
    """Once, another encoder of the same name got the first one's figures."""
    options = "--test", f"real={words}", "--only", "scene, ctc", "--out", tmp_path / "out"
    run("probe", "--words", words, "--encoder", "scene=bundled", *options)
    run("probe", "--words", words, "--encoder", "scene=bundled", *options)
    assert len(rows(tmp_path / "out")) == 1
    run("probe", "--words", words, "--encoder", "scene=light", *options)
    assert len(rows(tmp_path / "out")) == 2
    others = write_words(tmp_path / "others", repeats=5)
    run("probe", "--words", others, "--encoder", "scene=light", *options)
    assert len(rows(tmp_path / "out")) == 3


def test_another_test_set_trains_nothing_again(words: Path, tmp_path: Path) -> None:
    options = "--words", words, "--only", "random, ctc", "--out", tmp_path / "out"
    run("probe", *options, "--test", f"real={words}")
    (trained,) = (tmp_path / "out").glob("random*/checkpoints/*")
    before = trained.stat().st_mtime_ns
    more = write_words(tmp_path / "more", repeats=5)
    result = run("probe", *options, "--test", f"real={words}", "--test", f"more={more}")
    assert "real Acc. | real E.D. 1 | more Acc. | more E.D. 1" in result.output
    assert len(rows(tmp_path / "out")) == 2
    assert trained.stat().st_mtime_ns == before


def test_all_inputs_are_looked_at_before_anything_is_trained(words: Path, tmp_path: Path) -> None:
    options = "--labeled", words, "--generated", f"ours={words}", "--test", f"real={words}"
    result = run(
        "synthesis", *options, "--peer", f"theirs={tmp_path / 'gone'}", "--out", tmp_path / "out", status=1
    )
    assert str(tmp_path / "gone") in result.stderr
    assert not list((tmp_path / "out").iterdir())
    result = run("synthesis", *options, "--only", "hers", "--out", tmp_path / "out", status=2)
    assert "Rows are: 24 real; ours; 24 real and ours." in result.stderr


def test_labels_of_another_set_are_drawn_anew(words: Path, tmp_path: Path) -> None:
    options = "--test", f"real={words}", "--shares", "25", "--only", "6 labels, scratch", "--seeds", "0"
    others = write_words(tmp_path / "others", ("fresh", "milk", "0815", "Tea", "exit", "bus"))
    for labeled in (words, others):
        run("semi_supervision", "--labeled", labeled, *options, "--out", tmp_path / "out")
    assert len(rows(tmp_path / "out")) == 2
    assert len(list((tmp_path / "out" / "labels").iterdir())) == 2


def test_what_cannot_be_read_is_one_sentence(words: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    options = "--words", missing, "--test", f"real={words}", "--out", tmp_path / "out"
    result = run("probe", *options, status=1)
    assert result.stderr.startswith("Error: ")
    assert str(missing) in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_line_that_a_kill_cut_is_made_again(words: Path, tmp_path: Path) -> None:
    options = "--words", words, "--test", f"real={words}", "--out", tmp_path / "out"
    run("probe", *options, "--only", "random, ctc")
    results = tmp_path / "out" / "results.jsonl"
    whole = results.read_text()
    results.write_text(whole[:-20])
    run("probe", *options, "--only", "random, ctc", "--only", "random, attention")
    cut, again, other = results.read_text().splitlines()[1:]
    assert cut == whole[1:-20]
    assert again == whole[1:]
    assert json.loads(other)["row"] == "random, attention"
