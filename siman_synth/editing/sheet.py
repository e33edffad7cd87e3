"""Before, after, and what was painted, in one picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from siman_synth.editing.editor import EditResult
from siman_synth.imaging.contact_sheet import contact_sheet

_CONTEXT = 1.0
_ROW_PX = 200
_WIDEST_PX = 640
_EDGES_PX = 80
"""Margins of the sheet and gaps between its pictures."""


@dataclass(frozen=True, slots=True)
class Row:
    """One edit on a sheet."""

    pictures: tuple[np.ndarray, np.ndarray, np.ndarray]
    captions: tuple[str, str, str]


def sheet_row(before: np.ndarray, result: EditResult) -> Row:
    """Cut an edit's place, with as much around it as it is high, out of before, after and mask."""
    x0, y0, x1, y1 = result.quad.bounds(before, _CONTEXT * result.quad.size[1])
    mask = np.repeat(result.mask[y0:y1, x0:x1, None], 3, axis=2)
    corners = np.rint(result.quad.points - (x0, y0)).astype(np.int32)
    thickness = max(1, round(result.quad.size[1] / 60))
    cv2.polylines(mask, [corners], True, (230, 120, 40), thickness, cv2.LINE_AA)
    judged = None if result.is_read is None else result.reading
    read = "" if judged is None else f", read {judged.text or 'nothing'}"
    cuts = before[y0:y1, x0:x1].copy(), result.image[y0:y1, x0:x1].copy(), mask
    captions = result.old or "before", result.text + read, result.font.id
    return Row(cuts, captions)


def edit_sheet(rows: Sequence[Row]) -> Image.Image:
    """Draw edits below one another."""
    widest = max(_shown_px(row.pictures[0]) for row in rows)
    pictures = [_fitted(picture) for row in rows for picture in row.pictures]
    captions = [caption for row in rows for caption in row.captions]
    width = 3 * widest + _EDGES_PX
    return contact_sheet(pictures, captions, row_height_px=_ROW_PX, width_px=width, columns=3)


def _shown_px(picture: np.ndarray) -> int:
    height, width = picture.shape[:2]
    return min(_WIDEST_PX, round(int(width) * _ROW_PX / int(height)))


def _fitted(picture: np.ndarray) -> np.ndarray:
    """Add ground above pictures that would be wider than their column."""
    height, width = picture.shape[:2]
    wanted = round(width * _ROW_PX / _WIDEST_PX)
    if height >= wanted:
        return picture
    return np.pad(picture, ((wanted - height, 0), (0, 0), (0, 0)), constant_values=250)
