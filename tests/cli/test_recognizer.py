"""`siman-synth recognizer`, and what takes a recognizer as its OCR."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import pytest

from siman_synth.imaging.codec import decode
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig
from siman_synth.recognition.weights import load_recognizer, save_recognizer
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from tests.cli.conftest import Invoke
from tests.recognizer_training.tiny import write_words, written

SETTINGS = ("--set", "training.steps=2", "--set", "training.batch_size=4", "--set", "model.hidden=8")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_words(tmp_path_factory.mktemp("words") / "words")


def test_train_test_and_read(invoke: Invoke, words: Path, tmp_path: Path) -> None:
    out = tmp_path / "reader"
    trained = invoke("recognizer", "train", "--train", words, "--validate", words, "--out", out, *SETTINGS)
    assert trained.exit_code == 0, trained.output
    assert f"{words}: 24 words to learn, 0 left out" in trained.output
    assert "Best at step 2: 0.0 % of validation words read right" in trained.output
    tested = invoke("recognizer", "test", out, words, "--wrong", tmp_path / "wrong.tsv")
    assert "words: 24 words, 0 left out\n  Acc. 0.0 % (0.0 to 13.8)  E.D. 1 " in tested.output
    rows = (tmp_path / "wrong.tsv").read_text().splitlines()
    assert (len(rows), rows[0], rows[1].split("\t")[1:3]) == (
        25,
        "data set\tnumber\tlabel\tread",
        ["1", "sale"],
    )
    assert (
        "exists. Name a file that does not."
        in invoke("recognizer", "test", out, words, "--wrong", words).output
    )
    cv2.imwrite(str(tmp_path / "sale.png"), written("sale"))
    read = invoke("recognizer", "read", out, tmp_path / "sale.png", words / "data.mdb", tmp_path / "none.png")
    assert read.exit_code == 1
    assert f"{tmp_path / 'sale.png'}\t" in read.output
    assert "data.mdb" in read.output
    assert "none.png: " in read.output
    assert "Traceback" not in read.output


def test_a_set_that_is_labeled_in_capitals(invoke: Invoke, tmp_path: Path) -> None:
    """Annotations often have one case where images have two: it can be left out of the comparison."""
    learned, capitals, reader = (tmp_path / name for name in ("learned", "capitals", "reader"))
    write_words(learned, ["Hotel"])
    (tmp_path / "charset.txt").write_text("HotelHOTEL")
    options = ("--charset", tmp_path / "charset.txt", "--set", "words.augment=false", "--out", reader)
    steps = ("--set", "training.steps=60", "--set", "training.average_half_life=20", *SETTINGS[2:])
    assert invoke("recognizer", "train", "--train", learned, *options, *steps).exit_code == 0
    recognizer = load_recognizer(reader).recognizer
    with LmdbWriter.create(capitals) as writer:
        for sample in LmdbReader.open(learned):
            (reading,) = recognizer.read([decode(sample.image)])
            assert reading.text != reading.text.upper()
            writer.write(replace(sample, label=reading.text.upper()))
    wrong = tmp_path / "wrong.tsv"
    test = ("recognizer", "test", reader, capitals)
    assert "  Acc. 0.0 % " in invoke(*test).output
    assert "  Acc. 100.0 % " in invoke(*test, "--ignore-case", "--wrong", wrong).output
    assert len(wrong.read_text().splitlines()) == 1


def test_lines_are_read_with_their_spaces(invoke: Invoke, tmp_path: Path) -> None:
    """The recipe `lines` has room for forty characters and a space; what has not names the setting."""
    line = "Thank you, please come again (17:45) xyz"
    learned = write_words(tmp_path / "learned", [line], repeats=2)
    train = ("recognizer", "train", "--train", learned, "--set", "training.steps=1")
    lines = invoke(*train, "--recipe", "lines", "--out", tmp_path / "lines")
    assert "learned: 2 words to learn, 0 left out" in lines.output
    assert load_recognizer(tmp_path / "lines").recognizer.charset.clean(line) == line
    words = invoke(*train, "--charset", "labels", "--out", tmp_path / "words")
    assert "2 label too long for model.width_px or model.longest" in words.output
    assert words.exit_code == 1


def test_weights_of_sources_and_a_charset_from_labels(invoke: Invoke, words: Path, tmp_path: Path) -> None:
    out = tmp_path / "reader"
    more = ("--train", f"{words}:3", "--charset", "labels", "--out", out)
    assert invoke("recognizer", "train", "--train", words, *more, *SETTINGS).exit_code == 0
    marker = json.loads((out / "siman-run.json").read_text())
    assert [source["share"] for source in marker["identity"]["words to learn"].values()] == [0.25, 0.75]
    assert set(load_recognizer(out).recognizer.config.charset) == set("sale42eggquayHotel7up")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "There is nothing to learn from. Give --train, --stream, or both."),
        (["--train", "words:0"], "must be above 0, up to 1e+09, found 0"),
        (["--train", "words:1e308", "--train", "words:1e308"], "up to 1e+09, found 1e+308"),
        (["--stream", "nan"], "nan is not a finite number"),
        (["--stream", "1e308"], "The weight of the stream must be above 0, up to 1e+09"),
        (["--train", "words", "--styles", "crops"], "--styles is for --stream, which is not given"),
        (["--train", "words", "--stream-workers", "1"], "--stream-workers is for --stream"),
        (["--train", "nowhere"], "nowhere"),
        (["--train", "words", "--charset", "latin"], "There is no charset 'latin'"),
        (["--train", "words", "--recipe", "big"], "big"),
        (["--train", "words", "--init", "nowhere"], "No weights file nowhere"),
        (["--train", "words", "--set", "model.height_px=40"], "height_px must be a multiple of 16"),
    ],
)
def test_what_cannot_be_is_one_sentence(
    invoke: Invoke, words: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    given = [
        option.replace("words", str(words)) if option.startswith("words") else option for option in options
    ]
    result = invoke("recognizer", "train", "--out", tmp_path / "out", *given)
    assert result.exit_code in (1, 2)
    assert message in result.output
    assert not (tmp_path / "out").exists()


def test_a_recognizer_is_an_ocr_for_the_gate_and_for_evaluate(
    invoke: Invoke, generate: Invoke, words: Path, tmp_path: Path
) -> None:
    reader = tmp_path / "reader"
    assert invoke("recognizer", "train", "--train", words, "--out", reader, *SETTINGS).exit_code == 0
    # Trained for two steps it reads nothing, so that every word is rejected.
    strict = generate(
        "--gate-ocr", reader, "--set", "execution.max_attempts=1", "--set", "gate.ink=false", gate="readable"
    )
    assert "not read as its label" in strict.output
    loose = ("--gate-ocr", reader, "--gate-edits", "20", "--set", "gate.ink=false", "--overwrite")
    assert generate(*loose, gate="readable").exit_code == 0
    summary = json.loads((tmp_path / "out.summary.json").read_text())
    assert "recognizer " in json.dumps(summary)
    refused = generate("--gate-ocr", tmp_path / "none", "--overwrite", gate="readable")
    assert "There is no OCR '" in refused.output
    sets = [write_words(tmp_path / name, repeats=repeats) for name, repeats in (("made", 9), ("real", 10))]
    options = ("--ocr", reader, "--features", "none", "--out", tmp_path / "report")
    evaluated = invoke("evaluate", sets[0], "--real", sets[1], *options)
    assert evaluated.exit_code == 0, evaluated.output
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert metrics["readability"]["dataset"]["words"] == 54
    page = (tmp_path / "report" / "report.html").read_text()
    assert "Read by recognizer " in page


def test_a_dry_run_checks_the_words_and_writes_nothing(invoke: Invoke, words: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    dry = ("recognizer", "train", "--out", out, "--dry-run", "--train")
    found = invoke(*dry, words, "--validate", words)
    assert f"# {words}: 24 words to learn, 0 left out\n" in found.output
    assert found.output.splitlines()[-1].startswith("# fingerprint ")
    for arguments in (
        (tmp_path / "none",),
        (words, "--validate", tmp_path / "none"),
        (words, "--init", "none"),
    ):
        refused = invoke(*dry, *arguments)
        assert refused.exit_code == 1
        assert "none" in refused.output
    assert "other files" in invoke(*dry[:3], words, *dry[4:], words).output
    assert not out.exists()


@pytest.mark.parametrize("name", ["none/reader.onnx", "none/encoder.pth", "none/wrong.tsv"])
def test_a_file_in_a_folder_that_is_not_there(invoke: Invoke, words: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    commands: dict[str, tuple[str | Path, ...]] = {
        "none/reader.onnx": ("recognizer", "export", words, "--out", file),
        "none/encoder.pth": ("export-encoder", "bundled", "--to", "torch", "--out", file),
        "none/wrong.tsv": ("recognizer", "test", words, words, "--wrong", file),
    }
    result = invoke(*commands[name])
    assert result.exit_code == 1
    assert result.stderr == f"Error: Cannot write {file}: there is no folder {file.parent}. Make it first.\n"


@pytest.mark.parametrize("name", ["image", "charset", "edits", "marks", "rule"])
def test_what_is_no_file_is_not_read(invoke: Invoke, words: Path, tmp_path: Path, name: str) -> None:
    """A pipe would be waited for, and of /dev/zero 13 GB were read. /dev/null is no file either."""
    reader = tmp_path / "reader.safetensors"
    save_recognizer(reader, Recognizer(RecognizerConfig(charset="abc")), {})
    device, out = "/dev/null", tmp_path / "out"
    commands: dict[str, tuple[str | Path, ...]] = {
        "image": ("recognizer", "read", reader, device),
        "charset": ("recognizer", "train", "--train", words, "--charset", device, "--out", out),
        "edits": ("edit", "--edits", device),
        "marks": ("export", words, "--to", "lmdb", "--keep", device, "--out", out),
        "rule": ("verify", words, "--for", "dtrb", "--charset", device),
    }
    result = invoke(*commands[name])
    assert result.exit_code == 1
    assert "it is not a regular file" in result.output
    assert len(result.output.splitlines()) == 1


def test_a_file_of_text_has_a_greatest_size(invoke: Invoke, words: Path, tmp_path: Path) -> None:
    huge = tmp_path / "huge.txt"
    with huge.open("wb") as file:
        file.truncate((1 << 28) + 1)
    for command in (
        ("edit", "--edits", huge),
        ("export", words, "--to", "lmdb", "--keep", huge, "--out", tmp_path / "out"),
        ("verify", words, "--for", "dtrb", "--charset", huge),
        ("recognizer", "train", "--train", words, "--charset", huge, "--out", tmp_path / "out"),
    ):
        result = invoke(*command)
        assert result.exit_code == 1
        assert "it has 268435457 bytes, and " in result.output
