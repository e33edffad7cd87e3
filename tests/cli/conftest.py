"""The command line in this process, and a small run to vary."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from siman_synth.cli import main

Invoke = Callable[..., Result]


@pytest.fixture
def invoke() -> Invoke:
    """Return a function that runs `siman-synth` with arguments; an exception that escapes is a bug."""

    def invoke(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)

    return invoke


@pytest.fixture
def generate(
    invoke: Invoke, crop_folder: Path, tiny_weights: Path, tmp_path: Path, word_file: Path
) -> Invoke:
    """Return a function that runs `generate` to `tmp_path / "out"`; keywords replace its options."""

    def generate(*more: str | Path, **replaced: str | Path | None) -> Result:
        options: dict[str, str | Path | None] = {
            "corpus": word_file, "styles": crop_folder, "weights": tiny_weights, "fonts": "roboto",
            "n": "6", "out": tmp_path / "out", "device": "cpu", "workers": "1",
            "gate": "off",  # weights that were never trained paint no ink that would pass
        }  # fmt: skip
        options |= replaced
        given = [
            part for name, value in options.items() if value is not None for part in (f"--{name}", value)
        ]
        # Every word of a short list has its turn, whatever the crops' widths.
        return invoke("generate", *given, "--set", "text.fit_share=0", *more)

    return generate


@pytest.fixture(scope="session")
def word_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("corpus") / "words.txt"
    path.write_text("Harbour\nStreet\nGARAGE\n", encoding="utf-8")
    return path
