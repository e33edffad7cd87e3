"""Section 4.5.1 of the paper: do generated words look like real ones, and what do they teach?

Two parts. Figure 3: one word, its real crops and as many generated ones as asked, by t-SNE on ImageNet
features. And recognizers trained on real labels alone, on generated words alone, on both, and on the
words of other generators, at equal counts; give --generated with more words for the same CPU cost.

    python pretrain/experiments/synthesis.py --labeled train.lmdb --styles unlabeled.lmdb --word the \\
        --generated 10k=words10k --generated 60k=words60k --peer synthtiger=synthtiger.lmdb \\
        --test dev=dev.lmdb --seeds 0,1,2 --out runs/synthesis

`--scale paper` takes trba and 300,000 steps of 192 words.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np
from runs import Experiment, Row, Words, named_paths, options, report, scaled

from siman_synth import CropPool, LmdbReader, StyleBank, Synthesizer, TrainingSet
from siman_synth.evaluation.features import load_features
from siman_synth.imaging.decode import decode_crop
from siman_synth.imaging.resize import resize
from siman_synth.ocr.recognizer import Image

SCALES = {"cpu": ("crnn", ("training.steps=4000",)), "paper": ("trba", ())}

_HEIGHT_PX = 32


def real_crops(labeled: Path, word: str, most: int) -> tuple[list[np.ndarray], list[str]]:
    """Return crops whose label is the word, letter case aside, and their labels."""
    found: list[np.ndarray] = []
    labels: list[str] = []
    with LmdbReader.open(labeled) as reader:
        for index in range(len(reader)):
            label = reader.label(index) or ""
            if label.casefold() == word.casefold() and len(found) < most:
                labels.append(label)
                found.append(decode_crop(reader.image(index), str(index)))
    if len(found) < 3:
        raise click.ClickException(
            f"{labeled} holds {len(found)} crops of '{word}'; take a more frequent word."
        )
    return found, labels


def generated_crops(styles: Path, labels: Sequence[str], count: int) -> list[np.ndarray]:
    """Return a word in the styles of crops, one after the other, in the letter cases that labels have."""
    bank = StyleBank.build(CropPool.open(styles))
    synthesizer = Synthesizer.load()
    order = np.random.default_rng(0).permutation(len(bank))
    return [
        synthesizer.synthesize(
            labels[number % len(labels)], bank[int(order[number % len(bank)])], seed=number
        ).image
        for number in range(count)
    ]


def figure(real: Sequence[np.ndarray], generated: Sequence[np.ndarray], word: str, path: Path) -> None:
    """Draw both by t-SNE, with the crops as points, side by side on the same map."""
    import matplotlib
    from sklearn.manifold import TSNE

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    images = [_of_height(image) for image in (*real, *generated)]
    features = np.asarray(load_features("imagenet", 1)(images))
    places = TSNE(perplexity=min(30, len(images) // 4), random_state=0).fit_transform(features)
    panels, axes = pyplot.subplots(1, 2, figsize=(16, 8), sharex=True, sharey=True)
    sides = ("real", range(len(real))), ("generated", range(len(real), len(images)))
    for axis, (title, members) in zip(axes, sides, strict=True):
        axis.scatter(*places.T, s=2, c="#cccccc")
        for number in list(members)[:200]:
            box = AnnotationBbox(OffsetImage(images[number], zoom=0.5), places[number], frameon=False)
            axis.add_artist(box)
        axis.set_title(f"'{word}', {len(members)} {title}")
    panels.tight_layout()
    panels.savefig(path, dpi=100)
    pyplot.close(panels)


def _of_height(image: np.ndarray) -> Image:
    width = max(8, round(_HEIGHT_PX * image.shape[1] / image.shape[0]))
    return resize(image, width, _HEIGHT_PX)


@click.command()
@click.option("--labeled", required=True, type=click.Path(path_type=Path), help="Real words with labels.")
@click.option("--styles", type=click.Path(path_type=Path), help="Crops that lend their style to the figure.")
@click.option("--word", default="the", show_default=True, help="The word of the figure.")
@click.option(
    "--figure-words", default=2000, show_default=True, type=click.IntRange(10), help="Generated in it."
)
@click.option(
    "--generated", multiple=True, required=True, callback=named_paths, metavar="NAME=LMDB",
    help="Generated words; can be repeated.",
)  # fmt: skip
@click.option(
    "--peer", "peers", multiple=True, callback=named_paths, metavar="NAME=LMDB",
    help="Words of another generator; can be repeated.",
)  # fmt: skip
@options(SCALES, seeds="0,1,2")
def main(
    labeled: Path,
    styles: Path | None,
    word: str,
    figure_words: int,
    generated: dict[str, Path],
    peers: dict[str, Path],
    tests: dict[str, Path],
    scale: str,
    steps: int | None,
    seeds: list[int],
    device: str,
    only: tuple[str, ...],
    out: Path,
) -> None:
    """Draw the figure, train on each set, test, print a table."""
    out.mkdir(parents=True, exist_ok=True)
    if styles is not None and not (out / "figure3.png").exists():
        real, labels = real_crops(labeled, word, 200)
        figure(real, generated_crops(styles, labels, figure_words), word, out / "figure3.png")
    config = scaled(SCALES[scale], steps)
    with LmdbReader.open(labeled) as reader:
        count = len(reader)

    def words(*paths: Path) -> Words:
        # By count, as if the sets were one.
        return [TrainingSet(str(path), float(size(path))) for path in paths]

    def size(path: Path) -> int:
        with LmdbReader.open(path) as reader:
            return len(reader)

    rows = [Row(f"{count} real", config, None, lambda _seed: words(labeled))]
    for name, path in {**generated, **peers}.items():
        rows.append(Row(f"{name}", config, None, lambda _seed, path=path: words(path)))
    for name, path in generated.items():
        rows.append(
            Row(f"{count} real and {name}", config, None, lambda _seed, path=path: words(labeled, path))
        )
    lines = Experiment(out, tests, device, only).run(rows, seeds)
    report(lines, list(tests), out, "synthesis.png", "What words teach")


if __name__ == "__main__":
    main()
