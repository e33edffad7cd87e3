"""Which font a word of unknown letters looks like, by the network's features."""

from collections.abc import Sequence

import cv2
import numpy as np

from siman_synth.editing.ink import Floats, mask_box
from siman_synth.editing.lettering import Outline, box_matrix, fill_mapped, set_line
from siman_synth.render.errors import RenderError
from siman_synth.render.fonts import FontLibrary
from siman_synth.render.shaping import shape_line
from siman_synth.synthesis.painter import Painter, plain_image

_SAMPLES = ("HANDSOME", "Rhinestone", "0123456789")
_HEIGHT_PX = 32
_INK_PX = 24
_MOST_ASPECT = 8


class FontLooks:
    """How the fonts of a library look to the network; read when it is first asked."""

    def __init__(self, fonts: FontLibrary, painter: Painter) -> None:
        self._fonts = fonts
        self._painter = painter
        self._names: list[str] = []
        self._looks = np.zeros((0, 0))

    def ranking(self, alpha: Floats, allowed: Sequence[str]) -> list[str]:
        """Return the allowed fonts, most alike to the ink (H, W), 0 to 1, first."""
        box = mask_box((alpha > 0.5).astype(np.uint8))
        if not self._names:
            self._read()
        among = [i for i, name in enumerate(self._names) if name in set(allowed)]
        if box is None or not among:
            return list(allowed)
        x0, y0, x1, y1 = (round(value) for value in box)
        look = self._described([_standard_photo(alpha[y0:y1, x0:x1])])[0]
        middle = self._looks.mean(0)
        wanted = _unit(look - middle)
        likeness: dict[str, float] = {}
        for i in among:
            name = self._names[i]
            likeness[name] = max(likeness.get(name, -1.0), float(_unit(self._looks[i] - middle) @ wanted))
        return sorted(likeness, key=lambda name: -likeness[name])

    def _read(self) -> None:
        names, masks = [], []
        for font in self._fonts.fonts:
            for text in _SAMPLES:
                try:
                    line = shape_line(text, self._fonts.face(font), font.family)
                except RenderError:
                    continue
                if len(line.points):
                    names.append(font.id)
                    masks.append(_standard(set_line(line, 0.0, 0.0)))
        self._looks = self._described(masks)
        self._names = names

    def _described(self, masks: Sequence[np.ndarray]) -> np.ndarray:
        return np.stack(self._painter.correlations([plain_image(mask) for mask in masks]))


def _standard(outline: Outline) -> np.ndarray:
    """Fill an outline so that its ink has the standard height."""
    left, bottom, right, top = outline.box
    width = round((right - left) / max(top - bottom, 1e-6) * _INK_PX)
    frame = _frame_width(width)
    x0, y0 = (frame - width) / 2, (_HEIGHT_PX - _INK_PX) / 2
    return fill_mapped(
        outline, box_matrix(outline.box, (x0, y0, x0 + width, y0 + _INK_PX)), _HEIGHT_PX, frame
    )


def _standard_photo(alpha: Floats) -> np.ndarray:
    """Bring the ink of a photo to the standard height."""
    height, width = alpha.shape
    wide = max(4, min(_MOST_ASPECT * _INK_PX, round(width / height * _INK_PX)))
    ink = cv2.resize(255 * alpha, (wide, _INK_PX), interpolation=cv2.INTER_AREA)
    frame = np.zeros((_HEIGHT_PX, _frame_width(wide)), np.uint8)
    x0, y0 = (frame.shape[1] - wide) // 2, (_HEIGHT_PX - _INK_PX) // 2
    frame[y0 : y0 + _INK_PX, x0 : x0 + wide] = np.rint(ink)
    return frame


def _frame_width(ink_px: int) -> int:
    return -(-(ink_px + 8) // 16) * 16


def _unit(vector: np.ndarray) -> np.ndarray:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9))
