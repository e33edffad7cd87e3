"""How many words of a data set does a recognizer read that nobody here wrote?

PP-OCR through the PyPI package `rapidocr` (its weights are inside the wheel; install
`siman-synth[readability]`). Compared are letters and digits only, without regard to case, as
the field does; samples whose label holds none are left out and counted.

    python benchmarks/readability.py words --sheet worst.png
"""

import re
import time
from pathlib import Path

import click
import cv2
import numpy as np
from tqdm import tqdm

from siman_synth.storage.contact_sheet import contact_sheet
from siman_synth.storage.lmdb_reader import LmdbReader

_ALPHANUMERIC = re.compile(r"[^0-9a-z]")


def edit_distance(one: str, other: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def comparable(text: str) -> str:
    """Return what is compared: letters a-z and digits, lower case."""
    return _ALPHANUMERIC.sub("", text.lower())


@click.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--limit", type=int, help="Read only the first samples.")
@click.option("--sheet", type=click.Path(path_type=Path), help="Picture of the samples read wrongly.")
def main(dataset: Path, limit: int | None, sheet: Path | None) -> None:
    """Print word accuracy, accuracy within one edit and mean edit similarity of a labeled LMDB."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})
    right, close, similarity, left_out = 0, 0, 0.0, 0
    wrong: list[tuple[np.ndarray, str]] = []
    started = time.perf_counter()
    with LmdbReader.open(dataset) as reader:
        indices = range(min(len(reader), limit or len(reader)))
        for index in tqdm(indices, unit="image", disable=None):
            sample = reader[index]
            wanted = comparable(sample.label or "")
            if not wanted:
                left_out += 1
                continue
            image = cv2.imdecode(np.frombuffer(sample.image, np.uint8), cv2.IMREAD_COLOR)
            texts = engine(image, use_det=False, use_cls=False, use_rec=True).txts
            found = comparable(texts[0] if texts else "")
            distance = edit_distance(wanted, found)
            right += distance == 0
            close += distance <= 1
            similarity += 1 - distance / max(len(wanted), len(found))
            if distance:
                wrong.append((image[..., ::-1], f"{sample.label} read {found or 'nothing'}"))
    count = len(indices) - left_out
    print(
        f"{dataset}: {count} words, {left_out} without letters or digits left out\n"
        f"read right {right / count:.1%}   within one edit {close / count:.1%}   "
        f"mean edit similarity {similarity / count:.3f}   ({time.perf_counter() - started:.0f} s)"
    )
    if sheet is not None and wrong:
        contact_sheet([image for image, _ in wrong[:120]], [text for _, text in wrong[:120]]).save(sheet)
        print(f"{len(wrong)} read wrongly, in {sheet}")


if __name__ == "__main__":
    main()
