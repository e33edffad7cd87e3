"""Fonts are asked once for a character, and are found as if each were asked every time."""

import numpy as np

from siman_synth.render.coverage import Coverage
from siman_synth.render.fonts import FontLibrary

ALPHABETS = ("abc", "abcde", "ade", "", "xyz")


def draws(number: int, character: str) -> bool:
    return character in ALPHABETS[number]


def test_the_fonts_that_draw_every_character_are_found() -> None:
    coverage = Coverage(len(ALPHABETS), draws)
    rng = np.random.default_rng(0)
    for _ in range(200):
        text = "".join(rng.choice(list("abcdexq"), int(rng.integers(1, 5))))
        plainly = [i for i in range(len(ALPHABETS)) if all(draws(i, one) for one in text)]
        assert coverage.of(text) == plainly


def test_no_font_is_asked_twice_nor_after_it_lacked_a_character() -> None:
    asked: list[tuple[int, str]] = []

    def noted(number: int, character: str) -> bool:
        asked.append((number, character))
        return draws(number, character)

    coverage = Coverage(len(ALPHABETS), noted)
    assert coverage.of("add") == [1, 2]
    assert asked == [*((i, "a") for i in range(5)), *((i, "d") for i in (0, 1, 2))]
    for text in ("add", "dad", "aad"):
        coverage.of(text)
    assert len(asked) == 5 + 3 + 2  # "dad" asks the two fonts that "a" had ruled out
    coverage.of("ad")
    assert len(asked) == 5 + 3 + 2


def test_a_library_finds_what_its_fonts_draw_whatever_was_asked_before() -> None:
    library = FontLibrary.open(["bebas-neue", "lobster", "roboto"])
    for text in ("Sea 12", "SEA", "é", "SEA é", "字", "Sea"):
        plainly = [
            font for font in library.fonts if all(library.face(font).draws(one) for one in text if one != " ")
        ]
        assert list(library.covering(text)) == plainly
    assert library.covering(" ") == ()
