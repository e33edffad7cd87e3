"""Which characters a recognizer knows, and labels as class numbers, from left to right."""

import functools
import string
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from siman_synth.bidi import visual_runs
from siman_synth.errors import ConfigError
from siman_synth.files import read_text
from siman_synth.resources import own_file

BLANK = 0
"""The class that CTC puts between characters."""
ALPHANUMERIC = string.digits + string.ascii_lowercase
"""The 36 characters that scene text benchmarks compare."""
PRINTABLE = string.digits + string.ascii_letters + string.punctuation
"""The 94 printable characters of ASCII."""
NAMED = {"alphanumeric": ALPHANUMERIC, "printable": PRINTABLE}


def named_charset(name: str) -> str:
    """Return the characters that a name means: "alphanumeric", "printable", or those in a text file.

    Raises:
        ConfigError: there is no such name or file, or the file is no UTF-8 text with characters.
    """
    if (path := own_file(name)) is None:
        if name in NAMED:
            return NAMED[name]
        raise ConfigError(f"There is no charset '{name}'. Use {', '.join(NAMED)}, or a text file.")
    try:
        text = read_text(path)
    except OSError as error:
        raise ConfigError(f"The charset {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"The charset {path} is not UTF-8: byte offset {error.start}. Save it as UTF-8."
        ) from error
    return charset_of(set(unicodedata.normalize("NFC", text)))


def charset_of(characters: Collection[str]) -> str:
    """Return characters, each once, in their order in Unicode; control characters and marks of order go.

    Raises:
        ConfigError: there is none that can be seen.
    """
    kept = sorted(
        {one for one in characters if one == " " or not unicodedata.category(one).startswith(("C", "Z"))}
    )
    if not any(one != " " for one in kept):
        raise ConfigError("A charset needs at least one character that can be seen, found none.")
    return "".join(kept)


@dataclass(frozen=True, slots=True)
class Charset:
    """Characters as classes 1 to n; class 0 is CTC's blank."""

    characters: str = ALPHANUMERIC

    def __post_init__(self) -> None:
        if not self.characters or len(set(self.characters)) < len(self.characters):
            raise ConfigError(f"A charset needs characters, each once, found {self.characters!r}.")

    @property
    def classes(self) -> int:
        """How many classes a recognizer must tell apart, the blank included."""
        return len(self.characters) + 1

    def clean(self, label: str) -> str:
        """Return what of a label these characters can say.

        A character that is not among them is replaced by its lower case, or by its letter without
        accent, if those are; else it is left out. Both labels and readings are compared so.
        """
        return "".join(map(self._nearest, unicodedata.normalize("NFC", label)))

    def encode(self, label: str) -> list[int]:
        """Return the classes of a cleaned label, from left to right as it is drawn.

        Columns follow each other so, and CTC keeps their order; Arabic and Hebrew labels are turned.
        """
        numbers = _numbers(self.characters)
        return [numbers[character] for character in _turned(self.clean(label))]

    def decode(self, classes: Sequence[int]) -> str:
        """Return the text of classes without blanks, in the order in which labels are written.

        A line that mixes directions is drawn as another one is that begins with its other end; its
        text is then the one that begins at the left.
        """
        return _turned("".join(self.characters[number - 1] for number in classes))

    def _nearest(self, character: str) -> str:
        plain = unicodedata.normalize("NFKD", character)
        for form in (character, character.lower(), plain, plain.lower()):
            if kept := "".join(part for part in form if part in self.characters):
                return kept
        return ""


def _turned(text: str) -> str:
    """Return a text's characters from left to right, or such a row as text: turning runs undoes itself."""
    return "".join(text[start:end][:: -1 if level % 2 else 1] for start, end, level in visual_runs(text))


@functools.lru_cache(maxsize=8)
def _numbers(characters: str) -> Mapping[str, int]:
    return {character: number for number, character in enumerate(characters, 1)}
