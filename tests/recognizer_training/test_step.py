"""One step: parts of a batch, a frozen encoder, labels that cannot be learned."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch

from siman_synth.errors import ConfigError
from siman_synth.recognition.recognizer import Recognizer
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.recognizer_training.sources import DatasetSource, Mixture
from siman_synth.recognizer_training.step import RecognizerState, RecognizerTraining
from siman_synth.training.distributed import Processes
from tests.recognizer_training.tiny import tiny, write_words

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_words(tmp_path_factory.mktemp("words") / "words")


def trained(config: RecognizerTrainingConfig, words: Path, steps: int = 2) -> tuple[Recognizer, list[float]]:
    torch.manual_seed(0)
    state = RecognizerState.create(Recognizer(config.model), config, CPU)
    mixture = Mixture(
        [(DatasetSource(str(words), state.recognizer, 0), 1.0)], 0, config.training.batch_size, True
    )
    training = RecognizerTraining(config, state, mixture, Processes(0, 1, CPU), {})
    losses = [float(training.take_step(step)["loss"]) for step in range(steps)]
    training.close()
    return state.recognizer, losses


@pytest.mark.parametrize(("decoder", "share"), [("ctc", 0.0), ("attention", 0.0), ("attention", 0.4)])
def test_a_batch_in_parts_is_the_batch(
    words: Path, decoder: Literal["ctc", "attention"], share: float
) -> None:
    config = tiny(batch_size=6)
    training = replace(config.training, ctc_share=share)
    config = replace(config, model=replace(config.model, decoder=decoder), training=training)
    in_parts = replace(config, training=replace(config.training, accumulate=3))
    (_, whole), (_, parts) = trained(config, words, 3), trained(in_parts, words, 3)
    assert parts == pytest.approx(whole, rel=1e-4)


def test_a_frozen_encoder_stays_and_the_rest_learns(words: Path) -> None:
    config = tiny(freeze_encoder=True)
    torch.manual_seed(0)
    before = Recognizer(config.model).state_dict()
    after = trained(config, words)[0].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert not any(name.startswith("columns.encoder.") for name in changed)
    assert any(name.startswith("decoder.") for name in changed)


def test_a_batch_without_a_label_that_can_be_learned_teaches_nothing(words: Path) -> None:
    config = tiny()
    torch.manual_seed(0)
    state = RecognizerState.create(Recognizer(config.model), config, CPU)
    mixture = Mixture([(DatasetSource(str(words), state.recognizer, 0), 1.0)], 0, 4, False)
    batch = mixture.batch(0)
    mixture.batch = lambda *_: [replace(word, label=[]) for word in batch]  # type: ignore[method-assign]
    training = RecognizerTraining(config, state, mixture, Processes(0, 1, CPU), {})
    assert float(training.take_step(0)["loss"]) == 0
    training.close()


def test_ctc_beside_attention_has_its_share_of_the_loss(words: Path) -> None:
    config = tiny()
    model = replace(config.model, decoder="attention")

    def first_loss(share: float) -> float:
        training = replace(config.training, ctc_share=share)
        return trained(replace(config, model=model, training=training), words, 1)[1][0]

    alone, by_ctc = first_loss(0.0), first_loss(1.0)
    assert alone != pytest.approx(by_ctc, rel=0.05)
    assert first_loss(0.25) == pytest.approx(0.75 * alone + 0.25 * by_ctc, rel=1e-4)


def test_ctc_has_no_share_beside_itself() -> None:
    with pytest.raises(ConfigError, match=r"training\.ctc_share needs model\.decoder = 'attention'"):
        tiny(ctc_share=0.5)
