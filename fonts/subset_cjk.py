"""Cut the common characters out of the Noto CJK collections.

    python fonts/subset_cjk.py /usr/share/fonts/opentype/noto    # as Debian's fonts-noto-cjk lays them

A whole face takes 16 MB, the first level of its country's character set a tenth.
"""

from collections.abc import Iterable
from pathlib import Path

import click
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTCollection, TTFont

FONTS = Path(__file__).resolve().parent
COMMON = range(0x20, 0x7F)
PUNCTUATION = (*range(0x3000, 0x3040), *range(0xFF01, 0xFF66), *map(ord, "·…—–“”‘’×÷±°￥￦¥₩€£"))
KANA = (*range(0x3041, 0x3100), *range(0x31F0, 0x3200))
# Rows of the national sets, in their EUC encodings: first byte from, to.
SETS = {"SC": ("gb2312", 0xB0, 0xD7), "JP": ("euc_jp", 0xB0, 0xCF), "KR": ("euc_kr", 0xB0, 0xC8)}


def common_characters(country: str) -> set[int]:
    """Return the code points of a face: ASCII, punctuation, and level 1 of the country's set."""
    encoding, first, last = SETS[country]
    rows = (bytes((high, low)) for high in range(first, last + 1) for low in range(0xA1, 0xFF))
    found = {ord(text) for row in rows if len(text := row.decode(encoding, "ignore")) == 1}
    return found | {*COMMON, *PUNCTUATION} | (set(KANA) if country == "JP" else set())


def cut(font: TTFont, characters: Iterable[int], path: Path) -> None:
    """Write `font` with these characters alone, its layout features kept."""
    options = Options(layout_features=["*"], hinting=False, desubroutinize=True, notdef_outline=True)
    options.drop_tables += ["DSIG", "VORG"]
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    path.parent.mkdir(exist_ok=True)
    font.save(path)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
def main(folder: Path) -> None:
    """Write noto-sans-sc and the like beside this program.

    Example: python fonts/subset_cjk.py /usr/share/fonts/opentype/noto
    """
    for style, weights in (("Sans", ("Regular", "Bold")), ("Serif", ("Regular",))):
        for weight in weights:
            faces = TTCollection(folder / f"Noto{style}CJK-{weight}.ttc").fonts
            for country in SETS:
                name = f"Noto {style} CJK {country}"
                face = next(one for one in faces if one["name"].getBestFamilyName() == name)
                slug = f"noto-{style.lower()}-{country.lower()}"
                path = FONTS / slug / f"Noto{style}{country}-{weight}.otf"
                cut(face, common_characters(country), path)
                click.echo(f"{path.relative_to(FONTS)}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
