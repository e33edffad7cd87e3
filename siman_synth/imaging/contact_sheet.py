"""One picture of many word images with their labels, flowing in rows like words in a text."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from siman_synth.bidi import visual_runs
from siman_synth.escaping import printable
from siman_synth.resources import resource_folder

_BACKGROUND = (250, 250, 248)
_INK = (40, 40, 40)
_FRAME = (222, 222, 218)
_MARGIN_PX = 14
_GAP_PX = 12
_LONGEST_CAPTION = 400
_DIRECTIONS = ("ltr", "rtl")
_NOT_A_CHARACTER = "\U0010ffff"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


_Caption = list[tuple[str, Font]]
"""Parts that follow each other, each in a font that has its characters."""


@dataclass(frozen=True, slots=True)
class _Cell:
    image: Image.Image
    caption: "_Caption"
    width_px: int


def contact_sheet(
    images: Sequence[npt.NDArray[np.uint8]],
    captions: Sequence[str] | None = None,
    *,
    width_px: int = 1200,
    row_height_px: int = 48,
    caption_px: int = 14,
    columns: int | None = None,
    fonts: Sequence[Path] = (),
) -> Image.Image:
    """Draw `images` in rows on a light background, each with its caption below.

    Args:
        images: uint8 (H, W, 3) RGB or (H, W) gray, of any sizes; each is shown
            `row_height_px` high (less if it would be wider than the sheet).
        captions: one for each image, or None for no captions.
        width_px: width of the sheet; its height follows.
        caption_px: size of the captions' font.
        columns: at most so many images a row; None lets the width decide.
        fonts: for what of the captions the bundled fonts have not.

    Raises:
        ValueError: captions and images differ in number.
    """
    if captions is not None and len(captions) != len(images):
        raise ValueError(f"{len(images)} images need as many captions, found {len(captions)}.")
    room_px = width_px - 2 * _MARGIN_PX
    texts = captions if captions is not None else [""] * len(images)
    cells = [
        _cell(image, text, room_px, row_height_px, caption_px, tuple(map(str, fonts)))
        for image, text in zip(images, texts, strict=True)
    ]
    rows = list(_flow(cells, room_px, columns))
    line_px = row_height_px + _GAP_PX + (round(1.6 * caption_px) if captions is not None else 0)
    sheet = Image.new("RGB", (width_px, max(1, len(rows)) * line_px + 2 * _MARGIN_PX - _GAP_PX), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for row_number, row in enumerate(rows):
        left, top = _MARGIN_PX, _MARGIN_PX + row_number * line_px
        for cell in row:
            image_left = left + (cell.width_px - cell.image.width) // 2
            image_top = top + row_height_px - cell.image.height
            sheet.paste(cell.image, (image_left, image_top))
            # Without an outline a pale image has no visible end on the pale sheet.
            right, bottom = image_left + cell.image.width, image_top + cell.image.height
            draw.rectangle((image_left - 1, image_top - 1, right, bottom), outline=_FRAME)
            text_left = left + (cell.width_px - _width(cell.caption)) // 2
            # One baseline for fonts of different heights.
            baseline = top + row_height_px + round(1.2 * caption_px)
            for text, font, direction in _visual(cell.caption):
                place = text_left, baseline
                draw.text(place, text, fill=_INK, font=font, anchor="ls", direction=direction)
                text_left += _text_width(font, text)
            left += cell.width_px + _GAP_PX
    return sheet


def _cell(
    image: npt.NDArray[np.uint8],
    text: str,
    room_px: int,
    height_px: int,
    caption_px: int,
    fonts: tuple[str, ...],
) -> _Cell:
    height, width = image.shape[:2]
    scale = min(height_px / height, room_px / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    resized = Image.fromarray(image).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    text = printable(text, _LONGEST_CAPTION)
    caption = _fit(text, caption_px, room_px, fonts)
    return _Cell(resized, caption, max(size[0], _width(caption)))


def _flow(cells: Sequence[_Cell], room_px: int, columns: int | None) -> Iterator[list[_Cell]]:
    row: list[_Cell] = []
    used_px = 0
    for cell in cells:
        if row and (used_px + cell.width_px > room_px or len(row) == columns):
            yield row
            row, used_px = [], 0
        row.append(cell)
        used_px += cell.width_px + _GAP_PX
    if row:
        yield row


def _fit(text: str, size_px: int, room_px: int, fonts: tuple[str, ...]) -> _Caption:
    caption = _caption(text, size_px, fonts)
    shorter = text
    while shorter and _width(caption) > room_px:
        shorter = shorter[:-1]
        caption = _caption(shorter + "…", size_px, fonts)
    return caption


def _width(caption: _Caption) -> int:
    return sum(_text_width(font, text) for text, font in caption)


def _text_width(font: Font, text: str) -> int:
    return int(np.ceil(font.getlength(text))) if text else 0


def _caption(text: str, size_px: int, fonts: tuple[str, ...]) -> _Caption:
    """Return `text` in the built-in font if it has every character, else in one that has, else in several.

    Each part then is as long as a font allows. What no font has is shown as a code point, which says
    more than an empty box.
    """
    if not text:
        return []
    default = _default_font(size_px)
    if _has_all(default, text):
        return [(text, default)]
    known = [font for path in (*_bundled_fonts(), *fonts) if (font := _opened_font(path, size_px))]
    for font in known:
        if _has_all(font, text):
            return [(text, font)]
    caption: _Caption = []
    while text:
        lengths = [_beginning(text, font) for font in (default, *known)]
        best = int(np.argmax(lengths))
        if lengths[best]:
            part, font = text[: lengths[best]], (default, *known)[best]
        else:
            part, font = text[:1], default
        shown = part if lengths[best] else f"\\u{ord(part):04x}"
        if caption and caption[-1][1] is font:
            caption[-1] = (caption[-1][0] + shown, font)
        else:
            caption.append((shown, font))
        text = text[len(part) :]
    return caption


def _visual(caption: _Caption) -> Iterator[tuple[str, Font, str | None]]:
    """Yield the parts from left to right, each with the way it runs; None where the whole is one part."""
    if len(caption) == 1:
        yield *caption[0], None
        return
    ends = list(accumulate(len(text) for text, _ in caption))
    whole = "".join(text for text, _ in caption)
    for first, end, level in visual_runs(whole):
        cuts = [first, *(cut for cut in ends if first < cut < end), end]
        pieces = [
            (whole[start:stop], caption[bisect_right(ends, start)][1]) for start, stop in pairwise(cuts)
        ]
        for text, font in reversed(pieces) if level % 2 else pieces:
            yield text, font, _DIRECTIONS[level % 2] if _takes_directions(font) else None


def _takes_directions(font: Font) -> bool:
    """Whether letters of a font are laid out by raqm, which Pillow may be built without."""
    return isinstance(font, ImageFont.FreeTypeFont) and font.layout_engine == ImageFont.Layout.RAQM


def _beginning(text: str, font: Font) -> int:
    """Return how many characters at the beginning of `text` a font has."""
    return next((number for number, one in enumerate(text) if not _has(font, one)), len(text))


@lru_cache(maxsize=8)
def _default_font(size_px: int) -> Font:
    return ImageFont.load_default(size_px)


@lru_cache(maxsize=1)
def _bundled_fonts() -> tuple[str, ...]:
    try:
        folder = resource_folder("fonts")
    except FileNotFoundError:
        return ()
    paths = sorted(folder.rglob("*.[to]tf"), key=_plainness)
    return tuple(str(path) for path in paths)


def _plainness(path: Path) -> tuple[bool, bool, str]:
    """Plain sans serifs first: a caption in a display face is hard to read."""
    return "sans" not in path.parent.name, "Bold" in path.name, str(path)


@lru_cache(maxsize=256)
def _opened_font(path: str, size_px: int) -> Font | None:
    try:
        return ImageFont.truetype(path, size_px)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _has(font: Font, character: str) -> bool:
    # A missing character is drawn as .notdef, which is what a code point nobody may use gives.
    if character == " ":
        return True
    mask, missing = font.getmask(character), font.getmask(_NOT_A_CHARACTER)
    return bool(mask.size != missing.size or bytes(mask) != bytes(missing))


def _has_all(font: Font, text: str) -> bool:
    return all(_has(font, character) for character in text)
