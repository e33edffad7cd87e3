"""A labeled LMDB whose labels hold what layouts stumble over."""

from pathlib import Path

import pytest

from siman_synth.storage.lmdb_writer import LmdbWriter
from tests.storage.conftest import encoded, make_sample

LABELS = (
    "a,b", '"quoted"', "it's", "Café", "NA", "007", "two words", "日本語", "#5", "back\\slash", "null", "1e5",
    "x.y.z", "{json}", "[list]", "<b>", "a;b", "STOP", "stop", "100%", "-", "=1+1", "été", "Word", ",", "nan",
)  # fmt: skip


@pytest.fixture(scope="session")
def labeled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """26 samples, every third a JPEG, with boxes."""
    folder = tmp_path_factory.mktemp("labeled") / "words"
    with LmdbWriter.create(folder) as writer:
        for number, label in enumerate(LABELS):
            width_px = 40 + number % 7
            image = encoded(width_px, kind="PNG" if number % 3 else "JPEG", seed=number)
            boxes = [[float(at), 1.5, at + 1.0, 20.0] for at in range(len(label))]
            meta = {"font": f"font{number % 3}", "style": "a/crop.jpg", "boxes": boxes, "seed": number}
            writer.write(make_sample(number, label, image=image, width_px=width_px, meta=meta))
    return folder
