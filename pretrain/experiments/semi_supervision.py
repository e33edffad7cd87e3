"""Section 4.4 of the paper: what is pretraining worth when few labels are there?

Recognizers learn from a share of the labeled words: from scratch, from a SimAN encoder, and from that
encoder with generated words in the styles of the unlabeled crops beside the real ones.

    python pretrain/experiments/semi_supervision.py --labeled train.lmdb --generated words100k \\
        --test dev=dev.lmdb --encoder bundled --shares 5,10,100 --seeds 0,1,2 --out runs/semi

`--scale paper` takes trba and 300,000 steps of 192 words; the paper's labels were, by all we know, 10,000,
100,000 and 1,000,000 synthetic words: give those as --labeled with --counts.
"""

from pathlib import Path

import click
from runs import Experiment, Row, Words, numbers, options, report, scaled, subset

from siman_synth import TrainingSet
from siman_synth.storage.lmdb_reader import LmdbReader

SCALES = {
    "cpu": ("small", ("training.steps=1200", "training.batch_size=32")),
    "paper": ("trba", ()),
}


@click.command()
@click.option("--labeled", required=True, type=click.Path(path_type=Path), help="A labeled LMDB.")
@click.option("--generated", help="A labeled LMDB of generated words; without it that row is left out.")
@click.option("--generated-weight", default=1.0, show_default=True, help="How often, for one real word.")
@click.option("--encoder", default="bundled", show_default=True, help="SimAN weights, or a run of pretrain.")
@click.option(
    "--shares", default="5,10,100", show_default=True, callback=numbers, help="Of the labels, in percent."
)
@click.option(
    "--counts", callback=lambda c, p, v: numbers(c, p, v) if v else None, help="Labels, instead of shares."
)
@options(SCALES, seeds="0,1,2")
def main(
    labeled: Path,
    generated: str | None,
    generated_weight: float,
    encoder: str,
    tests: dict[str, Path],
    shares: list[int],
    counts: list[int] | None,
    scale: str,
    steps: int | None,
    seeds: list[int],
    device: str,
    only: tuple[str, ...],
    out: Path,
) -> None:
    """Train on few and many labels, test, print a table."""
    config = scaled(SCALES[scale], steps)
    with LmdbReader.open(labeled) as reader:
        total = len(reader)
    wanted = counts or [max(1, round(total * share / 100)) for share in shares]
    rows = []
    for count in wanted:

        def real(seed: int, count: int = count) -> Words:
            return [TrainingSet(str(subset(labeled, out / "labels", count, seed)))]

        def both(seed: int, count: int = count) -> Words:
            return [*real(seed, count), TrainingSet(str(generated), generated_weight)]

        rows += [
            Row(f"{count} labels, scratch", config, None, real),
            Row(f"{count} labels, SimAN", config, encoder, real),
        ]
        if generated is not None:
            rows.append(Row(f"{count} labels, SimAN and generated", config, encoder, both))
    lines = Experiment(out, tests, device, only).run(rows, seeds)
    report(lines, list(tests), out, "semi_supervision.png", "Few labels")


if __name__ == "__main__":
    main()
