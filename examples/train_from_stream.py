"""Train a small recognizer on words that are made while it trains: no data set on disk, no repeats.

    python examples/train_from_stream.py --styles crops/ --corpus words.txt --steps 2000 --test real

Stopped, the same command goes on from --out with the very samples that would have come next.
`siman-synth recognizer train --stream 1` does the same on the command line.
"""

from pathlib import Path

import click

from siman_synth import (
    Job,
    LabeledSet,
    RecognizerTrainingConfig,
    SimanError,
    TrainingStream,
    load_recognizer,
    train_recognizer,
)
from siman_synth.recognizer_training.config import RecognizerOptimisationConfig
from siman_synth.recognizer_training.labeled_words import LabeledWords
from siman_synth.recognizer_training.testing import read_words, scores_of


@click.command()
@click.option("--styles", default="bundled", show_default=True, help="Crops that lend their style.")
@click.option("--corpus", multiple=True, default=("default",), help="Words; may be given often.")
@click.option("--fonts", multiple=True, default=("all",), help="Fonts; may be given often.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**53))
@click.option("--steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(2))
@click.option(
    "--workers", default=2, show_default=True, type=click.IntRange(0), help="Processes that make words."
)
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
    try:
        if test_folder is not None:
            LabeledSet.open(test_folder).close()  # a mistake is told now, not after the training
        words = TrainingStream(
            Job(count=1, styles=styles, corpus=corpus, fonts=fonts, seed=seed), workers=workers
        )
        result = train_recognizer(
            RecognizerTrainingConfig(training=training), [words], out, resume=True, say=print
        )
        if result.interrupted:
            print(f"Stopped after step {result.steps}. The same command goes on.")
            raise SystemExit(130)
        print(f"{result.steps} steps done: {result.weights}")
        if test_folder is not None:
            recognizer = load_recognizer(out).recognizer
            labeled = LabeledWords(test_folder, recognizer.charset)
            scores = scores_of(read_words(recognizer, labeled, "test"))
            print(f"{scores.words} words read: {scores.to_text()}")
    except SimanError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
