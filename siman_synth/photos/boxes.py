"""Crops at places that a user knows: boxes by another detector, or by people, and what they say."""

import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from siman_synth.errors import ConfigError
from siman_synth.files import content_hash
from siman_synth.ocr.cut import cut, quad_of_box, size_of, turns_of
from siman_synth.ocr.detector import Quad
from siman_synth.ocr.recognizer import Image
from siman_synth.photos.finder import CropSettings, Piece, piece_problem, place_problem
from siman_synth.photos.pages import Page
from siman_synth.rows import Row, read_rows
from siman_synth.tally import Tally
from siman_synth.text.spaces import plain_spaces

_NAMES = ("photo", "quad", "box", "text", "score")
_MOST_BYTES = 256_000_000
_LEAVES = 0.25
"""A box may reach so much of its lower side beyond its photo: detectors add a margin."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a word or line stands in a photo."""

    quad: Quad
    text: str | None
    score: float | None
    row: int
    """Its line in the file that it comes from."""


@dataclass(frozen=True, slots=True)
class BoxFile:
    """A file of boxes, as it was read."""

    path: Path
    boxes: dict[str, list[Box]]
    """By what the file calls their photo, in its order."""
    digest: str

    @classmethod
    def read(cls, path: str | Path) -> "BoxFile":
        """Read CSV with a header, or JSON objects: `photo`, `quad` or `box`, and if known `text` and `score`.

        Raises:
            ConfigError: it cannot be read, or one of its lines is no box; says which and why.
        """
        path = Path(path)
        boxes: dict[str, list[Box]] = {}
        for row in read_rows(path, _NAMES, "box", ConfigError, _MOST_BYTES):
            boxes.setdefault(row.needed("photo"), []).append(_box(row))
        return cls(path, boxes, content_hash(path))

    def of_pages(self, pages: Sequence[Page], dropped: Tally) -> dict[Page, list[Box]]:
        """Return which boxes belong to which page; those of other photos are counted in `dropped`.

        A photo is called as below what was given, or by its path from the folder of the file.

        Raises:
            ConfigError: a name may mean two photos, or no photo has a box.
        """
        by_name: dict[str, list[Page]] = {}
        by_path: dict[str, Page] = {}
        for page in pages:
            by_name.setdefault(page.name, []).append(page)
            by_path[_place(page.path, page)] = page
        found: dict[Page, list[Box]] = {}
        for name, boxes in self.boxes.items():
            meant = {*by_name.get(name, ())}
            if (there := by_path.get(os.path.realpath(self.path.parent / name))) is not None:
                meant.add(there)
            if len(meant) > 1:
                listed = " or ".join(sorted(str(page.path) for page in meant))
                raise ConfigError(
                    f"{self.path}, line {boxes[0].row}: photo '{name}' may be {listed}. Cut them one after "
                    "the other."
                )
            if meant:
                found.setdefault(meant.pop(), []).extend(boxes)
            else:
                dropped.add("of a photo that was not given", name, len(boxes))
        if not found:
            raise ConfigError(
                f"{self.path} has no box of a photo that was given: it names '{next(iter(self.boxes))}', and "
                f"photos are called '{pages[0].name}'. Give names below the folder of photos, or paths from "
                f"the folder of {self.path.name}."
            )
        # Two spellings of one photo may be far apart in the file.
        return {page: sorted(boxes, key=lambda box: box.row) for page, boxes in found.items()}


class BoxCutter:
    """Cuts the boxes of photos; it may be used by several threads at once."""

    def __init__(self, boxes: dict[Page, list[Box]], settings: CropSettings) -> None:
        self._boxes = boxes
        self._settings = settings

    def pieces(self, photo: Image, dropped: Tally, page: Page) -> list[Piece]:
        """Return the usable crops of a photo; the others are counted in `dropped` by reason."""
        kept = []
        for box in self._boxes[page]:
            reason = place_problem(box.quad, box.score, self._settings) or _geometry_problem(box.quad, photo)
            if reason is None:
                # As it lies: the first corner of a quad says where its text begins, and an "l" stands.
                piece = Piece(cut(photo, box.quad), box.quad, box.score, None, box.text)
                reason = piece_problem(piece, self._settings)
                if reason is None:
                    kept.append(piece)
                    continue
            dropped.add(reason, page.name)
        return kept


def without_text(boxes: Iterable[Box]) -> list[int]:
    """Return the lines of boxes that say nothing."""
    return [box.row for box in boxes if box.text is None]


def _box(row: Row) -> Box:
    corners, upright = row.numbers("quad", 8), row.numbers("box", 4)
    if corners is not None and upright is not None:
        raise row.problem("a quad and a box for one word. Give one of them.")
    if upright is not None:
        quad = quad_of_box(upright)
    elif corners is not None:
        quad = tuple(zip(corners[::2], corners[1::2], strict=True))
    else:
        raise row.problem("a quad (8 numbers) or a box (x, y, width, height) is missing.")
    score = row.numbers("score", 1)
    if score is not None and not 0 <= score[0] <= 1:
        raise row.problem(f"score must be from 0 to 1, found {score[0]:g}.")
    text = unicodedata.normalize("NFC", plain_spaces(row.text("text") or "").strip())
    return Box(quad, text or None, score[0] if score else None, row.number)


def _geometry_problem(quad: Quad, photo: Image) -> str | None:
    height, width = photo.shape[:2]
    reach = _LEAVES * min(*size_of(quad), height, width)
    corners = np.array(quad)
    if (corners < -reach).any() or (corners > (width + reach, height + reach)).any():
        return "box that leaves its photo"
    turns = turns_of(quad)
    if max(turns) <= 0:
        return "corners that run counterclockwise"
    if min(turns) <= 0:
        return "corners that cross or make a dent"
    return None


def _place(path: Path, page: Page) -> str:
    return os.path.realpath(path) + ("" if page.number is None else f"#{page.number + 1}")
