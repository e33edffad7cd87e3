"""Names given alone where several may be given."""

from collections.abc import Iterable
from pathlib import Path

from siman_synth.errors import ConfigError

Names = str | Path | Iterable[str | Path]
"""One name, file or folder, or several."""


def several(names: Names) -> tuple[str | Path, ...]:
    """Return one name or several as a tuple: a text is one name, not a list of letters.

    Raises:
        ConfigError: something among them is neither a text nor a path, or empty.
    """
    found = tuple(names) if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
    for name in found:
        if not isinstance(name, (str, Path)) or name == "":
            raise ConfigError(f"A name, a file or a list of these is needed, found {name!r}.")
    return found


def named(names: Iterable[str | Path]) -> str:
    """Return the last parts of paths, for a title: `crops.lmdb, more`."""
    return ", ".join(Path(name).name for name in names)
