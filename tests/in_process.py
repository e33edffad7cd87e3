"""Commands in the process of the tests, where nothing kills or stops them: torch is loaded already."""

from collections.abc import Sequence

from click.testing import CliRunner

from siman_synth.cli import main

PROGRAM_PARTS = 3
"""A command that a shell would run begins with the interpreter, -m and siman_synth."""


def run_here(command: Sequence[str]) -> None:
    """Run what a shell would run as `python -m siman_synth …`, and expect that it succeeds."""
    result = CliRunner().invoke(main, list(command[PROGRAM_PARTS:]), catch_exceptions=False)
    assert result.exit_code == 0, result.output
