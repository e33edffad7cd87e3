"""Which way each character of a line runs: the Unicode Bidirectional Algorithm (UAX #9).

The levels are those of python-bidi (the Rust crate unicode-bidi); a line is never broken here, so
what is left are the annex's rules L1 and L2.
"""

import re
import unicodedata
from collections.abc import Sequence

from bidi import get_display

_TURNING = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "FSI"})
_AT_THE_END = frozenset({"WS", "S", "B", "LRI", "RLI", "FSI", "PDI", "BN", "LRE", "RLE", "LRO", "RLO", "PDF"})
_LEVEL = re.compile(r"Level\(\s*(\d+),?\s*\)")

Run = tuple[int, int, int]
"""First character, the one after the last, and level: odd ones run to the left."""


def visual_runs(text: str) -> list[Run]:
    """Return the runs of one direction in `text`, from left to right.

    The direction of the line is that of its first strong character, rightwards if it has none.
    """
    if text.isascii() or not any(unicodedata.bidirectional(character) in _TURNING for character in text):
        return [(0, len(text), 0)] if text else []
    runs: list[Run] = []
    for index, level in enumerate(embedding_levels(text)):
        if runs and runs[-1][2] == level:
            runs[-1] = (runs[-1][0], index + 1, level)
        else:
            runs.append((index, index + 1, level))
    return _reordered(runs)


def runs_left(text: str) -> bool:
    """Whether a line of `text` begins at the right: by its first strong character (UAX #9, P2 and P3)."""
    strong = (unicodedata.bidirectional(one) for one in text)
    return next((one for one in strong if one in ("L", "R", "AL")), "L") != "L"


def embedding_levels(text: str) -> list[int]:
    """Return the level of each character."""
    # "debug" is what python-bidi calls returning levels, as the crate prints them: one a byte of
    # UTF-8, then one of the paragraph.
    found = [int(level) for level in _LEVEL.findall(get_display(text, debug=True))]
    sizes = [len(character.encode()) for character in text]
    if len(found) != sum(sizes) + 1:
        raise ValueError(f"python-bidi returned {len(found)} levels for {sum(sizes)} bytes of {text!r}.")
    levels = [found[sum(sizes[:index])] for index in range(len(sizes))]
    for index in range(len(text) - 1, -1, -1):  # L1
        if unicodedata.bidirectional(text[index]) not in _AT_THE_END:
            break
        levels[index] = found[-1]
    return levels


def _reordered(runs: Sequence[Run]) -> list[Run]:
    """Return runs in the order in which they stand on the line (L2)."""
    placed = list(runs)
    for level in range(max(run[2] for run in runs), 0, -1):
        start = 0
        while start < len(placed):
            end = start
            while end < len(placed) and placed[end][2] >= level:
                end += 1
            placed[start:end] = placed[start:end][::-1]
            start = max(end, start + 1)
    return placed
