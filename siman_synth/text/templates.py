r"""Patterns that users write: a small part of regular expressions, from which texts are drawn.

    [0-9]{1,3}\.[0-9]{2}        12.50
    (RM|USD) [1-9][0-9]?        RM 7
    [A-Z]{2}-[0-9]{4}           KD-0381

Characters stand for themselves, but for `[ ] ( ) { } ? | \`, which need a backslash. `[…]` is one of
several characters, `(…|…)` one of several parts, `{3}`, `{1,4}` and `?` say how often.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from siman_synth.text.visible import needs_ink

LONGEST = 200
"""No template makes a longer text."""
_DEEPEST = 16
_SPECIAL = frozenset("[](){}?|\\")


class TemplateError(ValueError):
    """A template that cannot be understood; the message says what was found, and where."""


@dataclass(frozen=True, slots=True)
class _Characters:
    """One of several characters."""

    choices: str

    def draw(self, rng: np.random.Generator) -> str:
        return self.choices[int(rng.integers(len(self.choices)))] if len(self.choices) > 1 else self.choices

    def characters(self) -> frozenset[str]:
        return frozenset(self.choices)

    @property
    def lengths(self) -> tuple[int, int]:
        return 1, 1


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A part, from `least` to `most` times."""

    part: "_Part"
    least: int
    most: int

    def draw(self, rng: np.random.Generator) -> str:
        count = self.least if self.least == self.most else int(rng.integers(self.least, self.most + 1))
        return "".join(self.part.draw(rng) for _ in range(count))

    def characters(self) -> frozenset[str]:
        return self.part.characters() if self.most else frozenset()

    @property
    def lengths(self) -> tuple[int, int]:
        shortest, longest = self.part.lengths
        return shortest * self.least, longest * self.most


@dataclass(frozen=True, slots=True)
class _Joined:
    """Parts, one after the other."""

    parts: "tuple[_Part, ...]"

    def draw(self, rng: np.random.Generator) -> str:
        return "".join(part.draw(rng) for part in self.parts)

    def characters(self) -> frozenset[str]:
        return frozenset().union(*(part.characters() for part in self.parts))

    @property
    def lengths(self) -> tuple[int, int]:
        found = [part.lengths for part in self.parts]
        return sum(low for low, _ in found), sum(high for _, high in found)


@dataclass(frozen=True, slots=True)
class _OneOf:
    """One of several parts."""

    parts: "tuple[_Part, ...]"

    def draw(self, rng: np.random.Generator) -> str:
        return self.parts[int(rng.integers(len(self.parts)))].draw(rng)

    def characters(self) -> frozenset[str]:
        return frozenset().union(*(part.characters() for part in self.parts))

    @property
    def lengths(self) -> tuple[int, int]:
        found = [part.lengths for part in self.parts]
        return min(low for low, _ in found), max(high for _, high in found)


_Part = _Characters | _Repeated | _Joined | _OneOf


@dataclass(frozen=True, slots=True)
class Template:
    """A pattern that a user wrote."""

    source: str
    """As it was written."""
    part: _Part

    @classmethod
    def parse(cls, source: str) -> "Template":
        """Read a template.

        Raises:
            TemplateError: it cannot be understood, is empty, or makes texts of more than `LONGEST`
                characters.
        """
        reader = _Reader(source)
        part = reader.choices(0)
        if not reader.at_end:
            raise reader.error("')' without '('")
        _, longest = part.lengths
        if not 1 <= longest <= LONGEST:
            raise TemplateError(f"it makes up to {longest} characters; 1 to {LONGEST} are possible")
        if not any(map(needs_ink, part.characters())):
            raise TemplateError("it makes spaces alone")
        return cls(source, part)

    def draw(self, rng: np.random.Generator) -> str:
        """Draw a text."""
        return self.part.draw(rng)

    def characters(self) -> frozenset[str]:
        """Return every character that a text may hold."""
        return self.part.characters()

    @property
    def shortest(self) -> int:
        """The least length of a text."""
        return self.part.lengths[0]


def literal(text: str) -> str:
    """Return the template that makes this text and no other."""
    return "".join(f"\\{one}" if one in _SPECIAL or one in "*+" else one for one in text)


def one_of(characters: Sequence[str]) -> str:
    """Return the template of one of these characters, with ranges where four or more follow each other."""
    codes = sorted({ord(one) for one in characters})
    if len(codes) == 1:
        return literal(chr(codes[0]))
    runs: list[list[int]] = []
    for code in codes:
        if runs and code == runs[-1][-1] + 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    parts = [
        f"{_in_brackets(run[0])}-{_in_brackets(run[-1])}" if len(run) > 2 else "".join(map(_in_brackets, run))
        for run in runs
    ]
    return f"[{''.join(parts)}]"


def _in_brackets(code: int) -> str:
    return f"\\{chr(code)}" if chr(code) in "[]\\-^" else chr(code)


class _Reader:
    """Reads a template from left to right."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._source)

    def error(self, found: str) -> TemplateError:
        return TemplateError(f"{found} at character {min(self._at, len(self._source)) + 1}")

    def choices(self, depth: int) -> _Part:
        if depth > _DEEPEST:
            raise self.error(f"more than {_DEEPEST} '(' inside each other")
        found = [self._sequence(depth)]
        while self._next_is("|"):
            found.append(self._sequence(depth))
        return found[0] if len(found) == 1 else _OneOf(tuple(found))

    def _sequence(self, depth: int) -> _Part:
        parts: list[_Part] = []
        while not self.at_end and self._source[self._at] not in "|)":
            parts.append(self._repeated(self._atom(depth)))
        return _Joined(tuple(parts))

    def _atom(self, depth: int) -> _Part:
        character = self._take()
        if character == "(":
            inside = self.choices(depth + 1)
            if not self._next_is(")"):
                raise self.error("'(' without ')'")
            return inside
        if character == "[":
            return self._brackets()
        if character == "\\":
            return _Characters(self._escaped())
        if character in "{}]?*+":
            self._at -= 1
            raise self.error(f"'{character}' (write \\{character} for the character itself)")
        return _Characters(self._visible(character))

    def _brackets(self) -> _Part:
        choices: list[str] = []
        while not self._next_is("]"):
            if self.at_end:
                raise self.error("'[' without ']'")
            first = self._bracketed()
            if self._source[self._at : self._at + 1] == "-" and self._source[
                self._at + 1 : self._at + 2
            ] not in ("", "]"):
                self._at += 1
                last = self._bracketed()
                if len(first) != 1 or len(last) != 1 or not first <= last or ord(last) - ord(first) > 1000:
                    raise self.error(f"'{first}-{last}', which is no range of up to 1000 characters,")
                choices += [self._visible(chr(code)) for code in range(ord(first), ord(last) + 1)]
            else:
                choices += first
        if not choices:
            raise self.error("'[]'")
        return _Characters("".join(dict.fromkeys(choices)))

    def _bracketed(self) -> str:
        character = self._take()
        if character == "^":
            self._at -= 1
            raise self.error("'^' (write \\^ for the character itself; there is no 'all but')")
        return self._escaped() if character == "\\" else self._visible(character)

    def _escaped(self) -> str:
        character = self._take()
        if character == "d":
            return "0123456789"
        if character.isalnum():
            self._at -= 1
            raise self.error(f"'\\{character}', which means nothing here,")
        return self._visible(character)

    def _repeated(self, part: _Part) -> _Part:
        if self._next_is("?"):
            return _Repeated(part, 0, 1)
        if not self._next_is("{"):
            return part
        end = self._source.find("}", self._at)
        least, comma, most = self._source[self._at : end if end >= 0 else None].partition(",")
        most = most if comma else least
        if end < 0 or not (least.isdecimal() and most.isdecimal() and len(least + most) <= 8):
            raise self.error("no numbers, such as {2} or {1,4},")
        if int(least) > int(most):
            raise self.error(f"{{{least},{most}}}, the larger number first,")
        self._at = end + 1
        return _Repeated(part, int(least), int(most))

    def _visible(self, character: str) -> str:
        if not character.isprintable():
            self._at -= 1
            raise self.error(f"U+{ord(character):04X}, which cannot be seen,")
        return character

    def _take(self) -> str:
        if self.at_end:
            raise self.error("the end, where a character is missing,")
        self._at += 1
        return self._source[self._at - 1]

    def _next_is(self, character: str) -> bool:
        if self._source[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True
