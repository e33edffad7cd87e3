"""Which characters a reader sees, and how many of them he counts."""

import functools

import regex

_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5),
    (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default_Ignorable_Code_Point: joiners, variation selectors, marks of direction."""
_STACKERS = frozenset("\u1039\u17d2\u1a60\u1bab\uaaf6\U00010a3f\U00011133\U0001193e\U00011a47\U00011a99")
"""Signs that put the next consonant below and are not drawn themselves."""
_CLUSTER = regex.compile(r"\X")


@functools.lru_cache(maxsize=8192)
def needs_ink(character: str) -> bool:
    """Tell whether a character must be seen: spaces, joiners and signs for the shaping need not."""
    code = ord(character)
    if character.isspace() or character in _STACKERS:
        return False
    return not (code >= 0xAD and any(first <= code <= last for first, last in _IGNORABLE))


def length(text: str) -> int:
    """Return how many characters a reader counts: grapheme clusters, letters with all that stands on them."""
    return len(text) if text.isascii() else sum(1 for _ in _CLUSTER.finditer(text))
