"""Draw one sheet of words for every language in the box, and write docs/scripts.md.

    python docs/make_scripts.py

The words, fonts, crops and weights are those that ship: what `generate --language CODE` writes.
"""

import json
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

Other languages, traditional Chinese among them, need a list and fonts of yours (`--corpus`, `--fonts`).

A line that no single font covers is drawn in two: one for most of its letters, and one like it for the
others, its capitals as tall.

## What was measured

PP-OCRv6 small (rapidocr 3.10), with the default ink gate and no other, at 48 px (`--language zh --seed 11
--set height_px=48`), read 99.0 % of 600 Chinese words right and 96.0 % of 600 Japanese ones; this was before
crops were read at 32 px. With today's weights and no gate: 99.3 and 97.0 % of 300 (seed 0), and 96.3 % of 300
English lines of 12 words (seed 21).

Of 500 English lines of 12 words, 110 characters long on average (recipe `lines`, 48 px, no gate, a seed that
nothing was tuned on), it read 95.8 % without a fault (standard error 0.9); before that recipe drew fewer
letters for signs and titles 93.3 % of 489 others. Of 200 lines in black on white it had read 95.5 %; of the
first 50 ever 80 %: perspective, slopes and condensed letters left the hundredth letter of a line 8 px, where
the OCR looks every 8 px. Long lines shrink and rise less since. The width of the images was no cause: lines
of 6,000 px, which the OCR squeezes to 2,048, are read as well.

Above 32 px some words were too faint, of Chinese ones at 64 px one in eight (150 words, styles of 11,000
crops), and the ink gate was right to refuse them: the network read crops at a height it had never seen.
Read at 32 px (`style.height_px`) one in forty is, and PP-OCR reads 100 % of all instead of 93 %; of English
words 98.5 % instead of 94 %.

A recognizer of our own (`crnn`, 3,000 steps) that learned from 20,000 generated Arabic words read 92.6 % of
1,000 generated images of words that it never saw:

```console
$ siman-synth generate --language ar --corpus ar-train.txt --recipe straight --n 20000 --seed 1 --out ar-train
$ siman-synth generate --language ar --corpus ar-held.txt --recipe straight --n 1000 --seed 2 --out ar-held
$ siman-synth recognizer train --train ar-train --charset labels --set training.steps=3000 --out reader
$ siman-synth recognizer test reader ar-held
```

(`ar-held.txt` is every tenth of the bundled words of 2 to 8 characters, `ar-train.txt` the others.)

Hindi needs more: 78.7 % after the same (3,000 steps, 20,000 words), 88.7 % after 8,000 steps of 40,000
words, and **91.4 %** (89.5 to 93.0), within one edit 97.8 %, after 5,000 more of 60,000 more (two cores, no
GPU, commit d106d87, the first edition of the weights):

```console
$ siman-synth generate --language hi --corpus hi-train.txt --recipe straight --n 40000 --seed 1 --out hi-train
$ siman-synth generate --language hi --corpus hi-train.txt --recipe straight --n 60000 --seed 5 --out hi-more
$ siman-synth generate --language hi --corpus hi-held.txt --recipe straight --n 1000 --seed 2 --out hi-held
$ siman-synth recognizer train --train hi-train --charset labels --set training.steps=8000 --out first
$ siman-synth recognizer train --train hi-train --train hi-more --charset labels --init first \\
      --set training.steps=5000 --set training.learning_rate=3e-3 --out reader
$ siman-synth recognizer test reader hi-held
```

What is misread is small and real: a reph, a nukta, the hook of a vowel, व for ब, in 32 x 100 px.

## Lines that run downwards

`--set render.vertical=0.3` writes that share of the Chinese, Japanese, Korean and Mongolian words
downwards. Which characters stand and which lie on their side is what UAX #50 says, and brackets, dashes and
commas take the font's forms for such lines (`vert`); a font without vertical metrics sets letters into the
em box. Latin letters and digits lie, or stand one below the other (`render.vertical_stacked`); several
digits in the place of one letter are not written. Images are turned to the left by 90 degrees, as PaddleOCR
turns them before it reads, or stand upright with `--set finish.vertical_image='upright'`. Their style comes
from crops of horizontal lines, which nearly all crops are: its light falls from another side then, its
colours and edges are the same.

![downwards](scripts/vertical.jpg)

## Scripts

The least agreement of the ink of these words, as drawn here and by Pillow with libraqm (FriBidi, HarfBuzz),
where 1 is all of it; whole pixels there and parts of pixels here cost up to 0.03
(`python docs/script_agreement.py`; more lines in `tests/render/test_lines_of_any_script.py`).

| script | font | in the box | words | agreement |
|---|---|---|---|---|
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
    return HEAD + "\n".join(rows) + "\n" + TAIL + agreement_rows() + "".join(sheets)


def agreement_rows() -> str:
    """Return what docs/script_agreement.py found."""
    found = json.loads((DOCS / "scripts" / "agreement.json").read_text(encoding="utf-8"))
    return "".join(
        f"| {script} | {font} | {'yes' if bundled else 'no'} | {words} | {least:.3f} |\n"
        for script, font, bundled, words, least in found
    )


def draw_sheet(language: str, path: Path, *settings: str, **options: int) -> None:
    """Generate words in a language with nothing but what ships, and draw them."""
    config = load_config(GenerateConfig, overrides=(f"text.language='{language}'", *settings))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "words")
        generate(Job(count=COUNT, seed=1, config=config), out, show_progress=False)
        with LmdbReader.open(out) as reader:
            dataset_sheet(reader, COUNT, **options).convert("RGB").save(path, quality=82, optimize=True)


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
        upright = ("render.vertical=1.0", "finish.vertical_image='upright'", "text.max_length=5")
        draw_sheet("ja", DOCS / "scripts" / "vertical.jpg", *upright, row_height_px=150)
    page = document({str(table["name"]): str(table["licence"]) for table in tables})
    (DOCS / "scripts.md").write_text(page, encoding="utf-8")
    click.echo("scripts.md written.")


if __name__ == "__main__":
    main()
