"""Draw one sheet of words for every language in the box, and write docs/scripts.md.

    python docs/make_scripts.py

The words, fonts, crops and weights are those that ship: what `generate --language CODE` writes.
"""

import tempfile
from pathlib import Path

import click

from siman_synth.config import load_config
from siman_synth.render.font_files import bundled_families
from siman_synth.runs.generate import generate
from siman_synth.runs.job import Job
from siman_synth.storage.dataset_sheet import dataset_sheet
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.text.catalogue import CorpusEntry, bundled_catalogue
from siman_synth.text.corpus import Corpus
from siman_synth.text.writing import writing_systems

DOCS = Path(__file__).resolve().parent
COUNT = 36

HEAD = """# Scripts

Written by `python docs/make_scripts.py`. For each of these languages words and fonts are in the box:

```console
$ siman-synth generate --language ar --n 100 --out words
```

`--language` chooses the word list if `--corpus` names none, the fonts of its script, how Chinese characters
look (`zh`, `ja` or `ko`), and how letter case is written. Fonts of a script are used as soon as a word list
of yours holds its letters; no option is needed. Licences of the lists are in
[corpora/corpora.toml](../corpora/corpora.toml), those of the fonts beside them.

| language | list | words | licence of the list | fonts |
|---|---|---|---|---|
"""
TAIL = """
The Chinese, Japanese and Korean fonts hold the common characters alone: level 1 of GB 2312, of JIS X 0208
with kana, and the Hangul of KS X 1001 ([fonts/subset_cjk.py](../fonts/subset_cjk.py)). Words with others
are left out and counted; `--fonts` takes complete ones.

Lines of other scripts need fonts of yours. The tests compare how lines of 35 scripts are shaped with Pillow's
libraqm, where fonts are installed that have them (`tests/render/test_lines_of_any_script.py`).

PP-OCRv6 small (rapidocr 3.10) read 99.0 % of 600 Chinese words right and 96.0 % of 600 Japanese ones,
with the default ink gate and no other, at 48 px (`--language zh --seed 11 --set height_px=48`);
at 32 px 98.7 % of 300 Chinese ones. Of 50 English lines of 12 words (recipe `lines`, 48 px) it read 80 %.
Some rows shrink towards one end; whether that is why was not tried.

A line that no single font covers is drawn in two: one for most of its letters, and one like it for the
others, its capitals as tall. Vertical lines are not drawn.
"""


def other_languages() -> list[CorpusEntry]:
    """Return the word lists that are not in English, by language."""
    lists = bundled_catalogue().corpora.values()
    return sorted((one for one in lists if one.language not in ("en", "mul")), key=lambda one: one.language)


def document(licences: dict[str, str]) -> str:
    """Return the page."""
    rows, sheets = [], []
    for entry in other_languages():
        corpus = Corpus.open(entry.name)
        systems = writing_systems(corpus.characters(), entry.language)
        families = [
            name for name, fonts in bundled_families().items() if systems.intersection(fonts[0].scripts)
        ]
        rows.append(
            f"| `{entry.language}` | {entry.name} | {len(corpus):,} | {licences[entry.name]} | "
            f"{', '.join(families)} |"
        )
        sheets.append(f"\n## {entry.name.capitalize()}\n\n![{entry.name}](scripts/{entry.language}.jpg)\n")
    return HEAD + "\n".join(rows) + "\n" + TAIL + "".join(sheets)


def draw_sheet(language: str, path: Path) -> None:
    """Generate words in a language with nothing but what ships, and draw them."""
    config = load_config(GenerateConfig, overrides=(f"text.language='{language}'",))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "words")
        generate(Job(count=COUNT, seed=1, config=config), out, show_progress=False)
        with LmdbReader.open(out) as reader:
            dataset_sheet(reader, COUNT).convert("RGB").save(path, quality=82, optimize=True)


@click.command()
@click.option("--page-only", is_flag=True, help="Leave the pictures as they are.")
def main(page_only: bool) -> None:
    """Write docs/scripts.md and its pictures.

    Example: python docs/make_scripts.py
    """
    import tomllib

    tables = tomllib.loads((DOCS.parent / "corpora" / "corpora.toml").read_text(encoding="utf-8"))["corpus"]
    if not page_only:
        for entry in other_languages():
            draw_sheet(entry.language, DOCS / "scripts" / f"{entry.language}.jpg")
    page = document({str(table["name"]): str(table["licence"]) for table in tables})
    (DOCS / "scripts.md").write_text(page, encoding="utf-8")
    click.echo("scripts.md written.")


if __name__ == "__main__":
    main()
