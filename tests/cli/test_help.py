"""Every command explains itself, quickly, with an example that parses."""

import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

import siman_synth
from siman_synth.cli import commands, main

COMMANDS = dict(commands(main))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_that_parses(name: str) -> None:
    command = COMMANDS[name]
    text = command.get_help(command.make_context(name, [], resilient_parsing=True))
    examples = [line.split("Example: ")[1] for line in text.splitlines() if "Example: siman-synth" in line]
    assert len(examples) == 1
    words = shlex.split(examples[0])
    start = len(name.split()) + 1
    assert words[:start] == ["siman-synth", *name.split()]
    arguments = words[start:]
    command.make_context(name, arguments)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help(name: str) -> None:
    options = [parameter for parameter in COMMANDS[name].params if isinstance(parameter, click.Option)]
    assert options
    assert [option.name for option in options if not option.help] == []


def test_the_commands_and_the_version(invoke) -> None:  # type: ignore[no-untyped-def]
    files = {path.stem for path in Path(siman_synth.cli.__file__).parent.glob("*.py")} - {
        "__init__",
        "options",
    }
    assert {name.replace("-", "_") for name in main.commands} == files
    assert invoke("--version").output == f"siman-synth, version {siman_synth.__version__}\n"
    text = invoke("--help").output
    assert all(f"siman-synth {name}" in text for name in main.commands)
    assert invoke("-h").output == text


def test_help_needs_no_torch() -> None:
    code = (
        "import sys\nfrom siman_synth.cli import main\n"
        "for name in main.commands:\n    main([name, '--help'], standalone_mode=False)\n"
        "assert not {'torch', 'cv2', 'lmdb'} & set(sys.modules), 'imported'"
    )
    root = Path(siman_synth.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generate", "--n", "0", "--out", "o"], "Invalid value for '--n'"),
        (["generate", "--n", "5"], "Missing option '--out'"),
        (["generate", "--n", "5", "--out", "o", "--seed", "-1"], "Invalid value for '--seed'"),
        (["generate", "--n", "1000000000", "--out", "o"], "Invalid value for '--n'"),
        (["generate", "--n", "5", "--out", "o", "--style", "x"], "--styles"),
        (["verify", "x", "--for", "tesseract"], "is not one of 'dtrb', 'parseq', 'openocr'"),
        (["pretrain", "--out", "o"], "Missing option '--crops'"),
    ],
)
def test_misuse_is_status_2(invoke, arguments: list[str], message: str) -> None:  # type: ignore[no-untyped-def]
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
