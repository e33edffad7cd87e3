"""Compare `fonts.toml` with the font files beside it.

    python fonts/check_fonts.py            # exit status 1 and one line for each fault
    python fonts/check_fonts.py --update   # first write the checksums that the files really have

Run it after any change to the folder.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from fontTools.pens.boundsPen import BoundsPen
from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parent
KINDS = frozenset(["sans", "serif", "slab", "mono", "condensed", "display", "script", "handwriting"])
LICENCE_FILES = {"OFL-1.1": "OFL.txt", "Apache-2.0": "LICENSE.txt"}
LICENCE_WORDS = {"OFL-1.1": "SIL OPEN FONT LICENSE", "Apache-2.0": "APACHE LICENSE"}
FAMILY_KEYS = ("name", "slug", "kind", "licence", "source", "file")
OF_SCRIPT = {
    "Arab": "ابتثجحخدذرزسشصضطظعغفقكلمنهوي",
    "Hebr": "אבגדהוזחטיכלמנסעפצקרשתךםןףץ",
    "Deva": "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "Beng": "অআইঈউঊএঐওঔকখগঘচছজঝটঠডঢণতথদধনপফবভমযরলশষসহ",
    "Taml": "அஆஇஈஉஊஎஏஐஒஓகஙசஞடணதநனபமயரறலளழவ",
    "Thai": "กขคฆงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ",
    "Geor": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "Armn": "ԱԲԳԴԵԶԷԸԹԺԻԼԽԾԿՀՁՂՃՄՅՆՇՈՉՊՋՌՍՎՏՐՑՒՓՔՕՖաբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ",
    "Ethi": "ሀለሐመሠረሰሸቀበተቸኀነኘአከኸወዐዘዠየደጀገጠጨጰጸፀፈፐ",
    "Hans": "的一是在不了有和人这中大为上个国我以要他时来用们",
    "Jpan": "あいうえおアイウエオ日一国会人年大十二本中長出三",
    "Kore": "가나다라마바사아자차카타파하한국어",
}
"""What fonts of one writing system must draw instead."""
MUST_DRAW = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"-/()&@#$%*+"

_ENTRY = re.compile(r'^path = "(?P<path>[^"]+)"\nsha256 = "(?P<sha256>[^"]*)"$', re.MULTILINE)


def update_checksums(folder: Path) -> int:
    """Write the real checksums into `fonts.toml`; return how many changed.

    A `[[family.file]]` table must hold `path` and, on the next line, `sha256`.
    """
    listing = folder / "fonts.toml"
    changed = 0

    def corrected(match: re.Match[str]) -> str:
        nonlocal changed
        path = folder / match["path"]
        found = checksum(path) if path.is_file() else match["sha256"]
        changed += found != match["sha256"]
        return f'path = "{match["path"]}"\nsha256 = "{found}"'

    text = _ENTRY.sub(corrected, listing.read_text(encoding="utf-8"))
    listing.write_text(text, encoding="utf-8")
    return changed


def faults(folder: Path) -> Iterator[str]:
    """Yield one line for each thing that is wrong in `folder`."""
    document = tomllib.loads((folder / "fonts.toml").read_text(encoding="utf-8"))
    listed: set[Path] = set()
    slugs: set[str] = set()
    for family in document.get("family", []):
        slug = str(family.get("slug", "?"))
        if slug in slugs:
            yield f"{slug}: listed twice; keep one [[family]] table."
        slugs.add(slug)
        yield from _family_faults(folder, slug, family)
        for entry in family.get("file", []):
            path = folder / str(entry.get("path", "?"))
            listed.add(path)
            yield from _file_faults(slug, path, entry, _must_draw(family))
    if not slugs:
        yield "fonts.toml lists no [[family]]."
    for path in sorted(folder.glob("*/*")):
        if path.suffix.lower() in {".ttf", ".otf"} and path not in listed:
            yield f"{path.relative_to(folder)}: not in fonts.toml; add a [[family.file]] table or remove it."


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _family_faults(folder: Path, slug: str, family: dict[str, Any]) -> Iterator[str]:
    missing = [key for key in FAMILY_KEYS if not family.get(key)]
    if missing:
        yield f"{slug}: {', '.join(missing)} missing in fonts.toml."
    if (kind := family.get("kind")) not in KINDS:
        yield f"{slug}: kind '{kind}' is unknown; use one of {', '.join(sorted(KINDS))}."
    licence = str(family.get("licence"))
    if licence not in LICENCE_FILES:
        yield f"{slug}: licence '{licence}' is not accepted; use {' or '.join(LICENCE_FILES)}."
        return
    text = folder / slug / LICENCE_FILES[licence]
    if not text.is_file():
        yield f"{slug}: {LICENCE_FILES[licence]} is missing; put the font's own licence text there."
        return
    content = text.read_text(encoding="utf-8").upper()
    if LICENCE_WORDS[licence] not in content or "COPYRIGHT" not in content:
        yield f"{slug}: {text.name} does not hold the {licence} text with a copyright line."


def _must_draw(family: dict[str, Any]) -> str:
    return "".join(OF_SCRIPT.get(str(code), MUST_DRAW) for code in family.get("scripts", [])) or MUST_DRAW


def _file_faults(slug: str, path: Path, entry: dict[str, Any], must_draw: str) -> Iterator[str]:
    name = f"{path.parent.name}/{path.name}"
    if not entry.get("style"):
        yield f"{name}: style is missing in fonts.toml."
    if path.parent.name != slug:
        yield f"{name}: the file must lie in the folder {slug}/."
    if not path.is_file():
        yield f"{name}: listed in fonts.toml, but there is no such file."
        return
    if (found := checksum(path)) != entry.get("sha256"):
        yield (
            f"{name}: SHA-256 is {found}, fonts.toml says {entry.get('sha256')!r}. "
            "If the new file is intended, run check_fonts.py --update."
        )
    try:
        blank = _undrawn(path, must_draw)
    except Exception as error:  # fontTools raises many kinds on a damaged file
        yield f"{name}: cannot be read as a font: {error!r}."
        return
    if blank:
        yield f"{name}: does not draw {blank!r}."


def _undrawn(path: Path, must_draw: str) -> str:
    """Return the characters of `must_draw` that the font lacks or leaves blank."""
    with TTFont(path) as font:
        glyphs, names = font.getGlyphSet(), font.getBestCmap()
        blank = []
        for character in must_draw:
            pen = BoundsPen(glyphs)
            if (name := names.get(ord(character))) is not None:
                glyphs[name].draw(pen)
            if pen.bounds is None:
                blank.append(character)
    return "".join(blank)


@click.command()
@click.option("--update", is_flag=True, help="Write the checksums of the files into fonts.toml first.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=FONTS, hidden=True)
def main(update: bool, folder: Path) -> None:
    """Check that fonts.toml, the font files and their licences belong together.

    Example: python fonts/check_fonts.py --update
    """
    if update:
        click.echo(f"{update_checksums(folder)} checksums updated.")
    found = list(faults(folder))
    for fault in found:
        click.echo(fault, err=True)
    if found:
        raise click.ClickException(f"{len(found)} faults in {folder.name}/.")
    document = tomllib.loads((folder / "fonts.toml").read_text(encoding="utf-8"))
    files = sum(len(family["file"]) for family in document["family"])
    click.echo(f"{len(document['family'])} families, {files} files: all in order.")


if __name__ == "__main__":
    main()
