"""Table 1 of the paper: how much of reading is in an encoder that saw no label?

The encoder is frozen, its batch statistics too; a BiLSTM with a CTC or an attention decoder learns
from synthetic words. Rows are a random encoder and the SimAN encoders that are given.

    python pretrain/experiments/probe.py --words words60k --test dev=dev.lmdb \\
        --encoder "synthetic crops"=runs/synth --encoder "real crops"=bundled --out runs/probe

`--scale paper` takes ResNet-29 without rectification, two BiLSTMs, 50,000 steps of 256 words: for a GPU.
What the paper's supplement holds of the probe is not public; heads, steps and rates are our choice.
"""

from pathlib import Path

import click
from runs import Experiment, Row, options, report, scaled

from siman_synth import TrainingSet
from siman_synth.recognizer_training.config import RecognizerTrainingConfig

SCALES = {
    "cpu": ("small", ("training.steps=3000", "training.batch_size=32", "training.learning_rate=0.003")),
    "paper": ("trbc", ("model.rectify=false", "training.steps=50000", "training.batch_size=256")),
}


def head(scale: str, decoder: str, steps: int | None, *settings: str) -> RecognizerTrainingConfig:
    """Return the settings of a probe."""
    probe = "training.freeze_encoder=true", f"model.decoder='{decoder}'"
    return scaled(SCALES[scale], steps, *probe, *settings)


@click.command()
@click.option("--words", required=True, help="A labeled LMDB of synthetic words that the heads learn from.")
@click.option(
    "--encoder", "encoders", multiple=True, metavar="NAME=FILE",
    help="SimAN weights, a run of pretrain, or bundled; can be repeated. A random one is always there.",
)  # fmt: skip
@click.option(
    "--ctc-share", default=0.0, show_default=True, type=click.FloatRange(0, 1),
    help="Of the loss of attention heads, which find the characters sooner then.",
)  # fmt: skip
@options(SCALES, seeds="0")
def main(
    words: str,
    tests: dict[str, Path],
    encoders: tuple[str, ...],
    ctc_share: float,
    scale: str,
    steps: int | None,
    seeds: list[int],
    device: str,
    only: tuple[str, ...],
    out: Path,
) -> None:
    """Train a head on each frozen encoder, test it, print a table."""
    starts: dict[str, str | None] = {"random": None}
    starts |= {name: path for name, _, path in (value.partition("=") for value in encoders)}
    attention = f"attention, CTC beside it {ctc_share:g}" if ctc_share else "attention"
    heads = {
        "ctc": head(scale, "ctc", steps),
        attention: head(scale, "attention", steps, f"training.ctc_share={ctc_share}"),
    }
    rows = [
        Row(f"{name}, {kind}", config, start, lambda _seed: [TrainingSet(words)])
        for kind, config in heads.items()
        for name, start in starts.items()
    ]
    lines = Experiment(out, tests, device, only).run(rows, seeds)
    report(lines, list(tests), out, "probe.png", "Frozen encoders, heads trained on synthetic words")


if __name__ == "__main__":
    main()
