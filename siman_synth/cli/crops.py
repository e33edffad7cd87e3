"""`siman-synth crops`."""

from pathlib import Path

import click
from click.core import ParameterSource

from siman_synth import stopping
from siman_synth.cli.options import HELP, FiniteRange, out_option, plain_bars, reports_errors, say
from siman_synth.escaping import printable_lines


@click.command("crops", context_settings=HELP)
@click.argument("photos", metavar="PHOTOS...", nargs=-1, required=True, type=click.Path(path_type=Path))
@out_option("Folder of the LMDB to make; it must not exist.")
@click.option(
    "--boxes",
    type=click.Path(path_type=Path),
    metavar="CSV|JSONL",
    help="A file that says where words stand, so that nothing is looked for: columns photo, quad (8 numbers) "
    "or box (x, y, width, height), and text and score, if known. If each has a text, texts become labels.",
)
@click.option(
    "--unit",
    type=click.Choice(["word", "line"]),
    default="word",
    show_default=True,
    help="What is cut. Words are told apart by the spaces that PP-OCR reads.",
)
@click.option(
    "--min-score",
    default=0.6,
    show_default=True,
    type=FiniteRange(0, 1),
    help="Least certainty of the detector.",
)
@click.option(
    "--min-height",
    default=8,
    show_default=True,
    type=click.IntRange(4, 1000),
    metavar="PX",
    help="Lower crops are dropped.",
)
@click.option("--read", is_flag=True, help="Store what PP-OCR reads, as a machine label (never as a label).")
@click.option(
    "--accept",
    type=FiniteRange(0, 1),
    metavar="SCORE",
    help="Keep only crops read with this certainty, e.g. 0.95, and make labels of the readings.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    show_default="cores",
    help="Photos at a time; the output does not depend on it.",
)
@click.option("--resume", is_flag=True, help="Finish a run that was stopped.")
@reports_errors
def crops_command(
    photos: tuple[Path, ...],
    out: Path,
    boxes: Path | None,
    unit: str,
    min_score: float,
    min_height: int,
    read: bool,
    accept: float | None,
    workers: int | None,
    resume: bool,
) -> None:
    """Cut the words or lines of photos into an LMDB of crops.

    PHOTOS are photos or scans, folders of them, lists, or PDF files. Text is found by PP-OCR, cut by
    perspective in its own size, and turned to lie. Each crop keeps its photo, its four corners and the
    detector's score. Needs pip install "siman-synth[ocr]", but not with --boxes; for PDF, "siman-synth[pdf]".

    \b
    Example: siman-synth crops photos/ --out crops
    """
    from siman_synth.files import beside
    from siman_synth.photos.finder import CropSettings
    from siman_synth.photos.run import WORK_SUFFIX, cut_crops

    if boxes is not None:
        told = click.get_current_context().get_parameter_source
        named = [name for name in ("unit", "read", "accept") if told(name) is ParameterSource.COMMANDLINE]
        if named:
            raise click.UsageError(
                f"--boxes says what is cut, and nothing is read: leave out --{', --'.join(named)}."
            )
    work = beside(out, WORK_SUFFIX)
    stopping.last_words(
        lambda: printable_lines(
            f"Stopped. What was cut is in {work}; run the same command with --resume to go on."
            if work.exists()
            else "Stopped."
        )
    )
    plain_bars()
    if workers is None:
        from joblib import cpu_count

        workers = cpu_count()
    settings = CropSettings(
        unit="word" if unit == "word" else "line",
        min_score=min_score,
        min_height_px=min_height,
        read=read,
        accept=accept,
    )
    say(cut_crops(photos, out, settings, boxes=boxes, workers=workers, resume=resume).to_text())
