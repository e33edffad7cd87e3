"""From readings to patterns: "12.50", "3.90" and "7.25" become `[0-9]{1,2}\\.[0-9]{2}` and the like.

A reading is cut at its spaces. Tokens with a digit are looked at by shape: digits and letters may be
others, punctuation stays. Readings of one shape make one pattern. Which digits stand at a place is seen
from all numbers of that form, wherever they stand: the first digit of a day is never above 3, and years
begin alike. So dates and times come out as such without being known.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from siman_synth.text.pattern_file import Weighted
from siman_synth.text.templates import LONGEST, Template, one_of

FEWEST = 3
"""So many different readings of a shape make a pattern; fewer stay what they are."""
_SURE, _ALWAYS = 20, 8
"""From so many readings on, digits that were never seen at a place do not belong there; from so many
different ones on, the only digit that was seen does."""
_FEW_DIGITS = 6
"""Digits that follow each other and are so few at most say something of a place."""
_NUMBER = re.compile(r"9+(?:[/.:,-]9+)*")
"""A number of any form, in a shape."""
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SMALL = frozenset("abcdefghijklmnopqrstuvwxyz")
_COMMON_WORD = 3
"""A word beside numbers belongs to the pattern if so many readings hold it."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What readings come to."""

    words: tuple[str, ...]
    """Readings that are no numbers, and those of rare shapes; each once, sorted."""
    patterns: tuple[Weighted, ...]
    """Weights are numbers of readings."""


def abstracted(readings: Mapping[str, int]) -> Wording:
    """Return the words and the patterns of readings, given with how often each was read."""
    beside = _words_beside_numbers(readings)
    shapes: dict[str, Counter[str]] = defaultdict(Counter)
    words: set[str] = set()
    for text, count in sorted(readings.items()):
        if not any(map(str.isdecimal, text)):
            words.add(text)
            continue
        parts = _numbers_of(text, beside)
        for part in parts:
            shapes[_shape(part)][part] += count
        if parts != [text]:
            words.add(text)
    seen = _digits_by_form(shapes)
    patterns = []
    for shape in sorted(shapes):
        texts = shapes[shape]
        if len(texts) >= FEWEST and len(shape) <= LONGEST:
            patterns.append(Weighted(_pattern(shape, texts, seen), float(sum(texts.values()))))
        else:
            words.update(text for text in texts if text in readings)
    return Wording(tuple(sorted(words)), tuple(_joined(patterns)))


def _words_beside_numbers(readings: Mapping[str, int]) -> frozenset[str]:
    """Return the words that several different readings hold beside a number: "Date:", "RM"."""
    counts: Counter[str] = Counter()
    for text in readings:
        if any(map(str.isdecimal, text)):
            counts.update({token for token in text.split() if not any(map(str.isdecimal, token))})
    return frozenset(token for token, count in counts.items() if count >= _COMMON_WORD)


def _numbers_of(text: str, beside: frozenset[str]) -> list[str]:
    """Return a reading as it is, if all its words are common, or else its numbers alone."""
    tokens = text.split()
    with_digit = [any(map(str.isdecimal, token)) for token in tokens]
    if all(digit or token in beside for token, digit in zip(tokens, with_digit, strict=True)):
        return [text]
    return [token for token, digit in zip(tokens, with_digit, strict=True) if digit]


def _shape(text: str) -> str:
    """Return a text with 9 for digits, and in tokens with digits A and a for letters."""
    return " ".join(map(_shape_of_token, text.split(" ")))


def _shape_of_token(token: str) -> str:
    if not any(map(str.isdecimal, token)):
        return token
    return "".join(map(_kind, token))


def _kind(character: str) -> str:
    if character.isdecimal():
        return "9"
    if character.isupper():
        return "A"
    return "a" if character.islower() else character


def _digits_by_form(shapes: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[str]]:
    """Return all numbers of each form ("99.99"), and how often each was read."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for shape, texts in shapes.items():
        for number in _NUMBER.finditer(shape):
            for text, count in texts.items():
                found[number[0]][text[number.start() : number.end()]] += count
    return found


def _pattern(shape: str, texts: Mapping[str, int], seen: Mapping[str, Counter[str]]) -> Template:
    """Return the pattern of texts of one shape, which are equally long."""
    columns = [frozenset(column) for column in zip(*texts, strict=True)]
    places = [one_of(_letters(column)) for column in columns]
    for number in _NUMBER.finditer(shape):
        alike = seen[number[0]]
        for at, column in enumerate(zip(*alike, strict=True), number.start()):
            places[at] = one_of(_digits(frozenset(column), len(alike), alike.total()))
    return Template.parse(_shortened(places))


def _digits(seen: frozenset[str], different: int, count: int) -> Sequence[str]:
    """Return what stands at a place of a number, seen in `count` numbers of which some are different."""
    if not all(map(str.isdecimal, seen)) or (len(seen) == 1 and different >= _ALWAYS):
        return sorted(seen)
    zero = ord(min(seen)) - int(min(seen))
    digits = [chr(zero + number) for number in range(10)]
    between = [one for one in digits if min(seen) <= one <= max(seen)]
    return between if count >= _SURE and len(between) <= _FEW_DIGITS else digits


def _letters(seen: frozenset[str]) -> Sequence[str]:
    """Return what stands at a place where these were seen: one letter is any letter of its case."""
    if len(seen) > 1:
        for letters in (_CAPITALS, _SMALL):
            if seen <= letters:
                return sorted(letters)
    return sorted(seen)


def _shortened(places: Sequence[str]) -> str:
    """Return places one after the other, equal ones as `[0-9]{3}`."""
    made, at = "", 0
    while at < len(places):
        end = at
        while end < len(places) and places[end] == places[at]:
            end += 1
        repeated = end - at
        made += (
            f"{places[at]}{{{repeated}}}"
            if repeated > 1 and places[at].startswith("[")
            else places[at] * repeated
        )
        at = end
    return made


def _joined(patterns: Iterable[Weighted]) -> list[Weighted]:
    """Return the patterns, those that came out alike as one."""
    weights: Counter[str] = Counter()
    templates: dict[str, Template] = {}
    for one in patterns:
        weights[one.template.source] += one.weight  # type: ignore[assignment]
        templates[one.template.source] = one.template
    return [Weighted(templates[source], float(weight)) for source, weight in sorted(weights.items())]
