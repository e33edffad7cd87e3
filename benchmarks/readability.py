"""How many words of a data set does a recognizer read that nobody here wrote?

PP-OCR through the PyPI package `rapidocr` (its weights are inside the wheel; install
`siman-synth[readability]`). What is compared is said in `siman_synth/ocr/comparison.py`.
`siman-synth evaluate` measures the same, beside real crops; this needs none, and reads every word.

    python benchmarks/readability.py words --sheet worst.png
"""

import sys
import time
from pathlib import Path

import click

from siman_synth.evaluation.readability import read_words
from siman_synth.evaluation.result import ReadSet
from siman_synth.evaluation.word_set import WordSet
from siman_synth.imaging.contact_sheet import contact_sheet
from siman_synth.ocr.ppocr import PpOcr


@click.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--limit", type=int, default=sys.maxsize, help="Read so many samples, chosen at random.")
@click.option("--threads", type=int, default=1, show_default=True, help="Threads of the recognizer.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Picture of the samples read wrongly.")
def main(dataset: Path, limit: int, threads: int, sheet: Path | None) -> None:
    """Print word accuracy, accuracy within one edit and mean edit similarity of a labeled LMDB."""
    words, ocr = WordSet.load(dataset, limit, seed=0), PpOcr.load(threads)
    words.require_labels()
    started, processor_started = time.perf_counter(), time.process_time()
    read = ReadSet(*read_words(words, ocr))
    seconds, processor = time.perf_counter() - started, time.process_time() - processor_started
    found = read.summary
    print(
        f"{dataset}: {found.words} words, {found.without_letters} without letters or digits and "
        f"{found.outside_alphabet} outside the OCR's alphabet left out\n"
        f"read right {found.right:.1%} ± {found.right_error:.1%}   "
        f"within one edit {found.within_one_edit:.1%}   "
        f"mean edit similarity {found.edit_similarity:.3f}\n"
        f"{ocr.name}: {1000 * seconds / len(words):.1f} ms an image, "
        f"{1000 * processor / len(words):.1f} ms of processor time"
    )
    wrong = read.misread()
    if sheet is not None and wrong:
        images = [words.images[word.index] for word in wrong[:120]]
        captions = [f"{word.label} read {word.reading.text or 'nothing'}" for word in wrong[:120]]
        contact_sheet(images, captions).save(sheet)
        print(f"{len(wrong)} read wrongly, in {sheet}")


if __name__ == "__main__":
    main()
