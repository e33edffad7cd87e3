"""Which samples a user wants to keep or to drop: files with a name a line."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from siman_synth.errors import ConfigError
from siman_synth.files import read_text
from siman_synth.storage.labeled_set import LabeledSet

_MOST_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Marks:
    """Names of samples: LMDB keys, paths, or numbers counted from 1."""

    keep: frozenset[str] | None
    drop: frozenset[str]

    @classmethod
    def read(cls, keep: str | Path | None, drop: str | Path | None) -> Self:
        """Read either file; what follows a tab on a line is ignored.

        Raises:
            ConfigError: a file cannot be read, or names nothing.
        """
        return cls(_names(Path(keep)) if keep else None, _names(Path(drop)) if drop else frozenset())

    @property
    def digest(self) -> str:
        """A hash of all names."""
        keep = None if self.keep is None else sorted(self.keep)
        return hashlib.sha256(repr((keep, sorted(self.drop))).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def names(self) -> set[str]:
        """All names in either file."""
        return {*(self.keep or ()), *self.drop}

    def problem(self, words: LabeledSet, index: int) -> str | None:
        """Return why a sample is not wanted, None if it is."""
        if self.keep is None and not self.drop:
            return None
        names = names_of(words, index)
        if not names.isdisjoint(self.drop):
            return "marked to be dropped"
        return "not among those to keep" if self.keep is not None and names.isdisjoint(self.keep) else None


def names_of(words: LabeledSet, index: int) -> set[str]:
    """Return how a file of marks may call a sample."""
    return {words.name(index), str(words.number(index))}


def _names(path: Path) -> frozenset[str]:
    try:
        lines = read_text(path, _MOST_BYTES, "surrogateescape").splitlines()
    except OSError as error:
        raise ConfigError(f"Cannot read the marks {path}: {error.strerror}.") from error
    names = frozenset(line.split("\t")[0].strip() for line in lines if not line.startswith("#")) - {""}
    if not names:
        raise ConfigError(f"The marks {path} name no sample. Write the name of a sample a line.")
    return names
