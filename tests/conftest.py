"""What several test folders share: markers, tiny crops, tiny weights."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
import torch
from hypothesis import settings

from siman_synth.config import load_config
from siman_synth.runs.job import Job
from siman_synth.synthesis.config import GenerateConfig
from tests.drawn_crops import drawn_crop

# The same examples at every run: what is found anew must not stop somebody else's work. To look for more:
# HYPOTHESIS_PROFILE=explore pytest
settings.register_profile("settled", derandomize=True)
settings.register_profile("explore", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "settled"))

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell that runs the tests in the background tells them to ignore Ctrl-C, and all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--runslow", action="store_true", help="run the tests marked slow, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--runslow"):
        return
    for item in items:
        # Not by keywords: these hold the names of folders, too, such as that of the checkout.
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; use --runslow"))


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is remembered of fonts out of the home of who runs the tests."""
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    yield
    os.environ.pop("XDG_CACHE_HOME")
    if before is not None:
        os.environ["XDG_CACHE_HOME"] = before


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """One thread: the tests run on small machines and compare bytes."""
    torch.set_num_threads(1)


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


PeakMemory = Callable[..., tuple[int, str]]


@pytest.fixture(scope="session")
def peak_memory() -> PeakMemory:
    """Return a function that runs `work` in a child after `setup`; it returns (MB that it added, output)."""

    def run(setup: str, work: str, *arguments: str | Path) -> tuple[int, str]:
        # Of this process alone: what `resource` says also counts the parent's memory, which exec inherits.
        code = "\n".join(
            (
                "import re, sys",
                "def peak_mb():",
                "    text = open('/proc/self/status').read()",
                "    return int(re.search(r'VmHWM:\\s*(\\d+)', text)[1]) // 1024",
                setup,
                "before = peak_mb()",
                work,
                "print('\\n', peak_mb() - before, sep='', end='')",
            )
        )
        command = [sys.executable, "-c", code, *map(str, arguments)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
        output, _, added_mb = done.stdout.rpartition("\n")
        return int(added_mb), output.strip()

    return run
