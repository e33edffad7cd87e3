"""Edits of photo files: found, made, judged, written; many in one go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from siman_synth import stopping
from siman_synth.editing.editor import EditResult, TextEditor
from siman_synth.editing.photo import Photo, check_output
from siman_synth.editing.places import place_of
from siman_synth.editing.sheet import Row, edit_sheet, sheet_row
from siman_synth.editing.task_file import EditTask, read_tasks
from siman_synth.errors import OutputError, SimanError
from siman_synth.files import write_bytes
from siman_synth.imaging.codec import encode_png
from siman_synth.ocr.finder import TextFinder
from siman_synth.render.fonts import FontLibrary
from siman_synth.several import Names
from siman_synth.text.languages import AUTO
from siman_synth.text.writing import writing_systems

__all__ = ["EditTask", "Outcome", "read_tasks", "run_tasks"]


@dataclass(slots=True)
class Outcome:
    """What came of the edits."""

    lines: list[str] = field(default_factory=list)
    """One an edit, and one a failure."""
    written: int = 0
    failed: int = 0
    misread: int = 0

    def to_text(self) -> str:
        """Return what a command prints."""
        lines = list(self.lines)
        if self.written + self.failed > 1:
            lines.append(f"{self.written} edited, {self.misread} of them misread, {self.failed} failed")
        return "\n".join(lines)


def run_tasks(
    tasks: Sequence[EditTask],
    fonts: Names = (),
    weights: Path | None = None,
    device: str = "auto",
    sheet: Path | None = None,
    language: str = AUTO,
    *,
    one: bool = False,
) -> Outcome:
    """Make edits and write their pictures; a picture that cannot be made is named, and the others are made.

    Args:
        tasks: the edits; those of the same photo and output follow one another in one picture.
        fonts: as `FontLibrary.open` takes them; none for the bundled ones, with those of the words' scripts.
        weights: a weights file, None for the bundled one.
        device: where the network runs.
        sheet: where to write a picture of all edits.
        language: BCP 47 code of the words, which says how bundled fonts write Chinese characters.
        one: raise what goes wrong instead of naming it.

    Raises:
        SimanError: nothing can be done at all.
    """
    if sheet is not None:
        check_output(sheet)
        if sheet.suffix.lower() != ".png":
            raise OutputError(f"Cannot write {sheet}: the sheet ends in .png.")
    outcome = Outcome()
    groups = _grouped(tasks)
    if one:
        for _, out in groups:
            check_output(out)
    words = "".join(f"{task.text}{task.old or ''}" for task in tasks)
    library = FontLibrary.open(fonts, writing_systems(words, language)) if fonts else None
    editor = TextEditor.load(weights, library, device, language=language)
    finder: list[TextFinder] = []
    shown: list[Row] = []
    bar = tqdm(groups.items(), desc="editing", unit="photo", disable=None if not one else True)
    for (path, out), group in bar:
        stopping.check()
        try:
            check_output(out)
            photo = Photo.open(path)
            results, notes = _edited(editor, photo, group, finder)
            photo.write(results[-1].image, out)
        except SimanError as error:
            if one:
                raise
            outcome.failed += 1
            rows = ", ".join(str(task.row) for task in group)
            outcome.lines.append(f"line {rows}: {error}")
            continue
        outcome.written += 1
        outcome.misread += any(result.is_read is False for result in results)
        outcome.lines += [*notes, *(_said(out, result) for result in results)]
        if sheet is not None:
            pictures = [photo.image, *(result.image for result in results)]
            shown += [
                sheet_row(before, result) for before, result in zip(pictures[:-1], results, strict=True)
            ]
    if sheet is not None and shown:
        write_bytes(sheet, encode_png(np.asarray(edit_sheet(shown))))
        outcome.lines.append(f"before, after and mask in {sheet}")
    return outcome


def _grouped(tasks: Sequence[EditTask]) -> dict[tuple[Path, Path], list[EditTask]]:
    groups: dict[tuple[Path, Path], list[EditTask]] = {}
    for task in tasks:
        groups.setdefault((task.photo, task.out), []).append(task)
    return groups


def _edited(
    editor: TextEditor, photo: Photo, tasks: Sequence[EditTask], finder: list[TextFinder]
) -> tuple[list[EditResult], list[str]]:
    """Return what came of the edits of a photo, and what is to be said of where they were made."""
    image, results, notes = photo.image, [], []
    for task in tasks:
        place = place_of(task, image, photo.name, finder)
        result = editor.edit(image, place.quad, task.text, old=place.old, width=task.width, align=task.align)
        results.append(result)
        notes += [place.note] if place.note else []
        image = result.image
    return results, notes


def _said(out: Path, result: EditResult) -> str:
    parts = [f"{result.old or 'the word'} -> {result.text} in {out}"]
    parts.append(f"font {result.font.id} (likeness {result.likeness:.2f})")
    if result.condensed < 0.995:
        parts.append(f"condensed to {result.condensed:.0%}")
    if result.reading is None:
        parts.append("not read back: OCR is not installed")
    elif result.is_read is None:
        parts.append("not judged: OCR has no such letters")
    else:
        verdict = "read" if result.is_read else "MISREAD"
        parts.append(f"{verdict} '{result.reading.text}' with score {result.reading.score:.2f}")
    return ", ".join(parts)
