"""A small run that every test of this folder varies."""

from collections.abc import Callable
from pathlib import Path

import pytest

from siman_synth.config import load_config
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.job import Job

WORDS = ("Harbour", "Street", "GARAGE", "café", "No. 42", "sale", "Öl", "Quay-side", "extraordinary", "it's")
FONTS = ("roboto", "oswald")


@pytest.fixture(scope="session")
def word_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "words.txt"
    path.write_text("\n".join(WORDS), encoding="utf-8")
    return path


MakeJob = Callable[..., Job]


@pytest.fixture(scope="session")
def make_job(word_file: Path, crop_folder: Path, tiny_weights: Path) -> MakeJob:
    """Return a function that makes a job of 24 samples in shards of 6; keywords change it."""

    def make(*overrides: str, **changes: object) -> Job:
        config = load_config(
            GenerateConfig,
            # Weights that were never trained paint no ink that would pass.
            overrides=(
                "execution.shard_size=6",
                "execution.batch_size=4",
                "gate.ink=false",
                "text.fit_share=0",
                *overrides,
            ),
        )
        values: dict[str, object] = {
            "corpus": (str(word_file),),
            "styles": str(crop_folder),
            "fonts": FONTS,
            "weights": tiny_weights,
            "device": "cpu",
            "seed": 3,
            "count": 24,
            "config": config,
        }
        return Job(**(values | changes))  # type: ignore[arg-type]

    return make
