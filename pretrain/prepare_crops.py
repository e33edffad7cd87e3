"""Pack crops into one unlabeled LMDB that is quick to copy and to read.

    python pretrain/prepare_crops.py crops/ crops.lmdb

CROPS is what `siman-synth pretrain --crops` takes: a folder tree, a list file or an LMDB. Crops
are turned upright, converted to RGB, reduced to at most 64 px height and stored as JPEG. Labels
are not copied. What cannot be decoded is left out and counted.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from siman_synth.crops.pool import CropPool, none_usable_error
from siman_synth.errors import SimanError
from siman_synth.imaging.codec import encode_jpeg
from siman_synth.imaging.resize import resize_to_height
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.tally import Tally

MAX_HEIGHT_PX = 64
JPEG_QUALITY = 93


def encode(image: NDArray[np.uint8], max_height_px: int) -> Sample:
    """Return an RGB crop, uint8 (H, W, 3), as an unlabeled sample of at most `max_height_px`."""
    if image.shape[0] > max_height_px:
        image = resize_to_height(image, max_height_px)
    data = encode_jpeg(image, JPEG_QUALITY, full_chroma=True)
    return Sample(data, None, image.shape[1], image.shape[0])


def prepare(
    crops: Path, out: Path, max_height_px: int, min_aspect: float, overwrite: bool, skipped: Tally
) -> int:
    """Write the usable crops of a pool to `out`, count the others in `skipped`, return how many.

    Raises:
        SimanError: there are no crops, none is usable, or `out` cannot be written.
    """
    pool = CropPool.open(crops)
    skipped.merge(pool.skipped)
    unusable = Tally()
    with tqdm(total=len(pool), unit="crop", disable=None) as bar:
        samples = _samples(pool, max_height_px, min_aspect, unusable, bar)
        # The first one before anything is written: a useless pool must not replace a good set.
        first = next(samples, None)
        if first is None:
            raise none_usable_error(unusable, pool.path)
        with LmdbWriter.create(out, overwrite) as writer:
            for sample in itertools.chain((first,), samples):
                writer.write(sample)
    skipped.merge(unusable)
    return len(writer)


def _samples(
    pool: CropPool, max_height_px: int, min_aspect: float, unusable: Tally, bar: "tqdm[None]"
) -> Iterator[Sample]:
    for index, image in pool.iter_decoded(min_aspect, unusable):
        bar.update(index + 1 - bar.n)
        yield encode(image, max_height_px)
    bar.update(len(pool) - bar.n)


@click.command()
@click.argument("crops", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--max-height", default=MAX_HEIGHT_PX, show_default=True, type=click.IntRange(min=8), help="In pixels."
)
@click.option(
    "--min-aspect",
    default=0.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Leave out crops narrower than this many heights; pretraining uses those wider than 2.",
)
@click.option("--overwrite", is_flag=True, help="Replace the LMDB at OUT.")
def main(crops: Path, out: Path, max_height: int, min_aspect: float, overwrite: bool) -> None:
    """Pack CROPS (a folder tree, a list or an LMDB) into the unlabeled LMDB folder OUT.

    Example: python pretrain/prepare_crops.py crops/ crops.lmdb
    """
    skipped = Tally()
    try:
        count = prepare(crops, out, max_height, min_aspect, overwrite, skipped)
    except SimanError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{count} crops in {out}, {skipped.total} skipped")
    for line in skipped.lines():
        click.echo(f"  skipped: {line}")


if __name__ == "__main__":
    main()
