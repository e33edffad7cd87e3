"""Which edge of the old word a shorter or longer one keeps: as who sets a line of type would choose."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from siman_synth.editing.alignment import Align, Side, Standing, side_of
from siman_synth.editing.editor import EditResult, TextEditor
from siman_synth.editing.errors import EditError
from siman_synth.editing.ink import separate
from siman_synth.editing.quad import Quad
from siman_synth.resources import resource_folder

# mypy: disable-error-code="no-untyped-def"

Box = tuple[int, int, int, int]
SIZE_PX = 40
MARGIN_PX = 6


def drawn(words: Sequence[tuple[str, int, int, str]]) -> tuple[np.ndarray, list[Box]]:
    """Draw words at x, y of their baseline and an anchor; return the photo and their boxes."""
    photo = Image.new("RGB", (640, 300), (228, 224, 210))
    draw = ImageDraw.Draw(photo)
    font = ImageFont.truetype(resource_folder("fonts") / "roboto/Roboto_900Black.ttf", SIZE_PX)
    boxes = []
    for text, x, y, anchor in words:
        alone = Image.new("L", photo.size)
        ImageDraw.Draw(alone).text((x, y), text, 255, font, anchor)
        draw.text((x, y), text, (30, 40, 90), font, anchor)
        boxes.append(alone.getbbox())
    noise = np.random.default_rng(0).normal(0, 2, (300, 640, 1))
    return np.clip(np.asarray(photo) + noise, 0, 255).astype(np.uint8), boxes  # type: ignore[return-value]


LINE = (("NO", 60, 160, "ls"), ("PARKING", 140, 160, "ls"), ("HERE", 332, 160, "ls"))
SIGN = (("NO", 320, 90, "ms"), ("PARKING", 320, 150, "ms"), ("TODAY", 320, 210, "ms"))
LIST = (("Breakfast", 80, 90, "ls"), ("Tea", 80, 150, "ls"), ("Cakes", 80, 210, "ls"))
PRICES = (("12.00", 560, 90, "rs"), ("7.50", 560, 150, "rs"), ("112.00", 560, 210, "rs"))


def side(words, number: int, align: Align = "auto", text: str = "A", tilt: float = 0.0) -> Side:
    photo, boxes = drawn(words)
    x0, y0, x1, y1 = boxes[number]
    corners = np.array(
        [
            (x0 - MARGIN_PX, y0 - MARGIN_PX),
            (x1 + MARGIN_PX, y0 - MARGIN_PX),
            (x1 + MARGIN_PX, y1 + MARGIN_PX),
            (x0 - MARGIN_PX, y1 + MARGIN_PX),
        ],
        float,
    )
    if tilt:
        angle, (x, y) = np.radians(tilt), (320, 150)
        photo = np.asarray(
            Image.fromarray(photo).rotate(-tilt, Image.Resampling.BICUBIC, fillcolor=(228, 224, 210))
        )
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = (corners - (x, y)) @ turn.T + (x, y)
    quad = Quad.of(corners, photo)
    level = quad.rectified(photo)
    layers = separate(level, (level[..., 0] < 130).astype(np.uint8))
    baseline = y1 - y0 + MARGIN_PX
    matrix = np.array([[SIZE_PX, 0, MARGIN_PX], [0, -SIZE_PX, baseline], [0, 0, 1]], float)
    standing = Standing.of(matrix, (MARGIN_PX, MARGIN_PX + x1 - x0))
    return side_of(align, text, photo, quad, layers, standing)


@pytest.mark.parametrize("tilt", [0.0, 8.0])
@pytest.mark.parametrize(
    ("words", "number", "expected"),
    [
        (LINE, 0, "left"),
        (LINE, 1, "left"),
        (LINE, 2, "left"),
        (SIGN, 0, "center"),
        (SIGN, 1, "center"),
        (SIGN, 2, "center"),
        (LIST, 1, "left"),
        (LIST, 2, "left"),
        (PRICES, 0, "right"),
        (PRICES, 1, "right"),
        (LIST + PRICES, 1, "left"),
        (LIST + PRICES, 4, "right"),
        (LINE[:1], 0, "center"),
    ],
)
def test_the_edge_that_a_person_would_keep(words, number: int, expected: Side, tilt: float) -> None:
    assert side(words, number, tilt=tilt) == expected


def test_scripts_that_run_to_the_left_start_at_the_right() -> None:
    assert side(LINE, 1, text="שלום") == "right"
    assert side(LINE, 1, text="7 سلام") == "right"
    assert side(SIGN, 1, text="שלום") == "center"
    assert [side(SIGN, 1, align, "שלום") for align in get_args(Align)[1:]] == ["right", "center", "left"]
    assert [side(LINE, 1, align, "OPEN") for align in get_args(Align)[1:]] == ["left", "center", "right"]


def inked(result: EditResult) -> tuple[int, int]:
    columns = np.flatnonzero((result.word > 127).any(0))
    return int(columns[0]), int(columns[-1]) + 1


@pytest.mark.parametrize(
    ("align", "edges"), [("auto", "left"), ("start", "left"), ("center", "both"), ("end", "right")]
)
def test_a_shorter_word_keeps_one_gap(editor: TextEditor, align: Align, edges: str) -> None:
    photo, boxes = drawn(LINE)
    x0, y0, x1, y1 = boxes[1]
    corners = [(x0 - 6, y0 - 6), (x1 + 6, y0 - 6), (x1 + 6, y1 + 6), (x0 - 6, y1 + 6)]
    result = editor.edit(photo, corners, "FUN", old="PARKING", align=align)
    left, right = inked(result)
    if edges != "right":
        assert (abs(left - x0) <= 2) == (edges == "left")
    if edges != "left":
        assert (abs(right - x1) <= 2) == (edges == "right")
    if edges == "both":
        assert (left + right) / 2 == pytest.approx((x0 + x1) / 2, abs=2)


def test_a_longer_word_leaves_its_edge_only_where_there_is_no_room(editor: TextEditor) -> None:
    photo, boxes = drawn(LINE[1:2])
    x0, y0, x1, y1 = boxes[0]
    roomy = [(x0 - 60, y0 - 6), (x1 + 150, y0 - 6), (x1 + 150, y1 + 6), (x0 - 60, y1 + 6)]
    left, right = inked(editor.edit(photo, roomy, "PARKINGS", old="PARKING", align="start"))
    assert abs(left - x0) <= 2
    assert right > x1 + 10
    tight = [(x0 - 60, y0 - 6), (x1 + 6, y0 - 6), (x1 + 6, y1 + 6), (x0 - 60, y1 + 6)]
    left, right = inked(editor.edit(photo, tight, "PARKINGS", old="PARKING", align="start"))
    assert x0 - 60 <= left < x0 - 10
    assert right <= x1 + 6


def test_what_is_no_alignment(editor: TextEditor) -> None:
    with pytest.raises(EditError) as caught:
        editor.edit(np.zeros((40, 90, 3), np.uint8), None, "A", align="left")  # type: ignore[arg-type]
    assert str(caught.value) == "align must be one of auto, start, center, end, found 'left'."
