"""Before, after, and what was painted, in one picture."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from siman_synth.editing.editor import EditResult
from siman_synth.imaging.contact_sheet import contact_sheet

_CONTEXT = 1.0
_ROW_PX = 240


def edit_sheet(before: np.ndarray, results: Sequence[EditResult]) -> Image.Image:
    """Draw each edit in a row: its place before, after, and the mask of what was painted anew.

    `before`, uint8 (H, W, 3), is the picture before the first edit; edits follow one another.
    """
    pictures, captions = [], []
    for result in results:
        x0, y0, x1, y1 = result.quad.bounds(before, _CONTEXT * result.quad.size[1])
        outlined = np.repeat(result.mask[y0:y1, x0:x1, None], 3, axis=2)
        corners = np.rint(result.quad.points - (x0, y0)).astype(np.int32)
        thickness = max(1, round(result.quad.size[1] / 60))
        cv2.polylines(outlined, [corners], True, (230, 120, 40), thickness, cv2.LINE_AA)
        pictures += [before[y0:y1, x0:x1], result.image[y0:y1, x0:x1], outlined]
        read = "" if result.reading is None else f", read {result.reading.text or 'nothing'}"
        captions += [result.old or "before", result.text + read, f"painted anew, font {result.font.id}"]
        before = result.image
    return contact_sheet(pictures, captions, row_height_px=_ROW_PX, width_px=1800, columns=3)
