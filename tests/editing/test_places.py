"""The word that is looked for is found as it can be typed, and what was taken is said."""

from pathlib import Path

import numpy as np
import pytest

from siman_synth.editing.errors import EditError
from siman_synth.editing.places import Place, place_of
from siman_synth.editing.task_file import EditTask
from siman_synth.ocr.detector import Quad as Corners
from siman_synth.ocr.finder import FoundLine, FoundText, TextFinder
from siman_synth.ocr.ppocr import Letter
from siman_synth.ocr.recognizer import Reading
from tests.photos.conftest import drawn_photo

# mypy: disable-error-code="no-untyped-def"

PHOTO = np.zeros((400, 300, 3), np.uint8)


class Said(TextFinder):
    """Finds lines of one word each, one under another."""

    def __init__(self, *texts: str) -> None:
        self.lines = [line(text, 40 * number) for number, text in enumerate(texts)]

    def find(self, photo: np.ndarray) -> list[FoundLine]:
        return self.lines

    def can_write(self, text: str) -> bool:
        return True


def line(text: str, y: int) -> FoundLine:
    quad: Corners = (10, y), (110, y), (110, y + 30), (10, y + 30)
    letters = tuple(Letter(one, 1.0, (at + 0.5) / len(text)) for at, one in enumerate(text))
    found = FoundText(np.zeros((30, 100, 3), np.uint8), quad, 1.0, Reading(text, 1.0), letters)
    return FoundLine(found, (found,))


def place(old: str, *texts: str, index: int | None = None) -> Place:
    task = EditTask(Path("shop.png"), "x", Path("out.png"), old=old, index=index)
    return place_of(task, PHOTO, "shop.png", [Said(*texts)])


@pytest.mark.parametrize(
    ("old", "there", "spelled"),
    [
        ("Musee", "Musée", "Musée"),
        ("MUSEE", "Musée", "Musée"),
        ("Musée", "Musee", "Musée"),
        ("strasse", "Straße", "Straße"),
        ("isik", "ışık", "ışık"),
        ("open", "OPEN", "OPEN"),
        ("hotel", "Ｈotel", "Ｈotel"),
    ],
)
def test_a_word_is_found_without_its_accents_and_case(old: str, there: str, spelled: str) -> None:
    found = place(old, "Louvre", there)
    assert found.quad is not None
    assert found.quad.corners[0] == (10, 40)
    assert found.old == spelled
    assert found.note == f"'{old}' is not in shop.png as it is written; '{there}' at 60,55 was taken"


def test_the_spelling_that_was_asked_for_goes_before_others() -> None:
    assert place("Musee", "MUSEE", "Musée", "Musee") == place("Musee", "x", "x", "Musee")
    assert place("musee", "Musée", "MUSEE").old == "MUSEE"
    assert place("Musee", "x", "Musee").note == ""


def test_several_that_match_equally_need_an_index() -> None:
    with pytest.raises(EditError) as caught:
        place("Musee", "Musée", "MUSÉE")
    assert str(caught.value) == (
        "'Musee' is in shop.png 2 times (1: Musée at 60,15; 2: MUSÉE at 60,55). Give an index."
    )
    second = place("Musee", "Musée", "MUSÉE", index=2)
    assert second.old == "MUSÉE"
    assert second.note == "'Musee' is not in shop.png as it is written; 'MUSÉE' at 60,55 was taken"
    with pytest.raises(EditError, match=r"is in shop\.png 2 times, so there is no index 3\."):
        place("Musee", "Musée", "MUSÉE", index=3)


def test_what_is_not_found_is_answered_with_the_nearest_readings_first() -> None:
    with pytest.raises(EditError) as caught:
        place("Musée", "Louvre", "Museum", "Muse")
    assert str(caught.value) == (
        "'Musée' was not found in shop.png; OCR reads 'Muse', 'Museum', 'Louvre'. "
        "Give a quadrilateral or a box."
    )


def test_an_accented_word_of_a_photo() -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR is not installed: pip install siman-synth[readability]")
    photo = drawn_photo({"Musée": (60, 60), "Straße": (60, 200)})
    for old, spelled in {"Musee": ("Musée", "Musee"), "strasse": ("Straße", "Strasse")}.items():
        task = EditTask(Path("a.png"), "x", Path("b.png"), old=old)
        assert place_of(task, photo, "a.png", []).old in spelled
