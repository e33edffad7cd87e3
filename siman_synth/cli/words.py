"""`siman-synth words`."""

import shlex
from pathlib import Path

import click

from siman_synth import stopping
from siman_synth.cli.options import HELP, FiniteRange, out_option, plain_bars, reports_errors, say


@click.command("words", context_settings=HELP)
@click.option(
    "--crops",
    required=True,
    multiple=True,
    metavar="DIR|LIST|LMDB",
    type=click.Path(path_type=Path),
    help="Real crops; labels are not looked at. Can be repeated.",
)
@out_option("Folder of the words to write; it must not exist.")
@click.option(
    "--limit",
    default=2000,
    show_default=True,
    type=click.IntRange(min=1),
    help="Read so many crops at most, drawn at random.",
)
@click.option(
    "--ocr",
    metavar="ppocr|none|FILE",
    default="ppocr",
    show_default=True,
    help="OCR that reads; FILE is a recognizer of your own, or its run's folder. none: lengths alone.",
)
@click.option(
    "--min-score",
    default=0.95,
    show_default=True,
    type=FiniteRange(0, 1),
    help="Least certainty of a reading.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Random seed of the draw."
)
@reports_errors
def words_command(
    crops: tuple[Path, ...], out: Path, limit: int, ocr: str, min_score: float, seed: int
) -> None:
    """Read crops, and write what is on them as word list and patterns.

    OUT gets words.txt, the readings that are certain; numbers.patterns, what amounts, dates and codes
    look like; words.json, lengths and letter case. A misread word does no harm: the label of a generated
    image is always what was drawn. Needs pip install "siman-synth[ocr]".

    \b
    Example: siman-synth words --crops crops/ --out mine
    """
    from siman_synth.wording.reading import read_words
    from siman_synth.wording.result import DEFAULT_LENGTH, require_new

    stopping.last_words(lambda: "Stopped. Nothing was written.")
    plain_bars()
    require_new(out)  # before minutes of reading
    found = read_words(crops, limit=limit, seed=seed, ocr=None if ocr == "none" else ocr, min_score=min_score)
    specs = found.write(out)
    say(found.to_text())
    if specs:
        corpus = " ".join(f"--corpus {shlex.quote(spec)}" for spec in specs)
        longer = f" --set text.max_length={found.max_length}" if found.max_length > DEFAULT_LENGTH else ""
        say(f"siman-synth generate --n 1000 --out images {corpus}{longer}")
        say("or, first, the fonts, layouts and damages of the same crops:")
        given = " ".join(f"--crops {shlex.quote(str(path))}" for path in crops)
        say(f"siman-synth fit {given} --out fitted {corpus}{longer}")
