"""Train a small recognizer on words that are made while it trains: no data set on disk, no repeats.

    python examples/train_from_stream.py --styles crops/ --corpus words.txt --steps 2000 --test real

Stopped, the same command goes on from --out with the very samples that would have come next.
`siman-synth recognizer train --stream 1` does the same on the command line.
"""

from pathlib import Path

import click

from siman_synth import Job, RecognizerTrainingConfig, TrainingStream, train_recognizer
from siman_synth.recognition.weights import load_recognizer
from siman_synth.recognizer_training.config import RecognizerOptimisationConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.testing import read_words, scores_of


@click.command()
@click.option("--styles", default="bundled", show_default=True, help="Crops that lend their style.")
@click.option("--corpus", multiple=True, default=("default",), help="Words; may be given often.")
@click.option("--fonts", multiple=True, default=("all",), help="Fonts; may be given often.")
@click.option("--seed", default=0, show_default=True)
@click.option("--steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(2))
@click.option("--workers", default=2, show_default=True, help="Processes that make words.")
@click.option("--out", default="reader", show_default=True, type=click.Path(path_type=Path))
@click.option("--test", "test_folder", type=click.Path(path_type=Path), help="A labeled LMDB to read.")
def main(
    styles: str,
    corpus: tuple[str, ...],
    fonts: tuple[str, ...],
    seed: int,
    steps: int,
    batch_size: int,
    workers: int,
    out: Path,
    test_folder: Path | None,
) -> None:
    """Train a CRNN on an endless stream of generated words; say how well it reads real ones."""
    training = RecognizerOptimisationConfig(seed=seed, steps=steps, batch_size=batch_size)
    words = TrainingStream(
        Job(count=1, styles=styles, corpus=corpus, fonts=fonts, seed=seed), workers=workers
    )
    train_recognizer(RecognizerTrainingConfig(training=training), [words], out, resume=True, say=print)
    if test_folder is not None:
        recognizer = load_recognizer(out).recognizer
        scores = scores_of(read_words(recognizer, LabeledWords(test_folder, recognizer.charset), "test"))
        print(f"{scores.words} words read: {scores.to_text()}")


if __name__ == "__main__":
    main()
