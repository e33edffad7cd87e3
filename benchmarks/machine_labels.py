"""Real crops with the labels that PP-OCR reads in them, as an LMDB: what real data would teach.

A stand-in for labeled real crops where there are none. Only confident readings in ASCII with a letter or
digit are kept, so what is hard, or in another script, is missing. For measuring only.

    python benchmarks/machine_labels.py crops.lmdb --out real --least-score 0.9
"""

from itertools import islice
from pathlib import Path

import click
from tqdm import tqdm

from siman_synth.crops.pool import CropPool
from siman_synth.ocr.comparison import comparable
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

_AT_ONCE = 64


@click.command()
@click.argument("crops", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the LMDB.")
@click.option(
    "--least-score",
    default=0.9,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Of a reading that is kept.",
)
@click.option("--threads", type=int, default=1, show_default=True, help="Threads of the recognizer.")
def main(crops: Path, out: Path, least_score: float, threads: int) -> None:
    """Label real crops by reading them."""
    pool, reader = CropPool.open(crops), PpOcr.load(threads)
    decoded = pool.iter_decoded()
    with LmdbWriter.create(out) as writer, tqdm(total=len(pool), unit="crop", disable=None) as bar:
        while batch := list(islice(decoded, _AT_ONCE)):
            for (index, image), reading in zip(
                batch, reader.read([image for _, image in batch]), strict=True
            ):
                text = reading.text
                if reading.score >= least_score and text.isascii() and comparable(text):
                    height, width = image.shape[:2]
                    writer.write(Sample(pool.read(index), text, width, height))
            bar.update(len(batch))
    print(f"{len(writer)} of {len(pool)} crops in {out}")


if __name__ == "__main__":
    main()
