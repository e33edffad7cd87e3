"""A run from end to end: resume, the best step, what it begins with, what it refuses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from siman_synth import stopping
from siman_synth.errors import ConfigError, OutputError, TrainingError, WeightsError
from siman_synth.files import RUN_MARKER
from siman_synth.models.bundled import weights_file
from siman_synth.models.checkpoint import load_generator
from siman_synth.recognition.recognizer import Recognizer, RecognizerConfig
from siman_synth.recognition.weights import load_recognizer
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.run import LAST_FILE, RecognizerResult, TrainingSet, train_recognizer
from siman_synth.recognizer_training.validation import Best, Validation
from tests.recognizer_training.tiny import stops_after, tiny, write_words


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_words(tmp_path_factory.mktemp("words") / "words")


def run(config: RecognizerTrainingConfig, words: Path, out: Path, **more: Any) -> RecognizerResult:
    options: dict[str, Any] = {"device": "cpu", "show_progress": False, **more}
    return train_recognizer(config, [TrainingSet(str(words))], out, **options)


def numbers(out: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (out / "stats.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]


def assert_equal_weights(one: Path, other: Path) -> None:
    for name in ("recognizer.safetensors", "last.safetensors"):
        left, right = (load_recognizer(folder / name).recognizer.state_dict() for folder in (one, other))
        torch.testing.assert_close(left, right, rtol=0, atol=0)


@pytest.mark.parametrize("ctc_share", [0.0, 0.5])
def test_stopped_and_resumed_is_uninterrupted(
    words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ctc_share: float
) -> None:
    config = tiny()
    if ctc_share:
        training = replace(config.training, ctc_share=ctc_share)
        config = replace(config, model=replace(config.model, decoder="attention"), training=training)
    whole = run(config, words, tmp_path / "whole", validation=[words])
    with monkeypatch.context() as patch:
        patch.setattr(stopping, "requested", stops_after(3))
        stopped = run(config, words, tmp_path / "stopped", validation=[words])
    assert (stopped.steps, stopped.interrupted) == (3, True)
    resumed = run(config, words, tmp_path / "stopped", validation=[words], resume=True)
    assert (resumed.steps, resumed.interrupted) == (6, False)
    assert (resumed.best_step, resumed.best_share) == (whole.best_step, whole.best_share)
    assert load_recognizer(tmp_path / "whole").provenance["step"] == whole.best_step
    assert numbers(tmp_path / "stopped") == numbers(tmp_path / "whole")
    assert_equal_weights(tmp_path / "stopped", tmp_path / "whole")


def test_the_best_step_is_what_is_left(tmp_path: Path) -> None:
    """A decoder that writes one class whatever it sees reads a share of the words that is known."""
    folder = write_words(tmp_path / "letters", ["e", "e", "a"], 2)
    recognizer = Recognizer(RecognizerConfig(encoder="pyramid", hidden=4))
    assert isinstance(recognizer.decoder, torch.nn.Linear)
    words = LabeledWords(folder, recognizer.charset)
    exported: list[int] = []
    best = Best()
    validation = Validation(recognizer, [words], best, exported.append)
    for step, (letter, share) in enumerate(
        [("x", 0), ("a", 1 / 3), ("e", 2 / 3), ("a", 1 / 3), ("e", 2 / 3)], 1
    ):
        with torch.no_grad():
            recognizer.decoder.weight.zero_()
            recognizer.decoder.bias.zero_()
            recognizer.decoder.bias[recognizer.charset.encode(letter)] = 10
        assert validation.make(step)["validation_right"] == pytest.approx(share)
    assert exported == [1, 2, 3]
    assert best.state_dict() == {"step": 3, "share": pytest.approx(2 / 3)}


def test_without_validation_the_last_step_is_left(words: Path, tmp_path: Path) -> None:
    said: list[str] = []
    result = run(tiny(), words, tmp_path / "run", say=said.append)
    assert (result.best_step, result.best_share) == (6, None)
    assert load_recognizer(tmp_path / "run").provenance["step"] == 6
    assert "No validation set: the recognizer of the last step is what is left" in said
    assert f"{words}: 24 words to learn, 0 left out" in said


def test_other_words_or_settings_are_not_resumed(words: Path, tmp_path: Path) -> None:
    run(tiny(), words, tmp_path / "run")
    other = write_words(tmp_path / "other", ["no"])
    with pytest.raises(OutputError, match="has other settings or inputs"):
        run(tiny(), other, tmp_path / "run", resume=True)
    with pytest.raises(OutputError, match=r"other settings or inputs: training\.learning_rate"):
        run(tiny(learning_rate=0.1), words, tmp_path / "run", resume=True)
    with pytest.raises(OutputError, match="Resume it, or choose another output folder"):
        run(tiny(), words, tmp_path / "run")
    longer = run(tiny(steps=8), words, tmp_path / "run", resume=True)
    assert longer.steps == 8


def test_another_torch_is_told(words: Path, tmp_path: Path) -> None:
    said: list[str] = []
    run(tiny(), words, tmp_path / "run", say=said.append)
    marker = tmp_path / "run" / RUN_MARKER
    marker.write_text(marker.read_text().replace(f'"torch": "{torch.__version__}"', '"torch": "1.0"'))
    run(tiny(steps=8), words, tmp_path / "run", resume=True, say=said.append)
    told = [line for line in said if line.startswith("This run began with torch")]
    assert told == [
        f"This run began with torch 1.0, and this is {torch.__version__}: numbers may differ in their last "
        "digits from those of a run that was never stopped."
    ]


def test_an_encoder_is_taken_from_siman_weights(words: Path, tmp_path: Path) -> None:
    said: list[str] = []
    config = tiny(freeze_encoder=True, steps=2)
    run(config, words, tmp_path / "run", init="bundled", say=said.append)
    assert "Starting from small.safetensors: the encoder" in said
    loaded = load_recognizer(tmp_path / "run")
    assert loaded.provenance["init"]["taken"] == "the encoder"
    torch.testing.assert_close(
        loaded.recognizer.encoder.state_dict(),
        load_generator(weights_file("bundled")).generator.encoder.state_dict(),
        rtol=0,
        atol=0,
    )
    with pytest.raises(WeightsError, match=r"encoder of kind pyramid, and model\.encoder is crnn"):
        run(
            replace(
                config,
                model=replace(config.model, encoder="crnn"),
                training=replace(config.training, freeze_encoder=False),
            ),
            words,
            tmp_path / "other",
            init="bundled",
        )


def test_an_encoder_from_siman_weights_learns_more_slowly_also_when_resumed(
    words: Path, tmp_path: Path
) -> None:
    config = tiny(steps=4, learning_rate=1e-3, weight_decay=0.0, pretrained_rate=1e-6)
    began = load_generator(weights_file("bundled")).generator.encoder.state_dict()

    def moved(out: Path) -> float:
        now = load_recognizer(out / LAST_FILE).recognizer.encoder.state_dict()
        return max(float((now[name] - began[name]).abs().max()) for name in began)

    run(config, words, tmp_path / "run", init="bundled")
    assert 0 < moved(tmp_path / "run") < 1e-6
    run(replace(config, training=replace(config.training, steps=8)), words, tmp_path / "run", resume=True)
    assert 0 < moved(tmp_path / "run") < 1e-6
    quick = replace(config, training=replace(config.training, pretrained_rate=1.0))
    run(quick, words, tmp_path / "quick", init="bundled")
    assert moved(tmp_path / "quick") > 1e-4


def test_a_recognizer_goes_on_in_another_charset(words: Path, tmp_path: Path) -> None:
    run(tiny(steps=2), words, tmp_path / "first")
    first = load_recognizer(tmp_path / "first").recognizer.state_dict()
    config = tiny(learning_rate=1e-9, weight_decay=0.0, steps=1)
    more = replace(config, model=replace(config.model, charset="abcdefghijklmnopqrstuvwxyz"))
    run(more, words, tmp_path / "second", init=tmp_path / "first")
    second = load_recognizer(tmp_path / "second").recognizer.state_dict()
    alike = {name for name in first if not name.startswith("decoder.")}
    for name in alike:
        torch.testing.assert_close(second[name], first[name], rtol=0, atol=1e-4)
    wider = replace(config, model=replace(config.model, hidden=16))
    with pytest.raises(WeightsError, match=r"holds another recognizer .* model\.hidden"):
        run(wider, words, tmp_path / "third", init=tmp_path / "first")
    with pytest.raises(ConfigError, match="goes on with the weights that it began with"):
        run(more, words, tmp_path / "second", init=tmp_path / "first", resume=True)


def test_a_loss_that_is_not_finite_stops_the_run(words: Path, tmp_path: Path) -> None:
    run(tiny(steps=2), words, tmp_path / "run")
    state = tmp_path / "run" / "checkpoints" / "state-00000002.pt"
    saved = torch.load(state, weights_only=True)
    saved["parts"]["recognizer"]["decoder.bias"][0] = float("nan")
    torch.save(saved, state)
    with pytest.raises(TrainingError, match=r"^Loss 'loss' is nan at step 3; no optimiser followed it"):
        run(tiny(steps=4), words, tmp_path / "run", resume=True)
