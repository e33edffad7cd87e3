"""Strips of interpolated words as files."""

from pathlib import Path
from typing import cast

import numpy as np

from siman_synth.editing.editor import installed_ocr
from siman_synth.editing.errors import EditError
from siman_synth.editing.interpolation import Interpolator, Strip, Way
from siman_synth.editing.photo import check_output
from siman_synth.errors import FontError, OutputError
from siman_synth.files import write_bytes
from siman_synth.imaging.codec import encode_png
from siman_synth.imaging.decode import decode_crop, read_picture
from siman_synth.imaging.resize import resize_to_height
from siman_synth.render.font_files import scripts_of_bundled_fonts
from siman_synth.render.fonts import FontLibrary
from siman_synth.synthesis.style import Style
from siman_synth.text.spaces import label_of
from siman_synth.text.visible import length, needs_ink
from siman_synth.text.writing import writing_systems

_FONT = "open-sans/OpenSans_400Regular"
_ROW_PX = 64
_LONGEST = 100
"""Characters of a word: every picture of the way is held at once, thirty-three of them at two levels."""
_GAP_PX = 8


def draw_strip(
    text: str,
    first: Path,
    last: Path,
    fonts: tuple[str, str] | None,
    steps: int,
    mix: str,
    even: bool,
    weights: Path | None,
    device: str,
    out: Path,
) -> str:
    """Write a strip from one crop's look to another's; returns what to print.

    Raises:
        SimanError: it cannot be made or written.
    """
    check_output(out)
    if out.suffix.lower() != ".png":
        raise OutputError(f"Cannot write {out}: strips end in .png.")
    label = label_of(text)
    if not any(map(needs_ink, label)):
        raise EditError(f"There is nothing to write in {text!r}. Give a visible character.")
    if (count := length(label)) > _LONGEST:
        raise EditError(
            f"The word has {count} characters, and a strip takes {_LONGEST} at most. Give a shorter one."
        )
    plain = _plain_font(label)
    library, names = open_pair(fonts or (plain, plain), label)
    interpolator = Interpolator.load(weights, library, device, installed_ocr())
    height = interpolator.height_px
    pictures = [decode_crop(read_picture(path, str(path)), str(path)) for path in (first, last)]
    looks = [
        Style.from_image(picture, str(path), height)
        for picture, path in zip(pictures, (first, last), strict=True)
    ]
    strip = interpolator.strip(label, (looks[0], looks[1]), names, steps, cast(Way, mix), even)
    try:
        write_bytes(out, encode_png(joined([looks[0].image, *strip.images, looks[1].image])))
    except OSError as error:
        raise OutputError(f"Cannot write {out}: {error.strerror}. Choose another output.") from error
    return "\n".join([*told(strip, label), f"strip in {out}: the first crop, {steps} steps, the last crop"])


def _plain_font(label: str) -> str:
    """Return the id of a bundled font without serifs for a label's script; Open Sans where it will do."""
    if any(font.id == _FONT for font in FontLibrary.open(_FONT.split("/")[0]).covering(label)):
        return _FONT
    scripts = writing_systems(label), scripts_of_bundled_fonts()
    fonts = next(filter(None, (FontLibrary.open(scripts=some).covering(label) for some in scripts)), ())
    plain = [font.id for font in fonts if font.kind == "sans"]
    return next(iter([*plain, *(font.id for font in fonts)]), _FONT)


def open_pair(names: tuple[str, str], text: str) -> tuple[FontLibrary, tuple[str, str]]:
    """Open two fonts, each a bundled family or font, or a file; returns them and their ids.

    Raises:
        FontError: there is no such font, or it does not draw the text.
    """
    found: list[FontLibrary] = []
    for name in names:
        family = name.split("/")[0] if name.count("/") == 1 and not Path(name).exists() else name
        library = FontLibrary.open(family)
        chosen = [font for font in library.covering(text) if family == name or font.id == name]
        if not chosen:
            if family != name and all(font.id != name for font in library.fonts):
                raise FontError(
                    f"There is no font '{name}'. Of that family there are "
                    f"{', '.join(font.id for font in library.fonts)}."
                )
            raise FontError(library.explain(text))
        found.append(
            library.without([font for font in library.fonts if font.id != chosen[0].id], "not asked for")
        )
    ids = found[0].fonts[0].id, found[1].fonts[0].id
    if ids[0] == ids[1]:
        return found[0], ids
    both = [found[0].fonts[0], found[1].fonts[0]]
    return FontLibrary(both, found[0].skipped, bundled=False), ids


def joined(images: list[np.ndarray]) -> np.ndarray:
    """Put pictures side by side, all of one height, on white."""
    scaled = [resize_to_height(image, _ROW_PX) for image in images]
    gap = np.full((_ROW_PX, _GAP_PX, 3), 255, np.uint8)
    parts = [part for image in scaled for part in (gap, image)][1:]
    return np.concatenate(parts, axis=1)


def told(strip: Strip, text: str) -> list[str]:
    """Return how even a strip is and how much of it is read, in sentences."""
    letters = {None: "", True: ", letters mixed as outlines", False: ", letters mixed as features"}
    shares = ", ".join(f"{share:.2f}" for share in strip.shares)
    lines = [
        f"shares {shares}{letters[strip.outlines]}",
        f"longest step {strip.unevenness:.2f} times the mean; the way is {strip.detour:.2f} times the "
        "distance of its ends",
    ]
    if strip.readings:
        lines.append(f"OCR reads {sum(strip.are_read)} of {len(strip.images)} as '{text}'")
    else:
        lines.append("not read back: OCR is not installed, or has no such letters")
    return lines
