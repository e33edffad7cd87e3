"""Recall and precision of cut lines against annotated boxes, at IoU 0.5.

    siman-synth crops receipts/img --unit line --out lines
    python benchmarks/crops/measure.py lines receipts/box

Boxes are a CSV file a photo, named as it: eight coordinates and the text a line, as in ICDAR 2019 SROIE.
A cut and a box match one to one, the best overlap first.
"""

from collections import defaultdict
from pathlib import Path

import click
import cv2
import numpy as np

from siman_synth.storage.lmdb_reader import LmdbReader


def boxes_of(path: Path) -> list[np.ndarray]:
    """Return the quads of one photo."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [np.array(line.split(",")[:8], np.float32).reshape(4, 2) for line in lines if line.count(",") >= 8]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return intersection over union of two convex quads."""
    common, _ = cv2.intersectConvexConvex(cv2.convexHull(one), cv2.convexHull(other))
    union = cv2.contourArea(one) + cv2.contourArea(other) - common
    return common / union if union > 0 else 0.0


def matches(found: list[np.ndarray], wanted: list[np.ndarray], least: float) -> int:
    """Return how many of `found` are one of `wanted`."""
    pairs = sorted(
        ((overlap(a, b), i, j) for i, a in enumerate(found) for j, b in enumerate(wanted)), reverse=True
    )
    left, right = set(), set()
    for value, i, j in pairs:
        if value >= least and i not in left and j not in right:
            left.add(i)
            right.add(j)
    return len(left)


@click.command()
@click.argument("crops", type=click.Path(path_type=Path))
@click.argument("boxes", type=click.Path(path_type=Path))
def main(crops: Path, boxes: Path) -> None:
    """Compare CROPS with the annotated BOXES."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for sample in LmdbReader.open(crops):
        meta = sample.meta or {}
        found[Path(meta["origin"]).stem].append(np.array(meta["quad"], np.float32))
    for least in (0.5, 0.3):
        hits = cuts = wanted = 0
        for path in sorted(boxes.glob("*.csv")):
            annotated = boxes_of(path)
            hits += matches(found[path.stem], annotated, least)
            cuts += len(found[path.stem])
            wanted += len(annotated)
        recall, precision = f"{hits / wanted:.3f} of {wanted} boxes", f"{hits / cuts:.3f} of {cuts} cuts"
        print(f"IoU {least}: recall {recall}, precision {precision}")


if __name__ == "__main__":
    main()
