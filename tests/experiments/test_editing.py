"""The tables that say how well words are edited hold what the pictures say."""

import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.lib.stride_tricks import sliding_window_view

from siman_synth.editing.editor import TextEditor
from siman_synth.ocr.ppocr import PpOcr
from siman_synth.render.fonts import FontLibrary
from siman_synth.synthesis.synthesizer import Synthesizer
from tests.recognizer_training.tiny import write_words, written

PROGRAMS = Path(__file__).resolve().parents[2] / "pretrain" / "experiments"
WORDS = ("SALE", "EASEL", "LAST", "STALE", "TALES", "SEAT")

pytestmark = pytest.mark.slow
Command = Callable[..., Result]


@pytest.fixture(scope="module")
def programs() -> Iterator[dict[str, Any]]:
    """The names of `editing.py` and of what it imports beside itself."""
    sys.path.insert(0, str(PROGRAMS))
    try:
        yield runpy.run_path(str(PROGRAMS / "editing.py"))
    finally:
        sys.path.remove(str(PROGRAMS))


@pytest.fixture(scope="module")
def run(programs: dict[str, Any]) -> Command:
    def called(*arguments: object, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(programs["main"], [str(one) for one in arguments], catch_exceptions=False)
        assert result.exit_code == exit_code, result.output
        return result

    return called


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_words(tmp_path_factory.mktemp("crops") / "words", WORDS, 1)


def table(result: Result) -> dict[str, list[str]]:
    """Return the cells of a printed table by its rows' names."""
    lines = [line for line in result.output.splitlines() if line.startswith("|")][2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: cells for name, *cells in rows}


def share(cell: str) -> float:
    return float(cell.removesuffix("%")) / 100


def test_words_replaced_by_themselves(run: Command, crops: Path, tmp_path: Path) -> None:
    rows = table(run("self", crops, "--n", len(WORDS), "--sheet", tmp_path / "sheet.png"))
    assert (tmp_path / "sheet.png").stat().st_size > 10_000
    fonts = FontLibrary.open()
    editor = TextEditor(Synthesizer.load(None, "cpu", fonts), fonts, None)
    errors, right, right_before = [], [], []
    ocr = PpOcr.load()
    for number, word in enumerate(WORDS):
        image = written(word, number)
        picture = editor.edit(image, None, word, old=word).image
        errors.append(np.mean((picture.astype(float) - image) ** 2) / 255**2)
        right.append(ocr.read([picture])[0].text.upper() == word)
        right_before.append(ocr.read([image])[0].text.upper() == word)
    mse, psnr, ms_ssim, read, near = rows["matched font, ground kept"]
    assert float(mse) == pytest.approx(100 * np.mean(errors), abs=0.006)
    assert float(psnr) == pytest.approx(np.mean(-10 * np.log10(errors)), abs=0.006)
    assert share(read) == pytest.approx(np.mean(right), abs=0.001)
    assert rows["the crop itself"][:3] == ["-", "-", "-"]
    assert share(rows["the crop itself"][3]) == pytest.approx(np.mean(right_before), abs=0.001)
    assert share(read) <= float(near) <= 1
    # Another font, or the ground painted anew, is further from the crop.
    for name in ("random font, ground kept", "matched font, all repainted by the network"):
        assert float(rows[name][1]) < float(psnr) - 2
        assert float(rows[name][2]) < float(ms_ssim)
    assert len(rows) == 8


def test_words_replaced_by_others(run: Command, crops: Path) -> None:
    result = run("words", crops, "--n", len(WORDS), "--tries", 1)
    assert "values changed outside: 0" in result.output
    made = int(re.findall(r"^(\d+) edits, \d", result.output, re.MULTILINE)[0])
    rows = table(result)
    totals = {"all up to 1.5", "longer"} & rows.keys()
    assert sum(int(rows[name][0]) for name in totals) == made == len(WORDS)
    for words, read, near in rows.values():
        assert share(read) * int(words) == pytest.approx(round(share(read) * int(words)), abs=0.01)
        assert share(read) - 0.001 <= float(near) <= 1
    assert share(rows["all up to 1.5"][1]) > 0.5


def test_fonts_are_found(run: Command, crops: Path) -> None:
    result = run("fonts", crops, "--n", 4)
    file, family, kind, among_five = (share(one) for one in re.findall(r"[\d.]+%", result.output))
    assert result.output.startswith("4 words")
    assert file <= family <= min(kind, among_five)
    assert family >= 0.5


def test_words_exchanged(run: Command, crops: Path) -> None:
    result = run("swap", crops, "--pairs", 3)
    assert "6 edits, 0 not made; of the crops themselves 100.0% are read" in result.output
    rows = table(result)
    whole = rows.pop("all")
    counts = np.array([int(cells[0]) for cells in rows.values()])
    assert counts.sum() == int(whole[0]) == 6
    for column in (2, 3):
        values = np.array([float(cells[column]) for cells in rows.values()])
        assert float(whole[column]) == pytest.approx(counts @ values / 6, abs=0.011)
    # A crop keeps its look, whatever it says.
    assert float(whole[2]) < float(whole[3])


def test_words_of_a_dictionary(run: Command, crops: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "dictionary.txt"
    corpus.write_text("tale\nsteal\nless\n")
    twice = write_words(tmp_path / "twice", WORDS, 2)
    rows = table(run("paper", twice, "--n", 12, "--corpus", corpus))
    assert [cells[0] for cells in rows.values()] == ["12", "12", "12"]
    assert share(rows["clean crops"][1]) == 1
    assert all(float(cells[2]) >= 0 for cells in rows.values())
    corpus.write_text("Unbelievably\n")
    told = run("paper", crops, "--n", 1, "--corpus", corpus, exit_code=1).output
    assert "Error: None of 6 clean crops has room for 'Unbelievably': their words are too short." in told


def test_how_alike_two_pictures_are(programs: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    one = np.kron(rng.integers(0, 256, (18, 24)), np.ones((10, 10)))
    other = np.clip(one + rng.normal(0, 20, one.shape), 0, 255)
    pictures = [np.repeat(np.rint(x)[..., None], 3, axis=2).astype(np.uint8) for x in (one, other)]
    error, psnr, ssim = programs["similarity"](*pictures)
    plain = np.mean((pictures[0].astype(float) - pictures[1]) ** 2) / 255**2
    assert error == pytest.approx(plain)
    assert psnr == pytest.approx(-10 * np.log10(plain))
    luma = [picture[..., 0].astype(float) for picture in pictures]
    assert ssim == pytest.approx(plain_ms_ssim(*luma), rel=1e-3)
    assert programs["similarity"](pictures[0], pictures[0]) == pytest.approx((0, 100, 1))


def plain_ms_ssim(one: np.ndarray, other: np.ndarray) -> float:
    """Follow Wang, Simoncelli and Bovik (2003) by sums over whole windows, 11 px wide."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * 1.5**2))
    window /= window.sum()
    exponents = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
    product = 1.0
    for scale, exponent in enumerate(exponents):
        a, b = (sliding_window_view(x, (11, 11)) for x in (one, other))
        mean_a, mean_b = ((window * x).sum((2, 3)) for x in (a, b))
        var_a, var_b = ((window * x * x).sum((2, 3)) - m * m for x, m in ((a, mean_a), (b, mean_b)))
        common = (window * a * b).sum((2, 3)) - mean_a * mean_b
        c1, c2 = 2.55**2, 7.65**2
        value = (2 * common + c2) / (var_a + var_b + c2)
        if scale == len(exponents) - 1:
            value = value * (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        product *= float(value.mean()) ** exponent
        one, other = (
            (x[:-1:2, :-1:2] + x[1::2, :-1:2] + x[:-1:2, 1::2] + x[1::2, 1::2]) / 4
            for x in (one[: len(one) // 2 * 2], other[: len(other) // 2 * 2])
        )
    return product


def test_what_cannot_be_measured(run: Command, crops: Path, tmp_path: Path) -> None:
    told = run("words", tmp_path / "none", exit_code=1).output
    assert f"Error: No data set at {tmp_path / 'none'}: it does not exist." in told
    one = write_words(tmp_path / "one", ["..."], 1)
    told = run("self", one, exit_code=1).output
    assert f"Error: None of the 1 crops in {one} can be edited: they need a label with a letter" in told
    alone = write_words(tmp_path / "alone", ["SALE"], 1)
    told = run("words", alone, exit_code=1).output
    assert "Error: None of 1 words could be replaced by another one, in capitals if it is." in told
    told = run("swap", alone, exit_code=1).output
    assert "holds one crop that can be edited. Words are swapped between two." in told
    told = run("fonts", crops, "--recipe", "nope", exit_code=1).output
    assert "Error: No recipe 'nope'" in told
    for command, option in (("self", "--n"), ("words", "--n"), ("swap", "--pairs")):
        assert "0 is not in the range x>=1" in run(command, crops, option, 0, exit_code=2).output
    for sheet in (tmp_path / "gone" / "a.png", tmp_path / "a.jpg"):
        assert (
            "must be a .png in a folder that is there"
            in run("self", crops, "--sheet", sheet, exit_code=2).output
        )


def test_the_commands_are_those_of_its_description(programs: dict[str, Any]) -> None:
    main = programs["main"]
    assert isinstance(main, click.Group)
    described = set(re.findall(r"editing\.py (\w+) CROPS", programs["__doc__"]))
    assert described == set(main.commands)
