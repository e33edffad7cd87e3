"""What crops say: from readings to words and patterns, and from crops to readings."""

import json
import shlex
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from siman_synth.cli import main
from siman_synth.crops.pool import CropPool
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.word import ContentPlan, WordRenderer
from siman_synth.text.mixture import CorpusMixture, TextConfig
from siman_synth.wording import result
from siman_synth.wording.abstraction import abstracted
from siman_synth.wording.reading import read_words
from siman_synth.wording.result import CropWords

WORDS = ["Milk", "TOTAL", "Thank you", "CASH", "Fresh bread", "Subtotal", "change", "Welcome to the shop"]


def texts_of(count: int = 40) -> list[str]:
    """Return words, amounts and dates as a till writes them."""
    rng = np.random.default_rng(3)
    amounts = [f"{rng.integers(1, 10)}.{rng.integers(100):02d}" for _ in range(count)]
    dates = [
        f"Date: {rng.integers(10, 29):02d}/{rng.integers(1, 13):02d}/20{rng.integers(10, 25)}"
        for _ in range(count)
    ]
    return [*WORDS, *amounts, *dates]


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of `texts_of`, black on white."""
    folder = tmp_path_factory.mktemp("crops")
    fonts = FontLibrary.open("open-sans")
    renderer, framing = WordRenderer(fonts), Framing(0.2, 0.2, 0.15, 0.15, "line")
    for number, text in enumerate(texts_of(12)):
        plan = ContentPlan(text, fonts.fonts[0].id, Straight(), framing, 48, 4)
        cv2.imwrite(str(folder / f"{number:03d}.png"), 255 - renderer.render(plan).mask)
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def found(crops: Path) -> CropWords:
    return read_words(crops)


def test_readings_become_patterns_by_shape() -> None:
    wording = abstracted(Counter(texts_of()))
    patterns = {one.template.source: one.weight for one in wording.patterns}
    assert patterns == {
        "[0-9]\\.[0-9]{2}".replace("\\", ""): 40,
        "Date: [0-9]{2}/[01][0-9]/20[12][0-9]".replace("[0-9]{2}/[01]", "[12][0-9]/[01]"): 40,
    }
    assert set(wording.words) == set(WORDS)


def test_letters_of_codes_are_any_letters_and_words_beside_numbers_stay() -> None:
    codes = {"KD-381 A": 1, "XB-204 A": 1, "QP-777 A": 2, "mm12": 1, "mm44": 1, "mm90": 1}
    patterns = {one.template.source: one.weight for one in abstracted(codes).patterns}
    assert patterns == {"[A-Z]{2}-[0-9]{3} A": 4, "mm[0-9]{2}": 3}


def test_rare_shapes_and_sentences_stay_what_they_were() -> None:
    readings = {"7 days a week": 1, "7UP": 1, "Pump 2": 1, "Pump 3": 1, "Pump 9": 5, "see page 3": 1}
    wording = abstracted(readings)
    assert {one.template.source: one.weight for one in wording.patterns} == {"Pump [0-9]": 7.0}
    assert set(wording.words) == {"7 days a week", "7UP", "see page 3"}
    assert abstracted({}).words == ()


def test_words_of_crops_are_read(found: CropWords) -> None:
    assert found.crops == 32
    assert found.read >= 30
    assert dict(found.skipped.counts).popitem()[1] == 1
    assert len(set(found.words) & set(WORDS)) >= 6
    assert any(one.template.source.endswith("[0-9].[0-9]{2}") for one in found.patterns)
    assert sum(found.lengths.values()) == found.read
    assert sum(found.case.values()) == pytest.approx(1, abs=0.01)
    assert 0.2 < found.characters["digits"] < 0.8
    assert 0.3 < found.spaced < 0.6


def test_reading_is_a_function_of_its_arguments_and_bounded(crops: Path, found: CropWords) -> None:
    few = [read_words(CropPool.open(crops), limit=8, seed=seed) for seed in (1, 1, 2)]
    assert few[0] == few[1]
    assert few[0].readings != few[2].readings
    assert few[0].crops <= 8
    assert set(few[0].readings) <= set(found.readings)


def test_without_ocr_lengths_come_from_widths(crops: Path, found: CropWords) -> None:
    blind = read_words(crops, ocr=None)
    assert blind.ocr is None
    assert not blind.has_words
    assert blind.specs("mine") == ()
    means = [
        sum(length * count for length, count in one.lengths.items()) / sum(one.lengths.values())
        for one in (blind, found)
    ]
    assert means[0] == pytest.approx(means[1], rel=0.3)


def test_what_cannot_be_read_gives_lengths_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"{number}.png"), rng.integers(0, 255, (32, 96, 3)).astype(np.uint8))
    noise = read_words(tmp_path)
    assert not noise.has_words
    assert sum(noise.lengths.values()) == 12
    assert "too few: another script, or too hard to read" in noise.to_text()


def test_the_command_writes_what_generate_takes(crops: Path, tmp_path: Path, found: CropWords) -> None:
    out = tmp_path / "mine"
    done = CliRunner().invoke(main, ["words", "--crops", str(crops), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == ["numbers.patterns", "words.json", "words.txt"]
    assert f"--out images --corpus {found.specs(out)[0]}" in done.output
    fitting = shlex.split(done.output.splitlines()[-1])
    assert fitting[:3] == ["siman-synth", "fit", "--crops"]
    known = {option for parameter in main.commands["fit"].params for option in parameter.opts}
    assert {one for one in fitting if one.startswith("--")} <= known
    assert json.loads((out / "words.json").read_text(encoding="utf-8"))["read"] == found.read
    mixture, rng = CorpusMixture.open(found.specs(out), TextConfig()), np.random.default_rng(0)
    drawn = Counter(mixture.draw(rng).corpus for _ in range(1000))
    assert drawn["numbers.patterns"] / 1000 == pytest.approx(
        sum(one.weight for one in found.patterns) / found.read, abs=0.05
    )
    again = CliRunner().invoke(main, ["words", "--crops", str(crops), "--out", str(out), "--ocr", "none"])
    assert again.exit_code == 1
    assert again.output.endswith(f"Error: {out} is there already. Name a folder that does not exist.\n")


def test_nothing_is_left_of_a_folder_that_could_not_be_written(
    tmp_path: Path, found: CropWords, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(result, "publish_folder", full)
    with pytest.raises(OSError, match="No space left"):
        found.write(tmp_path / "mine")
    assert not list(tmp_path.iterdir())
