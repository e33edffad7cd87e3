"""Train a small recognizer on words that are made while it trains: no data set on disk, no repeats.

    python examples/train_from_stream.py --styles crops/ --corpus words.txt --steps 2000 --test real

Stopped, the same command goes on from --checkpoint with the very samples that would have come next.
"""

from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from siman_synth import Job, LmdbReader, StreamingWords
from siman_synth.imaging.decode import decode_crop
from siman_synth.recognition.charset import Charset
from siman_synth.recognition.crnn import STEPS, Crnn, read_words
from siman_synth.recognition.ctc import ctc_loss, fits
from siman_synth.recognition.images import squeeze, to_batch

CHARSET = Charset()


def as_list(samples: list[tuple[np.ndarray, str]]) -> list[tuple[np.ndarray, str]]:
    """Leave a batch as it comes: the images are made into a tensor where they are used."""
    return samples


def train(job: Job, steps: int, batch_size: int, workers: int, checkpoint: Path) -> Crnn:
    """Train on `steps` batches of the stream, or on what is left of them."""
    crnn = Crnn(CHARSET.classes)
    optimizer = torch.optim.AdamW(crnn.parameters(), lr=1e-3)
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint)
        crnn.load_state_dict(state["crnn"])
        optimizer.load_state_dict(state["optimizer"])
        done = state["steps"]
    # A batch is a block: so batches come in order, and a position is a number of samples.
    words = StreamingWords(job, start=done * batch_size, block_size=batch_size, transform=squeeze)
    loader: DataLoader[Any] = DataLoader(
        words, batch_size=batch_size, num_workers=workers, collate_fn=as_list
    )
    with tqdm(total=steps, initial=done, unit="step", disable=None) as bar:
        for step, samples in zip(range(done + 1, steps + 1), loader, strict=False):
            pairs = [(image, CHARSET.encode(label)) for image, label in samples]
            pairs = [(image, label) for image, label in pairs if label and fits(label, STEPS)]
            log_probs = crnn(to_batch([image for image, _ in pairs]))
            loss = ctc_loss(log_probs, [label for _, label in pairs])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(crnn.parameters(), 5.0)
            optimizer.step()
            bar.update()
            if step % 50 == 0 or step == steps:
                tqdm.write(f"step {step}  loss {loss.item():.3f}")
                state = {"crnn": crnn.state_dict(), "optimizer": optimizer.state_dict(), "steps": step}
                torch.save(state, checkpoint)
    return crnn


def accuracy(crnn: Crnn, folder: Path) -> tuple[int, int]:
    """Return how many words of a labeled LMDB are read right, and of how many."""
    images, labels = [], []
    with LmdbReader.open(folder) as reader:
        for number, sample in enumerate(reader, 1):
            if label := CHARSET.clean(sample.label or ""):
                images.append(decode_crop(sample.image, f"image {number}"))
                labels.append(label)
    words = read_words(crnn, images, CHARSET)
    return sum(word == label for word, label in zip(words, labels, strict=True)), len(labels)


@click.command()
@click.option("--styles", default="bundled", show_default=True, help="Crops that lend their style.")
@click.option("--corpus", multiple=True, default=("default",), help="Words; may be given often.")
@click.option("--fonts", multiple=True, default=("all",), help="Fonts; may be given often.")
@click.option("--seed", default=0, show_default=True)
@click.option("--steps", default=2000, show_default=True, type=click.IntRange(1))
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(2))
@click.option("--workers", default=2, show_default=True, help="Processes that make words.")
@click.option("--checkpoint", default="crnn.pt", show_default=True, type=click.Path(path_type=Path))
@click.option("--test", "test_folder", type=click.Path(path_type=Path), help="A labeled LMDB to read.")
def main(
    styles: str,
    corpus: tuple[str, ...],
    fonts: tuple[str, ...],
    seed: int,
    steps: int,
    batch_size: int,
    workers: int,
    checkpoint: Path,
    test_folder: Path | None,
) -> None:
    """Train a CRNN on an endless stream of generated words; say how well it reads real ones."""
    torch.manual_seed(seed)
    job = Job(count=1, styles=styles, corpus=corpus, fonts=fonts, seed=seed)
    crnn = train(job, steps, batch_size, workers, checkpoint)
    if test_folder is not None:
        right, total = accuracy(crnn, test_folder)
        print(f"{right} of {total} words read right ({right / total:.1%})")


if __name__ == "__main__":
    main()
