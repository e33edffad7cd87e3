"""Names of files that are not UTF-8, that a terminal would obey, or that turn text around.

Names are bytes. Whatever stands in them, a run finds its files, ends, and leaves text that any reader takes.
"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from siman_synth.resources import resource_folder
from siman_synth.storage.lmdb_reader import LmdbReader
from tests.pretraining.tiny_run import settings as settings_of_a_tiny_run

Invoke = Callable[..., Result]

LATIN_1 = "Straße café".encode("latin-1")
HOSTILE = b"\x1b[31mred\x1b[0m\x07\nline \xe2\x80\xaecod.exe"
NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: not {0, ord("/")} & set(name) and not name.startswith(b".")
)
UNSEEN = "\x1b\x07\u202e\x9b"


@dataclass(frozen=True)
class Inputs:
    """Crops, a font, a corpus and a recipe under one odd name."""

    folder: Path
    name: str

    @property
    def out(self) -> Path:
        return self.folder / "out" / self.name

    def of(self, kind: str, suffix: str) -> Path:
        return self.folder / kind / f"{self.name}{suffix}"


def make_inputs(folder: Path, name: bytes, crop_folder: Path, weights: Path) -> Inputs:
    """Lay out copies of good inputs under `name`; skip where the file system takes no such name."""
    inputs = Inputs(folder, os.fsdecode(name))
    font = next((resource_folder("fonts") / "roboto").glob("*.ttf"))
    try:
        for kind in ("crops", "fonts", "corpora", "recipes", "weights"):
            (folder / kind / inputs.name).mkdir(parents=True)
    except OSError as error:
        pytest.skip(f"this file system takes no such name: {error.strerror}")
    for number, crop in enumerate(sorted(crop_folder.iterdir())):
        shutil.copy(crop, folder / "crops" / inputs.name / f"{inputs.name}{number}.png")
    (folder / "crops" / inputs.name / f"{inputs.name}.doc").touch()
    shutil.copy(font, inputs.of("fonts", ".ttf"))
    shutil.copy(weights, inputs.of("weights", ".safetensors"))
    inputs.of("corpora", ".txt").write_text("Harbour\nStreet\nGARAGE\n漢字\n", encoding="utf-8")
    inputs.of("recipes", ".toml").write_text("[text]\nfit_share = 0\n", encoding="utf-8")
    return inputs


def generate_arguments(inputs: Inputs) -> list[str | Path]:
    return [
        "generate", "--corpus", inputs.of("corpora", ".txt"), "--styles", inputs.folder / "crops",
        "--weights", inputs.of("weights", ".safetensors"), "--fonts", inputs.folder / "fonts",
        "--recipe", inputs.of("recipes", ".toml"), "--n", "60", "--out", inputs.out, "--device", "cpu",
        "--workers", "1", "--gate", "off",
    ]  # fmt: skip


def assert_clean(text: str) -> None:
    """Nothing is in `text` that a UTF-8 file cannot hold or a terminal would obey."""
    text.encode("utf-8")
    assert not set(UNSEEN) & set(text), ascii(text)


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in (*value, *value.values()) for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def succeeds(invoke: Invoke, *arguments: str | Path) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 0, ascii(result.output)
    assert_clean(result.output)
    return str(result.output)


def go_through(invoke: Invoke, inputs: Inputs) -> None:
    arguments = generate_arguments(inputs)
    succeeds(invoke, *arguments, "--dry-run")
    assert "60 samples in" in succeeds(invoke, *arguments)
    assert "all of them were made earlier" in succeeds(invoke, *arguments, "--resume")

    def beside(suffix: str) -> str:
        return (inputs.out.parent / f"{inputs.name}{suffix}").read_bytes().decode("utf-8")

    summary = json.loads(beside(".summary.json"))
    assert summary["skipped"]["crops"]["not an image file"]["count"] == 1
    for text in strings(summary) + strings(tomllib.loads(beside(".config.toml"))):
        assert_clean(text)
    with LmdbReader.open(inputs.out) as reader:
        assert len(reader) == 60
        for sample in reader:
            for text in strings(sample.meta):
                text.encode("utf-8")

    assert "60 samples, 60 labeled" in succeeds(invoke, "inspect", inputs.out)
    sheet = inputs.folder / f"{inputs.name}.sheet.png"
    succeeds(invoke, "inspect", inputs.out, "--sheet", sheet)
    assert sheet.read_bytes().startswith(b"\x89PNG")
    assert "sound" in succeeds(invoke, "verify", inputs.out)


def pretrain_and_evaluate(invoke: Invoke, inputs: Inputs) -> None:
    run = inputs.folder / "run" / inputs.name
    arguments: list[str | Path] = ["pretrain", "--crops", inputs.folder / "crops", "--out", run]
    arguments += ["--device", "cpu", *settings_of_a_tiny_run("training.steps=2")]
    succeeds(invoke, *arguments, "--dry-run")
    succeeds(invoke, *arguments)
    assert_clean((run / "config.toml").read_text(encoding="utf-8"))
    succeeds(invoke, *arguments, "--resume")

    report = inputs.folder / f"{inputs.name}.report"
    arguments = ["evaluate", inputs.out, "--real", inputs.out.parent.parent / "real" / inputs.name]
    crops = sorted((inputs.folder / "crops" / inputs.name).glob("*.png"))
    real = inputs.folder / "real" / inputs.name
    real.mkdir(parents=True)
    for number in range(60):
        shutil.copy(crops[number % len(crops)], real / f"{inputs.name}{number}.png")
    (real / f"{inputs.name}.png").write_bytes(b"no image")
    arguments = ["evaluate", inputs.out, "--real", real, "--out", report]
    succeeds(invoke, *arguments, "--ocr", "none", "--features", "none")
    assert_clean((report / "report.html").read_text(encoding="utf-8"))
    for text in strings(json.loads((report / "metrics.json").read_text(encoding="utf-8"))):
        assert_clean(text)


@pytest.mark.parametrize("name", [LATIN_1, HOSTILE], ids=["latin-1", "hostile"])
def test_generate_inspect_verify(
    name: bytes, invoke: Invoke, tmp_path: Path, crop_folder: Path, tiny_weights: Path
) -> None:
    go_through(invoke, make_inputs(tmp_path, name, crop_folder, tiny_weights))


@pytest.mark.slow
@given(NAMES)
@example(LATIN_1)
@example(HOSTILE)
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_every_command_with_any_name(
    invoke: Invoke,
    crop_folder: Path,
    tiny_weights: Path,
    tmp_path_factory: pytest.TempPathFactory,
    name: bytes,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    inputs = make_inputs(folder, name, crop_folder, tiny_weights)
    go_through(invoke, inputs)
    pretrain_and_evaluate(invoke, inputs)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_any_console(
    encoding: str, tmp_path: Path, crop_folder: Path, tiny_weights: Path, invoke: Invoke
) -> None:
    inputs = make_inputs(tmp_path, LATIN_1 + "→漢".encode(), crop_folder, tiny_weights)
    commands: list[list[Any]] = [
        [*generate_arguments(inputs), "--dry-run"],
        generate_arguments(inputs),
        ["inspect", inputs.out],
        ["verify", inputs.out, "--for", "parseq"],
        ["verify", inputs.out.with_name("nowhere →")],
        ["pretrain", "--crops", inputs.folder / "fonts", "--out", inputs.folder / "run"],
        ["evaluate", inputs.out, "--real", inputs.folder / "nowhere →"],
        ["generate", "--→"],
    ]
    for command in commands:
        arguments = [sys.executable, "-m", "siman_synth", *map(str, command)]
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        done = subprocess.run(arguments, env=environment, capture_output=True, check=False)
        assert b"Traceback" not in done.stderr, done.stderr
        assert done.returncode in (0, 1, 2)
        # click takes a console of ASCII for one whose settings are wrong, and writes UTF-8.
        (done.stdout + done.stderr).decode("utf-8" if encoding == "ascii" else encoding)
