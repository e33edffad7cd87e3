"""Finding font files: the bundled ones by family, the user's by path."""

import dataclasses
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.errors import FontError
from siman_synth.escaping import storable
from siman_synth.files import walk_once
from siman_synth.render.font_bytes import MAX_FACES
from siman_synth.resources import own_path, resource_folder
from siman_synth.suggestions import did_you_mean, one_name
from siman_synth.tally import Tally

_SUFFIXES = frozenset({".ttf", ".otf", ".otb", ".ttc", ".otc", ".woff", ".woff2"})
_COLLECTION, _COLLECTION_COUNT = b"ttcf", slice(8, 12)
"""How a file of several fonts begins, and where it says how many."""
_OTHER_SUFFIXES = frozenset({".pfb", ".pfa", ".bdf", ".pcf", ".fon", ".fnt", ".dfont", ".eot"})


@dataclass(frozen=True, slots=True)
class Font:
    """One face of a font file; `id`, such as "lato/Lato-Bold", is what plans and metadata hold.

    `kind` is what `fonts.toml` says: sans, serif, script…; empty for the user's fonts.
    """

    id: str
    family: str
    path: Path
    index: int = 0
    kind: str = ""
    scripts: tuple[str, ...] = ()
    """The writing systems of a bundled font that is for these alone."""
    groups: tuple[str, ...] = ()
    """Names that stand for several bundled families, this one among them."""
    in_all: bool = True
    """Whether it is among all bundled fonts, or has to be named."""

    @property
    def bundled(self) -> bool:
        """Whether it ships with siman-synth."""
        return self.kind != ""

    def with_family(self, family: str) -> "Font":
        """Return the same font under the family name that its file gives."""
        return dataclasses.replace(self, family=family or self.path.stem)


def find_fonts(
    specs: Sequence[str | Path], skipped: Tally, scripts: frozenset[str] = frozenset()
) -> list[Font]:
    """Return the fonts that `specs` name, each file once, in the order of the specs and of paths.

    "all" leaves out the bundled fonts of writing systems other than `scripts`, and those that have to
    be named, by their family or by a group of families such as "printers".

    The family is empty where only the file itself can tell. Files of font formats that
    are not supported are counted in `skipped`.

    Raises:
        FontError: a spec is neither a family, a file nor a folder.
    """
    fonts: list[Font] = []
    seen: set[tuple[Path, int]] = set()
    ids: set[str] = set()
    for spec in specs:
        for font in _fonts_of(spec, skipped, scripts):
            key = (font.path.resolve(), font.index)
            if key in seen:
                continue
            seen.add(key)
            unique = own = storable(font.id)
            for number in range(2, len(ids) + 3):
                if unique not in ids:
                    break
                unique = f"{own}~{number}"
            ids.add(unique)
            fonts.append(dataclasses.replace(font, id=unique))
    return fonts


def _fonts_of(spec: str | Path, skipped: Tally, scripts: frozenset[str]) -> Iterator[Font]:
    own = own_path(spec)
    if own is None and (one := _face_of_a_collection(str(spec), skipped)):
        yield one
        return
    if own is not None:
        yield from _own_fonts(own, skipped)
        return
    families = bundled_families()
    if str(spec) == "all":
        if not families:
            raise FontError(
                "The bundled fonts are missing. Reinstall siman-synth, or name a folder of fonts."
            )
        for fonts in families.values():
            yield from (font for font in fonts if font.in_all and _writes(font, scripts))
        return
    groups = {group for fonts in families.values() for group in fonts[0].groups}
    if spec in groups:
        for fonts in families.values():
            yield from (font for font in fonts if spec in font.groups)
        return
    wanted = _key(str(spec))
    for name, fonts in families.items():
        if wanted in (_key(name), _key(fonts[0].path.parent.name)):
            yield from fonts
            return
    hint = one_name(str(spec)) or did_you_mean(str(spec), [*families, *groups])
    raise FontError(
        f"No font '{spec}': it is neither a bundled family, a font file nor a folder."
        f"{hint or ' Use all for every bundled font.'}"
    )


def _writes(font: Font, scripts: frozenset[str]) -> bool:
    return not font.scripts or not scripts.isdisjoint(font.scripts)


def _face_of_a_collection(spec: str, skipped: Tally) -> Font | None:
    """Return the face that "fonts.ttc#2" names, None if it is no such name."""
    name, separator, number = spec.rpartition("#")
    path = own_path(name) if separator and number.isdecimal() else None
    if path is None or path.is_dir():
        return None
    faces = list(_faces_of(path, path.stem, skipped))
    if int(number) >= len(faces):
        raise FontError(f"Font {path} has {len(faces)} faces, numbered from 0; there is no number {number}.")
    return faces[int(number)]


def _own_fonts(path: Path, skipped: Tally) -> Iterator[Font]:
    if not path.is_dir():
        yield from _faces_of(path, path.stem, skipped)
        return
    files = [folder / name for folder, _, names in walk_once(path) for name in names]
    for file in sorted(files):
        suffix = file.suffix.lower()
        if suffix in _SUFFIXES and file.is_file():
            stem = file.relative_to(path).with_suffix("").as_posix()
            yield from _faces_of(file, f"{path.resolve().name}/{stem}", skipped)
        elif suffix in _OTHER_SUFFIXES:
            skipped.add("unsupported format", file.name)


def bundled_families() -> dict[str, tuple[Font, ...]]:
    """Return the bundled fonts by family name, as `fonts.toml` and the files under it tell."""
    try:
        folder = resource_folder("fonts")
    except FileNotFoundError:
        return {}
    named: dict[str, Font] = {}
    listing = folder / "fonts.toml"
    if listing.is_file():
        try:
            tables: list[dict[str, Any]] = tomllib.loads(listing.read_text(encoding="utf-8")).get(
                "family", []
            )
            named = {
                str(table["slug"]): Font(
                    id="",
                    family=str(table["name"]),
                    path=folder,
                    kind=str(table.get("kind", "")),
                    scripts=tuple(map(str, table.get("scripts", []))),
                    groups=tuple(map(str, table.get("groups", []))),
                    in_all=bool(table.get("in_all", True)),
                )
                for table in tables
            }
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise FontError(f"{listing} is damaged: {error!r}. Reinstall siman-synth.") from error
    families: dict[str, list[Font]] = {}
    for file in sorted(folder.rglob("*")):
        if file.suffix.lower() not in _SUFFIXES:
            continue
        slug = file.relative_to(folder).parts[0] if file.parent != folder else file.stem
        font_id = file.relative_to(folder).with_suffix("").as_posix()
        family = named.get(slug, Font("", slug, folder))
        font = dataclasses.replace(family, id=font_id, path=file)
        families.setdefault(font.family, []).append(font)
    return {family: tuple(fonts) for family, fonts in families.items()}


def scripts_of_bundled_fonts() -> frozenset[str]:
    """Return the writing systems, by ISO 15924 code, that bundled fonts are for alone."""
    return frozenset(script for fonts in bundled_families().values() for script in fonts[0].scripts)


def _faces_of(file: Path, font_id: str, skipped: Tally) -> Iterator[Font]:
    with file.open("rb") as opened:
        header = opened.read(_COLLECTION_COUNT.stop)
    count = int.from_bytes(header[_COLLECTION_COUNT], "big") if header.startswith(_COLLECTION) else 1
    if count > MAX_FACES:
        skipped.add(f"beyond the first {MAX_FACES} faces of a collection", file.name, count - MAX_FACES)
    for index in range(min(count, MAX_FACES)):
        yield Font(font_id if count == 1 else f"{font_id}#{index}", "", file, index)


def _key(name: str) -> str:
    return name.lower().replace("-", "").replace(" ", "").replace("_", "")
