"""Where the word of an edit is in a picture: as it was given, or where OCR reads it."""

from dataclasses import dataclass

import numpy as np

from siman_synth.editing.errors import EditError
from siman_synth.editing.quad import Image, Quad
from siman_synth.editing.task_file import EditTask
from siman_synth.ocr.comparison import as_typed, as_written, edit_similarity, spelled_as
from siman_synth.ocr.finder import FoundText, TextFinder

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A word that is to be changed."""

    quad: Quad | None
    """None for the whole picture."""
    old: str | None
    """What it says, if that is known."""
    note: str = ""
    """A sentence where another spelling than the one that was asked for was taken."""


def place_of(task: EditTask, image: Image, name: str, finder: list[TextFinder]) -> Place:
    """Return the place of an edit in a picture that messages call `name`.

    `finder` holds what looks for words, once it was needed.

    Raises:
        EditError: it is not there, or more than once; says what is.
    """
    if task.quad is not None and task.box is not None:
        raise EditError("A quadrilateral and a box were given for one word. Give one of them.")
    if task.quad is not None:
        return Place(Quad.of(np.reshape(task.quad, (-1, 2)), image), task.old)
    if task.box is not None:
        return Place(Quad.of_box(task.box, image), task.old)
    if task.old is None:
        return Place(None, None)
    if not finder:
        finder.append(TextFinder.load())
    found = _found(task.old, task.index, image, name, finder[0])
    height, width = image.shape[:2]
    quad = Quad.of(np.clip(found.quad, 0, (width, height)), image)
    read = found.reading.text
    if as_written(read) == as_written(task.old):
        return Place(quad, task.old)
    note = f"'{task.old}' is not in {name} as it is written; '{read}' at {_at(found)} was taken"
    return Place(quad, spelled_as(task.old, read), note)


def _found(old: str, index: int | None, image: Image, name: str, finder: TextFinder) -> FoundText:
    if not finder.can_write(old):
        raise EditError(
            f"OCR has no such letters, so '{old}' cannot be looked for in {name}. "
            "Give a quadrilateral or a box."
        )
    places, read = finder.matching(image, old)
    if not places:
        nearest = sorted(read, key=lambda text: -edit_similarity(as_typed(text), as_typed(old)))
        seen = ", ".join(f"'{text}'" for text in nearest[:_SHOWN]) or "no text"
        raise EditError(f"'{old}' was not found in {name}; OCR reads {seen}. Give a quadrilateral or a box.")
    if index is None and len(places) > 1:
        listed = "; ".join(
            f"{number}: {one.reading.text} at {_at(one)}" for number, one in enumerate(places, 1)
        )
        raise EditError(f"'{old}' is in {name} {len(places)} times ({listed}). Give an index.")
    index = index or 1
    if index > len(places):
        times = "once" if len(places) == 1 else f"{len(places)} times"
        raise EditError(f"'{old}' is in {name} {times}, so there is no index {index}.")
    return places[index - 1]


def _at(found: FoundText) -> str:
    x, y = np.mean(found.quad, axis=0)
    return f"{x:.0f},{y:.0f}"
