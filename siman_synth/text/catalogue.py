"""The bundled corpora and the weights of the default mixture, as `corpora.toml` lists them."""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siman_synth.errors import CorpusError
from siman_synth.resources import resource_folder


@dataclass(frozen=True, slots=True)
class CorpusEntry:
    """One bundled word list: its file, and how the default mixture uses it."""

    name: str
    path: Path
    mix_case: bool
    weight: float
    language: str = ""
    """As BCP 47 has it; "mul" for several."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that `corpora.toml` says, by name."""

    corpora: dict[str, CorpusEntry]
    pattern_weights: dict[str, float]


def bundled_catalogue() -> Catalogue:
    """Return the catalogue that ships with siman-synth; empty where the folder has none.

    Raises:
        CorpusError: `corpora.toml` is damaged.
    """
    try:
        folder = resource_folder("corpora")
    except FileNotFoundError:
        return Catalogue({}, {})
    return read_catalogue(folder)


@functools.lru_cache(maxsize=8)
def read_catalogue(folder: Path) -> Catalogue:
    """Return the catalogue of `folder/corpora.toml`.

    Raises:
        CorpusError: the file is not TOML or an entry lacks its name.
    """
    path = folder / "corpora.toml"
    if not path.is_file():
        return Catalogue({}, {})
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        entries = [
            CorpusEntry(
                name=str(table["name"]),
                path=folder / str(table.get("file", f"{table['name']}.txt")),
                mix_case=bool(table.get("mix_case", False)),
                weight=float(table.get("weight", 1.0)),
                language=str(table.get("language", "")),
            )
            for table in document.get("corpus", [])
        ]
        weights = {
            str(table["name"]): float(table.get("weight", 1.0)) for table in document.get("pattern", [])
        }
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise CorpusError(f"{path} is damaged: {error!r}. Reinstall siman-synth.") from error
    return Catalogue({entry.name: entry for entry in entries}, weights)
