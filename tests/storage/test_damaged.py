"""Damaged LMDBs: a sentence or a report, never a signal, a traceback or a hang, whoever reads them."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from siman_synth.cli import main
from siman_synth.storage.lmdb_format import Sample
from tests.storage.damage import KINDS, PAGE, damaged
from tests.storage.reading_process import GOOD, SAID, outcomes

Make = Callable[..., Sample]
Write = Callable[..., Path]


@pytest.fixture
def good(sample: Make, write_set: Write) -> bytes:
    """Return an LMDB of a hundred pages, with images inside its leaves and outside."""
    samples = []
    for number in range(1, 120):
        whole = sample(number)
        samples.append(sample(number, image=whole.image[:900]) if number % 3 else whole)
    return (write_set(*samples, name="good") / "data.mdb").read_bytes()


def place(folder: Path, data: bytes) -> Path:
    folder.mkdir()
    (folder / "data.mdb").write_bytes(data)
    return folder


@pytest.mark.parametrize("kind", range(KINDS))
def test_no_reader_dies(kind: int, good: bytes, tmp_path: Path) -> None:
    ends = outcomes(
        [
            place(tmp_path / f"{number}", damaged(good, kind, np.random.default_rng([kind, number])))
            for number in range(5)
        ]
    )
    assert set(ends) <= {GOOD, SAID}, ends


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(KINDS))
def test_no_reader_dies_of_many(kind: int, good: bytes, tmp_path: Path) -> None:
    ends = outcomes(
        [
            place(tmp_path / f"{number}", damaged(good, kind, np.random.default_rng([kind, 1, number])))
            for number in range(100)
        ]
    )
    assert set(ends) <= {GOOD, SAID}, ends


@pytest.mark.slow
@pytest.mark.parametrize("kind", range(KINDS))
def test_commands_say_what_they_found(
    kind: int, good: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    commands = (["verify"], ["inspect"], ["inspect", "--sheet", str(tmp_path / "sheet.png")])
    for number in range(15):
        folder = place(tmp_path / f"{number}", damaged(good, kind, np.random.default_rng([kind, 2, number])))
        name, *options = commands[number % len(commands)]
        result = CliRunner().invoke(main, [name, str(folder), *options], catch_exceptions=False)
        assert result.exit_code in (0, 1)
        assert "Traceback" not in result.output
        assert len(result.output.splitlines()) < 100
        if result.exit_code == 1 and name == "inspect":
            assert len(result.stderr.splitlines()) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_the_damaged_page_is_named(command: str, good: bytes, tmp_path: Path) -> None:
    data = bytearray(good)
    for start in range(2 * PAGE, len(good), PAGE):
        if data[start + 10] == 2:  # a leaf: its count of nodes
            data[start + 12 : start + 14] = b"\xff\xff"
    folder = place(tmp_path / "bad", bytes(data))
    result = CliRunner().invoke(main, [command, str(folder)])
    assert result.exit_code == 1
    message = (
        rf"Error: {re.escape(str(folder))}/data\.mdb is damaged: its page \d+ has a damaged head\. "
        r"Copy it again from its source\.\n"
    )
    assert re.fullmatch(message, result.stderr)
