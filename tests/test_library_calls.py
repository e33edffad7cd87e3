"""Public names called as a user may: one name or several, a text or a path, and what is neither."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siman_synth import (
    Corpus,
    CorpusMixture,
    CropPool,
    FontLibrary,
    GenerateConfig,
    Job,
    LabeledSet,
    LmdbWriter,
    PretrainConfig,
    RecognizerTrainingConfig,
    SimanError,
    StreamingWords,
    StyleBank,
    Synthesizer,
    TextEditor,
    TrainingSet,
    TrainingStream,
    fit,
    generate,
    load_encoder,
    load_recognizer,
    read_words,
    train_recognizer,
)
from siman_synth.recognition.charset import named_charset
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: CropPool.open(""), "A folder, a list or an LMDB of crops is needed, found ''."),
        (lambda: CropPool.open(None), "A folder, a list or an LMDB of crops is needed, found None."),  # type: ignore[arg-type]
        (lambda: LabeledSet.open(""), "No data set at '': the name is empty. Give a folder or a file."),
        (lambda: FontLibrary.open(""), "A name, a file or a list of these is needed, found ''."),
        (
            lambda: CorpusMixture.open(("english", "")),
            "A name, a file or a list of these is needed, found ''.",
        ),
        (lambda: Job(count=1, styles=""), "A name, a file or a list of these is needed, found ''."),
        (lambda: Job(count=1, styles=None), "A name, a file or a list of these is needed, found None."),  # type: ignore[arg-type]
        (lambda: Job(count=True), "count must be a whole number of 1 or more, found True."),
        (lambda: Job(count=1, config={}), "config must be a GenerateConfig, found dict."),  # type: ignore[arg-type]
        (lambda: Job(count=1, device="gpu"), "Unknown device 'gpu'. Use auto, cpu or cuda."),
        (lambda: generate("words", "out"), "generate needs a Job, found str. Make one: Job(count=1000)."),  # type: ignore[arg-type]
        (lambda: generate(Job(count=1), ""), "The output's name is empty. Give a folder to make."),
        (
            lambda: generate(Job(count=1), "out", workers=0),
            "workers must be a whole number of 1 or more, or None, found 0.",
        ),
        (lambda: StreamingWords("english"), "A stream needs a Job, found str. Make one: Job(count=1)."),  # type: ignore[arg-type]
        (
            lambda: StreamingWords(Job(count=1), start=1.5),  # type: ignore[arg-type]
            "start must be a whole number of 0 or more, found 1.5.",
        ),
        (
            lambda: StreamingWords(Job(count=1), block_size="8"),  # type: ignore[arg-type]
            "block_size must be a whole number of 1 or more, found '8'.",
        ),
        (
            lambda: StreamingWords(Job(count=1), transform=3),  # type: ignore[arg-type]
            "transform must be a function or None, found int.",
        ),
        (
            lambda: StreamingWords(Job(count=1), rank="0", world_size=2),  # type: ignore[arg-type]
            "rank must be in 0..world_size - 1, found '0' and 2. Give both or none.",
        ),
        (lambda: TrainingStream("english"), "A stream needs a Job, found str. Make one: Job(count=1)."),  # type: ignore[arg-type]
        (
            lambda: TrainingStream(Job(count=1), workers=-1),
            "workers must be a whole number of 0 or more, found -1.",
        ),
        (
            lambda: TrainingSet("words", float("inf")),
            "The weight of words must be above 0, up to 1e+09, found inf.",
        ),
        (
            lambda: GenerateConfig(height_px=30),
            "height_px must be a multiple of 4, between 16 and 128, found 30.",
        ),
        (
            lambda: RecognizerTrainingConfig(model=RecognizerConfig(charset="aa")),
            "A charset needs characters, each once, found 'aa'.",
        ),
        (
            lambda: PretrainConfig(data=dataclasses.replace(PretrainConfig().data, min_aspect=-1)),
            "min_aspect must be between ",
        ),
        (lambda: Corpus.open("english", 0), "max_length must be a whole number of 1 or more, found 0."),
        (
            lambda: LmdbWriter.create("words", chunk=0),
            "chunk must be a whole number of 1 or more, found 0.",
        ),
        (lambda: read_words("crops", limit=0), "limit must be a whole number of 1 or more, found 0."),
        (lambda: read_words("crops", seed=-1), "seed must be a whole number of 0 or more, found -1."),
        (
            lambda: read_words("crops", min_score=2),
            "min_score must be between 0 and 1, found 2.",
        ),
        (lambda: load_encoder("bundled", "gpu"), "Unknown device 'gpu'. Use auto, cpu or cuda."),
        (lambda: fit("crops", "out", trials=1.5), "trials must be a whole number of 1 or more, found 1.5."),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_is_one_sentence(wrong: Any, message: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SimanError, match=re.escape(message)):
        wrong()
    assert not list(tmp_path.iterdir())


def test_one_writing_system_is_one_name() -> None:
    assert len(FontLibrary.open("all", "Arab").fonts) == len(FontLibrary.open("all", ["Arab"]).fonts)
    assert len(FontLibrary.open("all", "Arab").fonts) > len(FontLibrary.open("all").fonts)


def test_styles_of_a_path(crop_folder: Path) -> None:
    assert len(StyleBank.build(crop_folder)) == len(StyleBank.build(CropPool.open(str(crop_folder)))) > 0


def test_a_wrong_value_is_what_python_calls_so(crop_folder: Path, tiny_weights: Path) -> None:
    style = StyleBank.build(crop_folder)[0]
    with pytest.raises(ValueError, match="must not be negative, found -1") as caught:
        Synthesizer.load(tiny_weights).synthesize("open", style, seed=-1)
    assert isinstance(caught.value, SimanError)


@pytest.mark.parametrize("text", ["open\nclosed", "open\tclosed", "open\u2028closed", "a\x1bb"])
def test_a_label_is_one_line(text: str, crop_folder: Path, tiny_weights: Path) -> None:
    """A picture shows no line end: the label would say more than it."""
    style = StyleBank.build(crop_folder)[0]
    synthesizer = Synthesizer.load(tiny_weights)
    editor = TextEditor.load(tiny_weights, ocr=None)
    picture = np.full((40, 120, 3), 255, np.uint8)
    for write in (lambda: synthesizer.synthesize(text, style), lambda: editor.edit(picture, None, text)):
        with pytest.raises(
            SimanError, match=r"holds a control character \(U\+[0-9A-F]{4}\), which no image shows"
        ):
            write()


def test_a_long_text_is_told_shortly(crop_folder: Path, tiny_weights: Path) -> None:
    style = StyleBank.build(crop_folder)[0]
    with pytest.raises(SimanError, match="times as wide as high") as raised:
        Synthesizer.load(tiny_weights).synthesize("x" * 5000, style)
    assert len(str(raised.value)) < 300


def test_an_editor_has_two_widths(tiny_weights: Path) -> None:
    editor = TextEditor.load(tiny_weights, ocr=None)
    with pytest.raises(SimanError, match="width must be one of natural, keep, found 'wide'"):
        editor.edit(np.full((40, 120, 3), 255, np.uint8), None, "A", old="B", width="wide")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "images", [[np.zeros((32, 100), np.uint8)], np.zeros((32, 100, 3), np.uint8), ["a.png"]]
)
def test_a_recognizer_reads_pictures_in_a_list(images: Any) -> None:
    recognizer = Recognizer(RecognizerConfig(charset=named_charset("alphanumeric")))
    with pytest.raises(SimanError, match=r"RGB pictures are needed, uint8 \(H, W, 3\), in a list; found "):
        recognizer.read(images)
    assert len(recognizer.read([np.zeros((32, 100, 3), np.uint8)])) == 1


@pytest.mark.parametrize("train", [5, [5], None])
def test_what_a_recognizer_learns_from(train: Any, tmp_path: Path) -> None:
    with pytest.raises(
        SimanError, match="What to learn from is a TrainingSet, a TrainingStream or a path, found"
    ):
        train_recognizer(RecognizerTrainingConfig(), train, tmp_path / "out")


def test_a_recognizer_learns_from_a_path(tmp_path: Path) -> None:
    for train in (tmp_path / "none", str(tmp_path / "none"), TrainingSet(tmp_path / "none")):
        with pytest.raises(SimanError, match=r"No data set at .*none: it does not exist"):
            train_recognizer(
                RecognizerTrainingConfig(), train, tmp_path / "out", validation=tmp_path / "none"
            )
    with pytest.raises(SimanError, match="No weights file"):
        load_recognizer(tmp_path / "none", "cpu")
