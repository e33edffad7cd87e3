"""Presets, shapes, reading, and that each decoder learns."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from siman_synth.config import load_config
from siman_synth.models.generator import GeneratorConfig
from siman_synth.recognition.images import squeeze, to_batch
from siman_synth.recognition.recognizer import PRESETS, Recognizer, RecognizerConfig
from siman_synth.recognizer_training.config import RecognizerTrainingConfig
from siman_synth.resources import resource_folder

WORDS = ("sale", "42", "egg")


def written(word: str, height: int = 40) -> np.ndarray:
    image = np.full((height, 26 + 18 * len(word), 3), 230, np.uint8)
    cv2.putText(image, word, (8, height - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 30, 90), 2)
    return image


@pytest.mark.parametrize(
    ("preset", "parameters"),
    [("crnn", 377_405), ("trbc", 48_860_000), ("trba", 49_560_000)],
)
def test_presets_have_the_sizes_they_are_known_by(preset: str, parameters: int) -> None:
    recognizer = Recognizer(PRESETS[preset])
    found = sum(parameter.numel() for parameter in recognizer.parameters())
    assert found == pytest.approx(parameters, rel=0.0005)


def test_images_of_any_size_become_one_batch() -> None:
    batch = to_batch([written("sale", 64), written("42", 20), squeeze(written("egg"))])
    assert batch.shape == (3, 3, 32, 100)
    assert -1.0 <= float(batch.min()) < float(batch.max()) <= 1.0


def test_the_recipes_are_the_presets() -> None:
    for name, preset in PRESETS.items():
        recipe = load_config(RecognizerTrainingConfig, name, (), resource_folder("recognizers"))
        assert recipe.model == preset


def test_the_best_path_merges_repeats_and_takes_blanks_out() -> None:
    recognizer = Recognizer(RecognizerConfig(charset="ab"))
    path = torch.tensor([1, 1, 0, 1, 2, 2, 0])
    chances = torch.full((7, 3), 0.1)
    chances[torch.arange(7), path] = torch.tensor([0.6, 0.8, 0.8, 0.5, 0.8, 0.7, 0.8])
    reading = recognizer._best_path(chances)
    assert reading.text == "aab"
    assert reading.score == pytest.approx(0.8 * 0.5 * 0.8)


@pytest.mark.parametrize("preset", ["crnn", "small"])
def test_every_quarter_of_the_width_is_a_column(preset: str) -> None:
    recognizer = Recognizer(replace(PRESETS[preset], width_px=120))
    columns = recognizer(torch.zeros(2, 3, 32, 120))
    assert columns.shape[:2] == (2, 30)


@pytest.mark.parametrize("decoder", ["ctc", "attention"])
@pytest.mark.parametrize("encoder", ["crnn", "pyramid"])
def test_it_learns_to_read_a_few_words_and_stays_in_training_mode(encoder: str, decoder: str) -> None:
    torch.manual_seed(0)
    config = RecognizerConfig(encoder=encoder, decoder=decoder, charset="24aegls", hidden=48, longest=6)  # type: ignore[arg-type]
    recognizer = Recognizer(config, GeneratorConfig(widths=(8, 16, 16)))
    optimizer = torch.optim.AdamW(recognizer.parameters(), lr=0.005)
    images = [written(word) for word in WORDS]
    batch, labels = to_batch(images), [recognizer.charset.encode(word) for word in WORDS]
    for _ in range(200):
        loss = recognizer.loss(batch, labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(recognizer.parameters(), 5.0)
        optimizer.step()
        if loss.item() < 0.02:
            break
    readings = recognizer.read(images, batch_size=2)
    assert [reading.text for reading in readings] == list(WORDS)
    assert all(0.5 < reading.score <= 1.0 for reading in readings)
    assert recognizer.training


def test_labels_that_are_too_long_are_told() -> None:
    ctc = Recognizer(RecognizerConfig(width_px=16, charset="ab"))
    attention = Recognizer(RecognizerConfig(decoder="attention", longest=3, charset="ab"))
    assert ctc.fits([1, 2, 1, 2])
    assert not ctc.fits([1, 1, 2, 1])
    assert attention.fits([1, 1, 2])
    assert not attention.fits([1, 1, 2, 2])
    assert not attention.fits([])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"charset": "aa"}, "each once"),
        ({"height_px": 20}, "height_px must be a multiple of 16, .* found 20"),
        ({"encoder": "resnet29", "height_px": 48}, "32 px high, found height_px = 48"),
        ({"width_px": 101}, "width_px must be a multiple of 4, .* found 101"),
        ({"hidden": 0}, "hidden must be between 1 and 4096, found 0"),
        ({"context_layers": 9}, "context_layers must be between 0 and 8, found 9"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecognizerConfig(**settings)  # type: ignore[arg-type]
