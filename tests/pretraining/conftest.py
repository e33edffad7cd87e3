"""A tiny run to vary."""

from pathlib import Path

import pytest

from siman_synth.config import load_config
from siman_synth.crops.cache import CropCache
from siman_synth.crops.pool import CropPool
from siman_synth.pretraining.config import PretrainConfig
from siman_synth.pretraining.run import PretrainResult, pretrain
from tests.pretraining.tiny_run import TINY, Run, Tiny


@pytest.fixture(scope="session")
def tiny() -> Tiny:
    """Return a function that makes the settings of a run of ten small steps; overrides change it."""

    def tiny(*overrides: str) -> PretrainConfig:
        return load_config(PretrainConfig, overrides=(*TINY, *overrides))

    return tiny


@pytest.fixture(scope="module")
def cache(crop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> CropCache:
    return CropCache.build(CropPool.open(crop_folder), tmp_path_factory.mktemp("cache") / "c", 32, 2.0)


@pytest.fixture
def run(crop_folder: Path) -> Run:
    """Return a function that pretrains on the drawn crops, on the CPU and without a bar."""

    def run(config: PretrainConfig, out: Path, resume: bool = False, **more: object) -> PretrainResult:
        options: dict[str, object] = {"crops": crop_folder, "device": "cpu", "show_progress": False}
        return pretrain(config, out=out, resume=resume, **(options | more))  # type: ignore[arg-type]

    return run
