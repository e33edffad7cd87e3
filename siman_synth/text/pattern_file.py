r"""Files of patterns: `NAME.patterns`, a pattern a line, each with its weight or not.

# weight, a tab, the pattern (siman_synth/text/templates.py says how it is written)
34	[0-9]{1,3}\.[0-9]{2}
12	[0-3][0-9]/[01][0-9]/20[0-9]{2}
"""

import bisect
import itertools
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siman_synth.errors import CorpusError
from siman_synth.escaping import storable
from siman_synth.limits import HEAVIEST, is_weight
from siman_synth.seeding import sample_rng
from siman_synth.text.casing import CaseConfig
from siman_synth.text.spaces import plain_spaces
from siman_synth.text.templates import Template, TemplateError
from siman_synth.watched import WatchedFile

SUFFIX = ".patterns"
"""How the name of such a file ends."""

_MOST_BYTES = 1 << 22
_MOST_LINES = 20_000
_ATTEMPTS, _PROBES = 64, 1000


@dataclass(frozen=True, slots=True)
class Weighted:
    """A pattern and how often it is drawn, beside the weights of the others."""

    template: Template
    weight: float


class PatternFile:
    """The patterns of a file, held to a maximum length; those that cannot be as short are left out.

    Raises:
        CorpusError: all are.
    """

    def __init__(
        self, name: str, patterns: Sequence[Weighted], watched: WatchedFile, max_length: int
    ) -> None:
        self.name = name
        self.watched = watched
        self.left_out = [one for one in patterns if one.template.shortest > max_length]
        self._templates = [one.template for one in patterns if one.template.shortest <= max_length]
        weights = [one.weight for one in patterns if one.template.shortest <= max_length]
        self._bounds = list(itertools.accumulate(weights))
        self._max_length = max_length
        self._characters = frozenset().union(*(template.characters() for template in self._templates))
        rng = sample_rng(0, "patterns", name)
        tries = (self._try(rng) for _ in range(_PROBES if self._templates else 0))
        sure = next((text for text in tries if text is not None), None)
        if sure is None:
            raise CorpusError(
                f"No pattern of {watched.path} makes a text of at most {max_length} characters. "
                "Raise text.max_length."
            )
        self._sure = sure

    @classmethod
    def open(cls, path: Path, max_length: int) -> "PatternFile":
        """Read a file.

        Raises:
            CorpusError: it cannot be read, is not UTF-8, holds a pattern that cannot be understood (the
                message names the line), or none that can be as short as `max_length`.
        """
        try:
            watched = WatchedFile(path)
            if path.stat().st_size > _MOST_BYTES:
                raise CorpusError(f"{path} has more than {_MOST_BYTES} bytes. Give fewer patterns.")
            text = path.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise CorpusError(f"Patterns {path} cannot be read: {error.strerror or error}.") from error
        except UnicodeDecodeError as error:
            raise CorpusError(
                f"Patterns {path} are not UTF-8: byte offset {error.start}. Save them as UTF-8."
            ) from error
        return cls(storable(path.name), read_patterns(text, str(path)), watched, max_length)

    def draw(self, rng: np.random.Generator, case: float | None = None) -> str:
        """Draw a text of at most the maximum length: first a pattern, then what it makes."""
        for _ in range(_ATTEMPTS):
            if (text := self._try(rng)) is not None:
                return text
        return self._sure

    def _try(self, rng: np.random.Generator) -> str | None:
        point = rng.random() * self._bounds[-1]
        chosen = min(bisect.bisect_right(self._bounds, point), len(self._templates) - 1)
        text = unicodedata.normalize("NFC", plain_spaces(self._templates[chosen].draw(rng))).strip()
        return text if 1 <= len(text) <= self._max_length else None

    def in_case(self, case: CaseConfig) -> "PatternFile":
        """Return itself: patterns have a case of their own."""
        return self

    def characters(self) -> frozenset[str]:
        """Return every character that a text may hold."""
        return self._characters

    def fingerprint(self) -> str:
        """Return a hash of the file and of the length."""
        return f"{self.watched.sha256} {self._max_length}"


def read_patterns(text: str, where: str) -> list[Weighted]:
    """Return the patterns of a file's text; `where` is what messages call it.

    Raises:
        CorpusError: there is none, or one cannot be understood.
    """
    found: list[Weighted] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if len(found) == _MOST_LINES:
            raise CorpusError(f"{where} has more than {_MOST_LINES} patterns. Give fewer.")
        weight, tab, source = line.partition("\t")
        source = unicodedata.normalize("NFC", (source if tab else line).strip())
        try:
            share = float(weight) if tab else 1.0
        except ValueError:
            share = math.nan
        if not is_weight(share):
            raise CorpusError(
                f"{where}, line {number}: before the tab stands the weight, a number above 0, up to "
                f"{HEAVIEST:g}, found {weight[:20]!r}."
            )
        try:
            found.append(Weighted(Template.parse(source), share))
        except TemplateError as error:
            raise CorpusError(
                f"{where}, line {number}: '{source[:60]}' cannot be understood: {error}."
            ) from error
    if not found:
        raise CorpusError(f"{where} holds no pattern. Give one a line, such as [0-9]{{1,3}}.[0-9]{{2}}.")
    return found


def patterns_text(patterns: Sequence[Weighted], comment: str) -> str:
    """Return the text of a file of patterns, most frequent ones first, after lines of comment."""
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    ordered = sorted(patterns, key=lambda one: (-one.weight, one.template.source))
    lines += [f"{one.weight:g}\t{one.template.source}" for one in ordered]
    return "\n".join(lines) + "\n"
