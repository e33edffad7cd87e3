"""Compare `corpora.toml` with the word lists beside it.

    python corpora/check_corpora.py            # exit status 1 and one line for each fault
    python corpora/check_corpora.py --update   # first write the counts and checksums of the files

Run it after any change to the folder.
"""

import hashlib
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

CORPORA = Path(__file__).resolve().parent
CORPUS_KEYS = ("name", "file", "language", "licence", "source", "count", "sha256", "mix_case", "weight")
LONGEST = 25

_ENTRY = re.compile(r'^file = "(?P<file>[^"]+)"\ncount = \d+\nsha256 = "[^"]*"$', re.MULTILINE)


def update_listing(folder: Path) -> int:
    """Write the real counts and checksums into `corpora.toml`; return how many entries changed.

    A `[[corpus]]` table must hold `file`, `count` and `sha256` on successive lines.
    """
    listing = folder / "corpora.toml"
    changed = 0

    def corrected(match: re.Match[str]) -> str:
        nonlocal changed
        path = folder / match["file"]
        if not path.is_file():
            return match[0]
        count = len(path.read_text(encoding="utf-8").splitlines())
        entry = f'file = "{match["file"]}"\ncount = {count}\nsha256 = "{checksum(path)}"'
        changed += entry != match[0]
        return entry

    text = _ENTRY.sub(corrected, listing.read_text(encoding="utf-8"))
    listing.write_text(text, encoding="utf-8")
    return changed


def faults(folder: Path) -> Iterator[str]:
    """Yield one line for each thing that is wrong in `folder`."""
    document = tomllib.loads((folder / "corpora.toml").read_text(encoding="utf-8"))
    listed: set[str] = set()
    for entry in document.get("corpus", []):
        listed.add(str(entry.get("file")))
        yield from _corpus_faults(folder, entry)
    if not listed:
        yield "corpora.toml lists no [[corpus]]."
    for path in sorted(folder.glob("*.txt")):
        if path.name not in listed and not path.name.startswith("LICENSE"):
            yield f"{path.name}: not in corpora.toml; add a [[corpus]] table or remove it."
    names = [str(table.get("name")) for key in ("corpus", "pattern") for table in document.get(key, [])]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{name}: listed {names.count(name)} times; a name may stand once."
    for table in document.get("pattern", []):
        if not {"name", "weight"} <= table.keys() or not _is_weight(table["weight"]):
            yield f"pattern {table.get('name', '?')}: needs a name and a weight of 0 or more."


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _corpus_faults(folder: Path, entry: dict[str, Any]) -> Iterator[str]:
    name = str(entry.get("name", "?"))
    missing = [key for key in CORPUS_KEYS if entry.get(key) in (None, "")]
    if missing:
        yield f"{name}: {', '.join(missing)} missing in corpora.toml."
    if not isinstance(entry.get("mix_case"), bool):
        yield f"{name}: mix_case must be true or false, found {entry.get('mix_case')!r}."
    if not _is_weight(entry.get("weight")):
        yield f"{name}: weight must be a number of 0 or more, found {entry.get('weight')!r}."
    path = folder / str(entry.get("file", "?"))
    if not path.is_file():
        yield f"{name}: {path.name} is listed in corpora.toml, but there is no such file."
        return
    if (licence_file := entry.get("licence_file")) and not (folder / str(licence_file)).is_file():
        yield f"{name}: its licence text {licence_file} is missing."
    if (found := checksum(path)) != entry.get("sha256"):
        yield (
            f"{name}: SHA-256 of {path.name} is {found}, corpora.toml says {entry.get('sha256')!r}. "
            "If the new list is intended, run check_corpora.py --update."
        )
    try:
        words = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        yield f"{name}: {path.name} is not UTF-8: {error}."
        return
    if len(words) != entry.get("count"):
        yield f"{name}: {path.name} has {len(words)} lines, corpora.toml says {entry.get('count')}."
    yield from _word_faults(path.name, words)


def _word_faults(file: str, words: list[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for number, word in enumerate(words, start=1):
        if not word or word != word.strip():
            yield f"{file}, line {number}: blank, or white space at an end: {word!r}."
        elif len(word) > LONGEST:
            yield f"{file}, line {number}: {word!r} has {len(word)} characters; at most {LONGEST} are used."
        elif not word.isprintable() or not unicodedata.is_normalized("NFC", word):
            yield f"{file}, line {number}: {word!r} holds a control character or is not in NFC."
        elif word in seen:
            yield f"{file}, line {number}: {word!r} stands in line {seen[word]} already."
        seen.setdefault(word, number)


def _is_weight(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf")


@click.command()
@click.option("--update", is_flag=True, help="Write counts and checksums into corpora.toml first.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=CORPORA, hidden=True)
def main(update: bool, folder: Path) -> None:
    """Check that corpora.toml and the word lists belong together.

    Example: python corpora/check_corpora.py --update
    """
    if update:
        click.echo(f"{update_listing(folder)} entries updated.")
    found = list(faults(folder))
    for fault in found:
        click.echo(fault, err=True)
    if found:
        raise click.ClickException(f"{len(found)} faults in {folder.name}/.")
    document = tomllib.loads((folder / "corpora.toml").read_text(encoding="utf-8"))
    words = sum(corpus["count"] for corpus in document["corpus"])
    click.echo(f"{len(document['corpus'])} corpora, {words} words: all in order.")


if __name__ == "__main__":
    main()
