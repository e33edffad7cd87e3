"""Which characters a recognizer knows, and labels as class numbers."""

import string
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

BLANK = 0
"""The class that CTC puts between characters."""
ALPHANUMERIC = string.digits + string.ascii_lowercase
"""The 36 characters that scene text benchmarks compare."""
PRINTABLE = string.digits + string.ascii_letters + string.punctuation
"""The 94 printable characters of ASCII."""


@dataclass(frozen=True, slots=True)
class Charset:
    """Characters as classes 1 to n; class 0 is CTC's blank."""

    characters: str = ALPHANUMERIC

    def __post_init__(self) -> None:
        if not self.characters or len(set(self.characters)) < len(self.characters):
            raise ValueError(f"A charset needs characters, each once, found {self.characters!r}.")

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
        """Return the classes of a cleaned label."""
        return [self.characters.index(character) + 1 for character in self.clean(label)]

    def decode(self, classes: Sequence[int]) -> str:
        """Return the text of classes without blanks."""
        return "".join(self.characters[number - 1] for number in classes)

    def _nearest(self, character: str) -> str:
        plain = unicodedata.normalize("NFKD", character)
        for form in (character, character.lower(), plain, plain.lower()):
            if kept := "".join(part for part in form if part in self.characters):
                return kept
        return ""
