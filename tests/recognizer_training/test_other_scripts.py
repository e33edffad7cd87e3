"""A recognizer that learned generated words of another script reads generated words that it never saw.

It shows that labels and images agree: a label in another order than its image could not be learned so.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest

from siman_synth.config import load_config
from siman_synth.recognition.charset import charset_of
from siman_synth.recognition.recognizer import RecognizerConfig
from siman_synth.recognition.weights import load_recognizer
from siman_synth.recognizer_training.config import RecognizerOptimisationConfig, RecognizerTrainingConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.run import TrainingSet, train_recognizer
from siman_synth.recognizer_training.testing import read_words, scores_of
from siman_synth.runs.generate import generate
from siman_synth.runs.job import Job
from siman_synth.synthesis.config import GenerateConfig

HELD_OUT, STEPS, LEAST_RIGHT = 40, 800, 0.9
WIDTH_PX = 48
"""Enough for three letters, and half the work."""
SETTINGS = (
    "render.layout.perspective.weight=0",
    "render.layout.curved.weight=0",
    "render.layout.rotated.weight=0",
    "render.framing.stretch=[1.0, 1.0]",
    "text.fit_share=0",
)
WORDS = {
    "ar": ["".join(letters) for count in (2, 3) for letters in itertools.product("ابدسمل", repeat=count)],
    # The sign for a short i is written before its letter, and drawn so; two letters without a vowel join.
    "hi": [
        "".join(parts)
        for first, second in itertools.product("कगनम", repeat=2)
        for parts in itertools.product([first], ["", "ा", "ि", "ी"], [second], ["", "ा", "ि", "्त"])
    ],
}
FONTS = {"ar": "Noto Naskh Arabic", "hi": "Noto Sans Devanagari"}


@pytest.mark.slow
@pytest.mark.parametrize("language", ["ar", "hi"])
def test_it_reads_words_that_it_never_saw(tmp_path: Path, language: str) -> None:
    words = np.random.default_rng(5).permutation(WORDS[language]).tolist()
    config = load_config(GenerateConfig, None, SETTINGS)
    for name, part, count in (("train", words[HELD_OUT:], 1600), ("held", words[:HELD_OUT], 200)):
        (tmp_path / f"{name}.txt").write_text("\n".join(part) + "\n", encoding="utf-8")
        job = Job(
            count=count,
            corpus=(str(tmp_path / f"{name}.txt"),),
            fonts=(FONTS[language],),
            seed=len(part),
            config=config,
        )
        generate(job, tmp_path / name)
    training = RecognizerTrainingConfig(
        model=RecognizerConfig(charset=charset_of(set("".join(words))), width_px=WIDTH_PX),
        training=RecognizerOptimisationConfig(steps=STEPS, batch_size=32, average_half_life=1600),
    )
    train_recognizer(training, [TrainingSet(str(tmp_path / "train"))], tmp_path / "run", device="cpu")
    recognizer = load_recognizer(tmp_path / "run").recognizer
    scores = scores_of(read_words(recognizer, LabeledWords(tmp_path / "held", recognizer.charset)))
    assert scores.right >= LEAST_RIGHT
