"""What the pages say is what the program does: generated pages are current, links lead somewhere."""

import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
import pytest

from siman_synth.cli import commands, main
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "pretrain/*.md", "fonts/*.md", "corpora/*.md", "benchmarks/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#\s]+)")
_OWN_FILE = re.compile(
    r"(?:benchmarks|docs|examples|pretrain|siman_synth|tests)/[\w/-]+\.(?:py|sh|md|toml)\b"
)
_FORMER = {"pretrain/cut_styles.py"}  # in the changelog, of what was
_TO_BE_ADDED = {"siman_synth/render/layouts/wavy.py"}  # CONTRIBUTING.md says how
_COMMAND = re.compile(r"(?:siman-synth|-m siman_synth) +([a-z]+)([^\n`]*)")


@pytest.mark.parametrize("name", ["recipes", "cli"])
def test_generated_pages_are_current(name: str) -> None:
    document = runpy.run_path(str(DOCS / f"make_{name}.py"))["document"]()
    current = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    assert current == document, f"docs/{name}.md is out of date: run `python docs/make_{name}.py`."


def options() -> Iterator[tuple[str, str]]:
    for name, command in commands(main):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for option in (*parameter.opts, *parameter.secondary_opts):
                    yield name, option


def test_every_command_and_option_is_in_the_page() -> None:
    sections = (DOCS / "cli.md").read_text(encoding="utf-8").split("\n## ")
    pages = {section.splitlines()[0].removeprefix("siman-synth").strip(): section for section in sections}
    for command, option in options():
        assert re.search(rf"{re.escape(option)}\b", pages[command]), (
            f"{command} {option} is missing in cli.md"
        )
    for name, each in commands(main):
        assert each.help, f"{name} has no help"
        assert "Example:" in each.help, f"the help of {name} has no example"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_commands(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in _LINK.findall(text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for named in set(_OWN_FILE.findall(text)) - _FORMER - _TO_BE_ADDED:
        assert (ROOT / named).exists() or (page.parent / named).exists(), f"{page.name} names {named}"
    known = set(options())
    for command, arguments in _COMMAND.findall(text.replace("\\\n", " ")):
        if isinstance(main.commands.get(command), click.Group) and (inner := arguments.split()):
            command = f"{command} {inner[0]}"
        if command not in dict(commands(main)):
            continue
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", arguments):
            assert option == "--help" or (command, option) in known, f"{page.name}: {command} has no {option}"


def test_the_snippet_of_formats_reads_our_lmdb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    snippet = re.search(r"```python\n(import io.*?)```", (DOCS / "formats.md").read_text(), re.DOTALL)
    assert snippet is not None
    assert len(snippet[1].splitlines()) <= 8
    data = cv2.imencode(".jpg", np.full((32, 90, 3), 200, np.uint8))[1].tobytes()
    with LmdbWriter.create(tmp_path / "words") as writer:
        writer.write(Sample(data, "Café", 90, 32))
    exec(snippet[1].replace('"words"', repr(str(tmp_path / "words"))), {})
    assert capsys.readouterr().out == "Café (90, 32)\n"
