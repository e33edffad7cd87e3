"""`siman-synth interpolate` as a user calls it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.drawn_crops import drawn_crop

# mypy: disable-error-code="no-untyped-def"


@pytest.fixture
def crops(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "one.png", tmp_path / "two.png"
    for number, path in enumerate(paths, 1):
        Image.fromarray(drawn_crop(number)).save(path)
    return paths


def test_a_strip(invoke, crops, tiny_weights: Path, tmp_path: Path) -> None:
    out = tmp_path / "strip.png"
    result = invoke(
        "interpolate", "--text", "Harbour", "--from", crops[0], "--to", crops[1], "--steps", "4", "--fonts",
        "roboto", "roboto/Roboto_900Black", "--device", "cpu", "--out", out,
        "--weights", tiny_weights,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "letters mixed as outlines" in result.output
    assert "longest step" in result.output
    assert " of 4 as 'Harbour'" in result.output
    with Image.open(out) as strip:
        assert strip.height == 64
        assert np.asarray(strip).std() > 10


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"--text": "x" * 101}, "The word has 101 characters, and a strip takes 100 at most"),
        ({"--text": "a\tb"}, "holds a control character (U+0009), which no image shows"),
        ({"--text": " "}, "There is nothing to write in ' '. Give a visible character."),
        ({"--from": "none.png"}, "Cannot read none.png: No such file or directory."),
        ({"--to": "blank.png"}, "has no visible text: its contrast is too low."),
        ({"--out": "one.png"}, "one.png exists already. Choose another output, or remove it."),
        ({"--out": "a.jpg"}, "Cannot write a.jpg: strips end in .png."),
        ({"--font": "nothing"}, "nothing"),
        (
            {"--font": "roboto/None"},
            "There is no font 'roboto/None'. Of that family there are roboto/Roboto_400",
        ),
        ({"--text": "字"}, "cannot draw '字' (U+5B57) in '字'"),
    ],
)
def test_bad_input_is_one_sentence(
    invoke, crops, tiny_weights: Path, tmp_path: Path, monkeypatch, changed, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (90, 30), (9, 9, 9)).save("blank.png")
    before = sorted(tmp_path.iterdir())
    given = {
        "--text": "Hi",
        "--from": "one.png",
        "--to": "two.png",
        "--out": "a.png",
        "--font": "roboto",
    } | changed
    font = given.pop("--font")
    arguments = [part for item in given.items() for part in item]
    weights = ("--weights", tiny_weights)
    result = invoke("interpolate", *arguments, "--fonts", "roboto", font, "--device", "cpu", *weights)
    assert result.exit_code == 1
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1
    assert sentence in lines[0]
    assert sorted(tmp_path.iterdir()) == before


def test_a_script_has_a_font_of_its_own_and_an_ocr_without_it_no_say(
    invoke, crops, tiny_weights: Path, tmp_path: Path
) -> None:
    out = tmp_path / "strip.png"
    result = invoke(
        "interpolate", "--text", "წიგნი", "--from", crops[0], "--steps", "2", "--device", "cpu", "--out", out,
        "--weights", tiny_weights,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "not read back: OCR is not installed, or has no such letters" in result.output
    with Image.open(out) as strip:
        assert np.asarray(strip).std() > 10
