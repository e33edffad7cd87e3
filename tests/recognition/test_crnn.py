"""The recognizer's shapes, and that it learns."""

import cv2
import numpy as np
import torch

from siman_synth.recognition.charset import Charset
from siman_synth.recognition.crnn import STEPS, Crnn, read_words
from siman_synth.recognition.ctc import ctc_loss
from siman_synth.recognition.images import squeeze, to_batch

WORDS = ("sale", "42", "egg")


def written(word: str, height: int = 40) -> np.ndarray:
    image = np.full((height, 26 + 18 * len(word), 3), 230, np.uint8)
    cv2.putText(image, word, (8, height - 14), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 30, 90), 2)
    return image


def test_images_of_any_size_become_one_batch() -> None:
    batch = to_batch([written("sale", 64), written("42", 20), squeeze(written("egg"))])
    assert batch.shape == (3, 3, 32, 100)
    assert -1.0 <= float(batch.min()) < float(batch.max()) <= 1.0


def test_every_step_has_a_distribution_over_the_classes() -> None:
    log_probs = Crnn(37)(torch.zeros(2, 3, 32, 100))
    assert log_probs.shape == (STEPS, 2, 37)
    assert torch.allclose(log_probs.exp().sum(2), torch.ones(STEPS, 2))


def test_it_learns_to_read_a_few_words_and_stays_in_training_mode() -> None:
    torch.manual_seed(0)
    charset = Charset("24aegls")
    crnn = Crnn(charset.classes, widths=(8, 16, 32, 32), hidden=32)
    optimizer = torch.optim.AdamW(crnn.parameters(), lr=0.03)
    images = [written(word) for word in WORDS]
    batch, labels = to_batch(images), [charset.encode(word) for word in WORDS]
    for _ in range(110):
        loss = ctc_loss(crnn(batch), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert read_words(crnn, images, charset, batch_size=2) == list(WORDS)
    assert crnn.training
