"""`siman-synth edit` as a user calls it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from siman_synth.ocr.finder import TextFinder
from tests.editing.conftest import drawn_photo

# mypy: disable-error-code="no-untyped-def"

FEW = ("--fonts", "roboto", "--device", "cpu")
QUAD = "96,66,290,66,290,136,96,136"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "shop.png"
    Image.fromarray(drawn_photo()[0]).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_word_at_a_quadrilateral(invoke, photo: Path, tiny_weights: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "out.png", tmp_path / "sheet.png"
    result = invoke(
        "edit", photo, "--quad", QUAD, "--text", "SHUT", "--out", out, "--sheet", sheet, "--weights",
        tiny_weights, *FEW,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"OPEN -> SHUT in {out}, font roboto/Roboto_900Black (likeness ")
    assert "read 'SHUT' with score" in result.output
    before, after = pixels(photo), pixels(out)
    changed = np.abs(before.astype(int) - after).max(-1) > 0
    assert changed.any()
    changed[66:136, 96:290] = False
    assert not changed.any()
    assert pixels(sheet).shape[1] == 3 * round(200 * (194 + 2 * 70) / 206) + 80  # the photo ends above


@pytest.mark.slow
def test_a_word_that_is_looked_for(invoke, photo: Path, tiny_weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    result = invoke(
        "edit", photo, "--old", "open", "--text", "SHUT", "--out", out, "--weights", tiny_weights, *FEW
    )
    assert result.exit_code == 0, result.output
    assert [line.whole.reading.text for line in TextFinder.load().find(pixels(out))] == ["SHUT"]


@pytest.mark.slow
def test_a_word_that_is_not_there_or_twice(invoke, tiny_weights: Path, tmp_path: Path) -> None:
    photo = tmp_path / "two.png"
    Image.fromarray(np.concatenate([drawn_photo()[0], drawn_photo()[0]])).save(photo)
    common = ("--text", "SHUT", "--out", tmp_path / "out.png", "--weights", tiny_weights, *FEW)
    absent = invoke("edit", photo, "--old", "EXIT", *common)
    assert absent.exit_code == 1
    assert "'EXIT' was not found in" in absent.stderr
    assert "OCR reads 'OPEN', 'OPEN'. Give a quadrilateral or a box." in absent.stderr
    twice = invoke("edit", photo, "--old", "OPEN", *common)
    assert twice.exit_code == 1
    assert " 2 times (1: OPEN at " in twice.stderr
    assert not (tmp_path / "out.png").exists()
    second = invoke("edit", photo, "--old", "OPEN", "--index", "2", *common)
    assert second.exit_code == 0, second.output
    assert np.array_equal(pixels(tmp_path / "out.png")[:220], pixels(photo)[:220])


def test_a_word_that_is_misread_is_status_3(invoke, photo: Path, tiny_weights: Path, tmp_path: Path) -> None:
    arguments = ["edit", photo, "--quad", QUAD, "--text", "lIlIlIlI", "--weights", tiny_weights, *FEW]
    misread = invoke(*arguments, "--out", tmp_path / "a.png")
    assert misread.exit_code == 3, misread.output
    assert "MISREAD '" in misread.output
    assert (tmp_path / "a.png").exists()
    allowed = invoke(*arguments, "--out", tmp_path / "b.png", "--allow-misread")
    assert allowed.exit_code == 0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"--quad": "0,0,999,0,999,50,0,50"}, "leaves the picture"),
        ({"--quad": "96,66,290,136,290,66,96,136"}, "crosses itself"),
        ({"--quad": "96,66,99,66,99,69,96,69"}, "is too small"),
        ({"--text": " "}, "There is nothing to write in ' '. Give a visible character."),
        ({"--text": "字"}, "draw '字' (U+5B57) in '字'"),
        ({"--out": "shop.png"}, "shop.png exists already. Choose another output, or remove it."),
        ({"--out": "a.tif"}, "edited pictures end in .png, .jpg or .jpeg."),
        ({"--sheet": "shop.png"}, "shop.png exists already. Choose another output, or remove it."),
        ({"photo": "text.png"}, "is not an image"),
        ({"photo": "none.png"}, "Cannot read"),
    ],
)
def test_bad_input_is_one_sentence_and_writes_nothing(
    invoke, photo: Path, tiny_weights: Path, tmp_path: Path, monkeypatch, changed, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.png").write_text("no picture")
    before = sorted(tmp_path.iterdir())
    given = {"photo": "shop.png", "--quad": QUAD, "--text": "SHUT", "--out": "out.png"} | changed
    arguments = [part for name, value in given.items() if name != "photo" for part in (name, value)]
    result = invoke("edit", given["photo"], *arguments, "--weights", tiny_weights, *FEW)
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("Error: ")
    assert sentence in lines[0]
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_of_edits(invoke, photo: Path, tiny_weights: Path, tmp_path: Path) -> None:
    edits = tmp_path / "edits.csv"
    edits.write_text(
        "photo,text,out,quad,box\n"
        f'shop.png,SHUT,a.png,"{QUAD}",\n'
        "shop.png,HELLO,b.png,,96 66 194 70\n"
        "shop.png,SHUT,c.png,,0 0 999 10\n"
        "none.png,SHUT,d.png,,0 0 99 10\n"
    )
    result = invoke("edit", "--edits", edits, "--weights", tiny_weights, *FEW)
    assert result.exit_code == 1
    assert "line 4: The quadrilateral" in result.output
    assert "line 5: Cannot read" in result.output
    assert result.output.strip().endswith("2 edited, 0 of them misread, 2 failed")
    assert sorted(path.name for path in tmp_path.glob("?.png")) == ["a.png", "b.png"]


def test_misuse_is_status_2(invoke, photo: Path, tmp_path: Path) -> None:
    for arguments, message in {
        ("edit",): "Missing PHOTO, --text, --out, or a file of edits (--edits).",
        ("edit", str(photo), "--quad", "1,2,3", "--text", "A", "--out", "a.png"): "8 numbers with commas",
        ("edit", str(photo), "--edits", "x.csv"): "leave out PHOTO.",
        ("edit", "--edits", "x.csv", "--index", "2", "--width", "natural", "--align", "end"): (
            "leave out --index, --width, --align."
        ),
    }.items():
        result = invoke(*arguments)
        assert result.exit_code == 2
        assert message in result.stderr


def test_a_word_that_ocr_cannot_write_is_not_looked_for(
    invoke, photo: Path, tiny_weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    given = "--old", "პური", "--text", "წიგნი", "--out", out, "--weights", tiny_weights, "--device", "cpu"
    looked_for = invoke("edit", photo, *given)
    assert looked_for.exit_code == 1
    assert looked_for.stderr == (
        f"Error: OCR has no such letters, so 'პური' cannot be looked for in {photo}. "
        "Give a quadrilateral or a box.\n"
    )
    placed = invoke("edit", photo, *given, "--quad", "20,40,440,40,440,160,20,160")
    assert placed.exit_code == 0, placed.output
    assert placed.output.strip().endswith("not judged: OCR has no such letters")
