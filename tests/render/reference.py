"""Lines drawn by Pillow with libraqm: FriBidi and HarfBuzz, put together by others."""

import os
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ImageFont, features

from siman_synth.render.face import Face
from siman_synth.render.outlines import fill
from siman_synth.render.shaping import shape_line
from siman_synth.render.vertical import ACROSS, Writing

EM_PX = 320

Mask = npt.NDArray[np.float64]


@cache
def font_file(name: str) -> Path:
    """Return an installed font by file name; skip the test where there is none."""
    for folder in _folders():
        if found := next(folder.rglob(name), None):
            return found
    pytest.skip(f"{name} is not here: apt install fonts-noto-core, or name its folder in SIMAN_TEST_FONTS")


def _folders() -> Iterator[Path]:
    if named := os.environ.get("SIMAN_TEST_FONTS"):
        yield Path(named)
    yield Path("/usr/share/fonts")
    spec = find_spec("matplotlib")  # brings DejaVu
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "mpl-data" / "fonts"


def agreement(path: Path, text: str, theirs_of: str | None = None, writing: Writing = ACROSS) -> float:
    """Return from 0 to 1 how much of the ink of both drawings is the same, downwards if we write so."""
    if not features.check("raqm"):
        pytest.skip("this Pillow has no libraqm")
    down = writing != ACROSS
    ours = np.rot90(drawn_here(path, text, writing), -1 if down else 0)
    theirs = drawn_by_pillow(path, theirs_of or text, "ttb" if down else None)
    shape = np.maximum(ours.shape, theirs.shape)
    one, other = _centred(ours, shape), _centred(theirs, shape)
    return float(2 * np.minimum(one, other).sum() / (one.sum() + other.sum()))


def drawn_here(path: Path, text: str, writing: Writing = ACROSS) -> Mask:
    """Return the ink (H, W) of a line as we shape it, EM_PX an em."""
    line = shape_line(text, Face(path), path.stem, writing=writing)
    low = np.floor(line.points.min(0) * EM_PX)
    width, height = (np.ceil(line.points.max(0) * EM_PX) - low).astype(int).tolist()
    return _cropped(fill(line.points * EM_PX - low, line.contour_ends, height, width))


def drawn_by_pillow(path: Path, text: str, direction: str | None = None) -> Mask:
    """Return the ink (H, W) of a line as Pillow draws it, at the same size."""
    font = ImageFont.truetype(str(path), EM_PX, layout_engine=ImageFont.Layout.RAQM)
    mask = font.getmask(text, mode="L", direction=direction)
    return _cropped(np.array(mask, np.uint8).reshape(mask.size[::-1]))


def _cropped(mask: npt.NDArray[np.uint8]) -> Mask:
    rows, columns = np.flatnonzero(mask.max(axis=1)), np.flatnonzero(mask.max(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float64) / 255


def _centred(mask: Mask, shape: npt.NDArray[np.int64]) -> Mask:
    before = (shape - mask.shape) // 2
    after = shape - mask.shape - before
    return np.pad(mask, list(zip(before.tolist(), after.tolist(), strict=True)))
