"""Ink that grew until letters are blocks is refused: their label would be true of nothing that is seen."""

from dataclasses import replace

import numpy as np
import pytest

from siman_synth.render.boxes import Box
from siman_synth.render.dots import Dots
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.framing import Framing
from siman_synth.render.ground import LEAST, ground_left
from siman_synth.render.layouts.straight import Straight
from siman_synth.render.letters import Letters
from siman_synth.render.wear import Wear
from siman_synth.render.word import ContentPlan, WordRenderer

FONT = "jersey-15/Jersey15_400Regular"


@pytest.fixture(scope="module")
def renderer() -> WordRenderer:
    return WordRenderer(FontLibrary.open(["Jersey 15"]))


@pytest.fixture
def closed() -> ContentPlan:
    """Return the plan of a word of which nothing could be seen but a block of ink."""
    return ContentPlan(
        "HOCK",
        FONT,
        Straight(),
        Framing(-0.0118, -0.0074, -0.0156, -0.0173, "ink", 0.8),
        32,
        4,
        letters=Letters(1.5478, 0.0, 0.0259, 868126141, 1.9737),
        dots=Dots(21.7662, 1.0061, 1.3034, 0.0739, 0.0427, -1.0, 1493364700),
        wear=Wear(bleed=0.417, seed=1567592232),
    )


def test_letters_that_ink_closed_are_refused(renderer: WordRenderer, closed: ContentPlan) -> None:
    with pytest.raises(RenderError, match="closes the letters of 'HOCK' in font 'Jersey 15'") as caught:
        renderer.render(closed)
    assert caught.value.reason == "letters closed"


@pytest.mark.parametrize("grown", ["letters", "dots", "wear"])
def test_what_grew_a_little_is_drawn(renderer: WordRenderer, closed: ContentPlan, grown: str) -> None:
    plain = replace(closed, letters=Letters(), dots=Dots(), wear=Wear())
    less = {"letters": Letters(1.4), "dots": Dots(12, 1.0, 1.1), "wear": Wear(bleed=0.3)}[grown]
    plan = replace(plain, **{grown: less})  # type: ignore[arg-type]
    assert plan.grows
    assert not plain.grows
    assert renderer.render(plan).mask.any()


def test_ground_is_counted_in_the_boxes_of_characters_that_have_some() -> None:
    clean = np.zeros((10, 30), np.uint8)
    clean[:, 2:4] = clean[:, 6:8] = 255  # an H without its bar
    clean[:, 20:24] = 255  # an l
    boxes = (Box(0, 0, 10, 10), Box(10, 0, 20, 10), Box(20, 0, 24, 10))
    block = clean.copy()
    block[:, :10] = 255
    half = clean.copy()
    half[:5, :10] = 255
    assert ground_left(clean, clean, "H l", boxes) == 1
    assert ground_left(clean, half, "H l", boxes) == pytest.approx(0.5)
    assert ground_left(clean, block, "H l", boxes) == 0 < LEAST
    # Neither a space nor a block that is one in its font can lose any.
    assert (
        ground_left(
            clean[:, 10:], np.full_like(clean[:, 10:], 255), " l", (Box(0, 0, 10, 10), Box(10, 0, 14, 10))
        )
        == 1
    )
