"""What several test folders share: markers, tiny crops, tiny weights."""

import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs the tests in the background tells them to ignore Ctrl-C, and all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runslow", action="store_true", help="run the tests marked slow, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--runslow"):
        return
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="slow; use --runslow"))


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """One thread: the tests run on small machines and compare bytes."""
    torch.set_num_threads(1)


def drawn_crop(seed: int, height: int = 32, width: int = 100) -> np.ndarray:
    """Return a crop-like picture: bright letters on a dark ground or the other way round."""
    rng = np.random.default_rng(seed)
    ground, ink = (rng.integers(0, 90, 3), rng.integers(160, 256, 3))
    if seed % 2:
        ground, ink = ink, ground
    image = np.empty((height, width, 3), np.uint8)
    image[:] = ground
    text = "".join(rng.choice(list("ABCDEFGHKLMNPRSTXYZ"), 8))
    cv2.putText(image, text, (2, height - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.7, [int(c) for c in ink], 2)
    return cv2.GaussianBlur(image, (3, 3), 0.6)


@pytest.fixture(scope="session")
def crop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 24 drawn crops, wide enough for two patches."""
    folder = tmp_path_factory.mktemp("crops")
    for seed in range(24):
        cv2.imwrite(str(folder / f"crop{seed:02d}.png"), drawn_crop(seed)[..., ::-1])
    return folder


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained small generator: the real file format and network, cheap to run."""
    from siman_synth.models.checkpoint import save_generator
    from siman_synth.models.generator import Generator, GeneratorConfig

    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_generator(
            path, Generator(GeneratorConfig(widths=(8, 8, 8), decoder_widths=(8, 8), paint_width=4)), {}
        )
    return path
