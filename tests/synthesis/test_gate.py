"""The gate refuses what nobody could read, draws it anew, and never changes a label."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from siman_synth.config import load_config
from siman_synth.errors import ConfigError, GenerationError
from siman_synth.extras import MissingPackageError
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import save_generator
from siman_synth.models.generator import Generator, GeneratorConfig
from siman_synth.ocr.comparison import comparable
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.ocr.recognizer import Reading
from siman_synth.render.boxes import Box
from siman_synth.render.word import ContentImage
from siman_synth.runs.generate import generate
from siman_synth.runs.job import Job
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.synthesis import gate as quality
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.gate import Candidate, GateConfig, QualityGate, measure_ink

BOXES = (Box(8, 8, 24, 24), Box(32, 8, 48, 24))


def content() -> ContentImage:
    """Two characters: solid squares of 16 px."""
    mask = np.zeros((32, 56), np.uint8)
    mask[8:24, 8:24] = mask[8:24, 32:48] = 255
    return ContentImage(mask, mask, BOXES)


def painted(ground: int, first: int, second: int) -> np.ndarray:
    image = np.full((32, 56, 3), ground, np.uint8)
    image[8:24, 8:24] = first
    image[8:24, 32:48] = second
    return image


def judge(image: np.ndarray, **settings: object) -> str | None:
    gate = QualityGate(GateConfig(**settings), None)  # type: ignore[arg-type]
    return gate.judge([Candidate(image, content(), "ab", False)])[0]


def test_measures_contrast_separation_and_the_weakest_character() -> None:
    found = measure_ink(painted(200, 100, 150), content())
    assert found is not None
    assert found.contrast == pytest.approx(75)
    # Halfway between ground (200) and mean ink (125) is 162.5: both characters are beyond it.
    assert found.separation == 1.0
    assert found.weakest_character == pytest.approx(50 / 75, abs=1e-4)
    blank = np.zeros((32, 56), np.uint8)
    assert measure_ink(painted(0, 9, 9), ContentImage(blank, blank, BOXES)) is None


@pytest.mark.parametrize(("label", "refused"), [("ab", True), ("一b", True), (".-", False)])
def test_letters_have_a_least_size(label: str, refused: bool) -> None:
    """As a font leaves them whose metrics are wrong; marks may be small."""
    mask = np.zeros((32, 64), np.uint8)
    mask[20:24, 8:12] = mask[20:24, 32:36] = 255
    tiny = ContentImage(mask, mask, (Box(8, 20, 12, 24), Box(32, 20, 36, 24)))
    image = np.repeat((255 - mask)[..., None], 3, axis=2)
    gate = QualityGate(GateConfig(), None)
    assert gate.judge([Candidate(image, tiny, label, False)]) == [quality.TINY if refused else None]
    wide = ContentImage(mask, mask, (Box(8, 20, 12, 24), Box(32, 20, 60, 24)))  # such as a dash of Chinese
    assert gate.judge([Candidate(image, wide, label, False)]) == [None]


def test_what_surrounds_a_word_cannot_stand_in_for_it() -> None:
    """A dark edge below, and nothing painted where the letters should be."""
    alone = content()
    mask = alone.mask.copy()
    mask[26:] = 255
    edged = ContentImage(mask, alone.word, BOXES)
    empty = painted(200, 200, 200)
    empty[26:] = 40
    gate = QualityGate(GateConfig(), None)
    assert gate.judge([Candidate(empty, edged, "ab", False)]) == [quality.FAINT]
    whole = painted(200, 40, 40)
    whole[26:] = 40
    assert gate.judge([Candidate(whole, edged, "ab", False)]) == [None]


@pytest.mark.parametrize("strength", [60, 150])
def test_a_rim_is_neither_ink_nor_ground(strength: int) -> None:
    word = content().word
    rim = np.maximum(word, (cv2.dilate(word, np.ones((11, 11), np.uint8)) > 0) * np.uint8(strength))
    rimmed = ContentImage(rim, rim, BOXES)
    gate = QualityGate(GateConfig(), None)
    assert gate.judge([Candidate(painted(200, 200, 200), rimmed, "ab", False)]) == [quality.FAINT]
    assert gate.judge([Candidate(painted(200, 40, 40), rimmed, "ab", False)]) == [None]


@pytest.mark.parametrize("ground", [0, 90, 255])
def test_refuses_what_does_not_stand_out(ground: int) -> None:
    ink = 255 - ground if ground != 90 else 180
    assert judge(painted(ground, ink, ink)) is None
    near = ground + (10 if ground < 128 else -10)
    assert judge(painted(ground, near, near)) == "ink too faint"
    assert judge(painted(ground, ink, ground)) == "a character fades"
    assert judge(painted(ground, near, near), ink=False) is None


def test_refuses_a_character_of_the_other_polarity() -> None:
    assert judge(painted(128, 10, 170)) == "a character fades"


def test_refuses_ink_that_runs_into_its_ground() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 120, (32, 56, 1))
    image = np.clip(painted(110, 150, 150) + noise, 0, 255).astype(np.uint8)
    assert judge(image) == "ink runs into its ground"


class Echo:
    """Reads from left to right what it was told to."""

    name = "echo"
    alphabet = frozenset("abcxyz")

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.asked = 0

    def read(self, images: object) -> list[Reading]:
        self.asked = len(list(images))  # type: ignore[call-overload]
        return [Reading(text, 1.0) for text in self.texts[: self.asked]]


def test_a_reading_counts_without_case_and_punctuation_and_within_the_edits() -> None:
    image = painted(0, 255, 255)
    words = [Candidate(image, content(), label, False) for label in ("Ab!", "abc", "xyz")]
    assert QualityGate(GateConfig(), Echo("aB", "abx", "a")).judge(words) == [
        None, "not read as its label", "not read as its label",
    ]  # fmt: skip
    assert QualityGate(GateConfig(edits=1), Echo("aB", "abx", "a")).judge(words)[1] is None


def test_the_ocr_is_asked_only_about_what_it_can_judge() -> None:
    image, faint = painted(0, 255, 255), painted(0, 5, 5)
    reader = Echo("wrong")
    reasons = QualityGate(GateConfig(), reader).judge(
        [
            Candidate(image, content(), "abc", False),
            Candidate(image, content(), "abq", False),  # a letter that the OCR cannot write
            Candidate(image, content(), "!?", False),  # nothing that is compared
            Candidate(image, content(), "abc", True),  # may be hard
            Candidate(faint, content(), "abc", False),
        ]
    )
    assert reasons == ["not read as its label", None, None, None, "ink too faint"]
    assert reader.asked == 1


def run(job: Job, out: Path, workers: int = 1) -> tuple[list[tuple[str, bytes]], dict[str, object]]:
    generate(job, out, workers)
    with LmdbReader.open(out) as reader:
        samples = [(sample.label or "", sample.image) for sample in reader]
    return samples, json.loads(out.with_name(out.name + ".summary.json").read_text())


def test_refused_words_are_drawn_anew_counted_and_shown(
    make_job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Every word that holds an "a" is refused: what is left says what the gate does.
    monkeypatch.setattr(
        QualityGate,
        "judge",
        lambda self, words: ["ink too faint" if "a" in word.label else None for word in words],
    )
    samples, summary = run(make_job("gate.ink=true"), tmp_path / "out")
    assert len(samples) == 24
    assert not any("a" in label for label, _ in samples)
    rejected = summary["rejected"]["ink too faint"]  # type: ignore[index]
    assert rejected["count"] > 0
    assert all("a" in word for word in rejected["examples"])
    with Image.open(tmp_path / "out.rejected.png") as sheet:
        assert sheet.width == 1200
    again, _ = run(make_job("gate.ink=true"), tmp_path / "again")
    assert again == samples


def test_what_is_always_refused_is_dropped(make_job: Callable[..., Job], tmp_path: Path) -> None:
    job = make_job("gate.ink=true", "gate.min_contrast=255", "execution.max_attempts=2")
    with pytest.raises(GenerationError, match=r"dropped.*ink too faint"):
        generate(job, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_picture_that_shows_nothing_is_blank() -> None:
    flat = np.full((32, 64, 3), 127, np.uint8)
    assert quality.is_blank(flat)
    flat[::2] += 1
    assert quality.is_blank(flat)
    flat[3, 4, 1] = 129
    assert not quality.is_blank(flat)


def spoiled_weights(folder: Path, factor: float) -> Path:
    """Return weights that are finite numbers, multiplied by a factor that spoils them."""
    config = GeneratorConfig(widths=(8, 8, 8), decoder_widths=(8, 8), paint_width=4)
    generator = Generator(config)
    generator.load_state_dict({name: factor * tensor for name, tensor in generator.state_dict().items()})
    save_generator(folder / "spoiled.safetensors", generator, {})
    return folder / "spoiled.safetensors"


@pytest.mark.parametrize("gate", ["false", "true"])
def test_blank_pictures_get_no_label_whatever_the_settings(
    gate: str, make_job: Callable[..., Job], tmp_path: Path
) -> None:
    job = make_job(f"gate.ink={gate}", "execution.max_attempts=2", weights=spoiled_weights(tmp_path, 0.0))
    with pytest.raises(GenerationError, match=r"dropped.*blank picture"):
        generate(job, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_network_whose_output_is_no_number_writes_nothing(
    make_job: Callable[..., Job], tmp_path: Path
) -> None:
    job = make_job(weights=spoiled_weights(tmp_path, 1e30))
    with pytest.raises(GenerationError, match=r"^The network painted values that are not numbers: "):
        generate(job, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_without_the_recognizer_it_says_what_to_install(
    make_job: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    with pytest.raises(MissingPackageError, match=r"pip install \"siman-synth\[readability\]\""):
        generate(make_job("gate.ocr=ppocr"), tmp_path / "out")


@pytest.mark.slow
def test_bundled_weights_gated_words_are_all_read(tmp_path: Path) -> None:
    config = load_config(GenerateConfig, overrides=("gate.ocr=ppocr", "execution.shard_size=60"))
    job = Job(count=120, corpus=("english",), weights=weights_file(), seed=1, config=config)
    samples, summary = run(job, tmp_path / "out", workers=2)
    images = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for _, data in samples]
    readings = PpOcr.load().read(images)
    assert [comparable(reading.text) for reading in readings] == [comparable(label) for label, _ in samples]
    assert set(summary["rejected"]) <= {  # type: ignore[call-overload]
        quality.FAINT, quality.SMEARED, quality.FADING, quality.MISREAD,
    }  # fmt: skip
    assert "ocr" in " ".join(summary["identity"])  # type: ignore[arg-type]


def test_the_setting_of_version_0_1_is_told_its_new_name() -> None:
    with pytest.raises(ConfigError, match=r"'gate\.readable' has moved\. Set 'gate\.ocr' instead\.$"):
        load_config(GenerateConfig, overrides=("gate.readable=true",))
