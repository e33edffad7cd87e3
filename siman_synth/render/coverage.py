"""Which fonts draw a text: each is asked once for a character, and only if it draws those before it."""

from collections.abc import Callable, Iterable

Draws = Callable[[int, str], bool]
"""Takes the number of a font and a character."""


class Coverage:
    """Remembers which of `count` fonts draw which characters, a bit a font."""

    def __init__(self, count: int, draws: Draws) -> None:
        self._every = (1 << count) - 1
        self._draws = draws
        self._known: dict[str, tuple[int, int]] = {}

    def of(self, characters: Iterable[str]) -> list[int]:
        """Return the numbers of the fonts that draw all characters, ascending."""
        left = self._every
        for character in dict.fromkeys(characters):
            asked, drawing = self._known.get(character, (0, 0))
            if new := left & ~asked:
                drawing |= sum(1 << number for number in _bits(new) if self._draws(number, character))
                self._known[character] = asked | new, drawing
            left &= drawing
        return list(_bits(left))


def _bits(mask: int) -> Iterable[int]:
    """Yield the places of the bits that are set, ascending."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest
