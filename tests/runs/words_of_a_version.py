"""Twelve words that pin `ALGORITHM_VERSION`: what decides them, their ink, and how they look.

    python tests/runs/words_of_a_version.py

writes them anew into `tests/runs/digest/`. Do that after the version was raised, or while it is not
released yet.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from siman_synth.imaging.codec import decode, encode_png
from siman_synth.runs.inputs import Inputs
from siman_synth.runs.job import ALGORITHM_VERSION, Job
from siman_synth.runs.process import one_thread
from siman_synth.runs.samples import Workshop

FOLDER = Path(__file__).parent / "digest"
WORDS, DIGEST = FOLDER / "words.png", FOLDER / "digest.json"
COUNT = 12
WIDTH_PX = 512
"""Of the picture, in which the words lie below each other; longer ones are cut."""


def measured() -> tuple[dict[str, Any], np.ndarray]:
    """Return the version with its digests, and a picture of the words, uint8 (12 * 32, 512, 3)."""
    job = Job(count=COUNT, seed=5)
    workshop = Workshop(job, Inputs.open(job))
    drafted = [workshop.draft(index, 0) for index in range(COUNT)]
    with one_thread():
        words = workshop.make([draft for _, draft in drafted])
    plans = [
        {"content": plan.content.to_json(), "finish": asdict(plan.finish), "style": draft.plan.style.id}
        for plan, draft in drafted
    ]
    masks = [draft.content.mask for _, draft in drafted]
    digests = {
        "algorithm": ALGORITHM_VERSION,
        "plans": _digest(json.dumps(plans, sort_keys=True).encode()),
        "masks": _digest(b"".join(bytes(str(mask.shape), "ascii") + mask.tobytes() for mask in masks)),
    }
    sheet = np.zeros((COUNT * 32, WIDTH_PX, 3), np.uint8)
    for row, word in enumerate(words):
        shown = word.image[:, :WIDTH_PX]
        sheet[row * 32 : row * 32 + 32, : shown.shape[1]] = shown
    return digests, sheet


def stored() -> tuple[dict[str, Any], np.ndarray]:
    """Return what `measured` gave when this version was pinned."""
    return json.loads(DIGEST.read_text(encoding="utf-8")), decode(WORDS.read_bytes())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


if __name__ == "__main__":
    digests, sheet = measured()
    FOLDER.mkdir(exist_ok=True)
    DIGEST.write_text(json.dumps(digests, indent=1) + "\n", encoding="utf-8")
    WORDS.write_bytes(encode_png(sheet))
    print(f"version {ALGORITHM_VERSION} pinned in {FOLDER}.")
