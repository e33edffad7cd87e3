"""Write `docs/cli.md`: the help of every command, as the program prints it.

    python docs/make_cli.py

`tests/test_docs.py` fails when the page is out of date.
"""

from pathlib import Path

from click.testing import CliRunner

from siman_synth.cli import commands, main

PAGE = Path(__file__).resolve().parent / "cli.md"
PROGRAM = "siman-synth"
_WIDTH = 96

INTRO = """\
# Command line

<!-- Written by docs/make_cli.py. Change the help texts in siman_synth/cli/, then run it again. -->

`python -m siman_synth` is the same program.

- What and where (paths, count, seed, device, workers) are options; how a word or a training step
  is made are settings, which recipes and `--set` change: see [recipes.md](recipes.md).
- Exit status: 0 done; 1 an error, told in one line, or a `verify` that found problems; 2 a wrong
  option; 3 an edit whose word OCR does not read; 130 stopped by Ctrl-C or SIGTERM.
- `--corpus` takes a file, a list or pattern from `corpora/corpora.toml`, or `default` (the
  weighted mixture of them all). `--corpus mine.txt:3 --corpus prices:1` draws three words of
  `mine.txt` for each price.
- `--crops` and `--styles` take a folder tree of images, a list file (`.txt`, `.lst`; a path a line,
  relative to the list; of a crop in an LMDB the folder and the key, `crops/image-000000007`), an LMDB folder,
  or one image. Several are taken together if the option is repeated. Labels are never read.
"""


def document() -> str:
    """Return the whole page."""
    parts = [INTRO, _section(PROGRAM, ())]
    parts += [_section(f"{PROGRAM} {name}", tuple(name.split())) for name, _ in commands(main)]
    return "\n".join(parts)


def _section(title: str, arguments: tuple[str, ...]) -> str:
    # The number of cores of the machine that writes the page must not show, nor its terminal.
    result = CliRunner().invoke(main, [*arguments, "--help"], prog_name=PROGRAM, terminal_width=_WIDTH)
    if result.exit_code != 0:
        raise RuntimeError(f"{title} --help failed: {result.output}")
    return f"## {title}\n\n```text\n{result.output.rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
    print(f"{PAGE.name} written.")
