"""Which files the names of a job mean."""

from pathlib import Path

import pytest

from siman_synth.errors import CropError, GenerationError
from siman_synth.runs.inputs import check_inputs, styles_path
from tests.conftest import MakeJob


def test_a_folder_goes_before_the_bundled_crops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert styles_path("bundled").name == "crops"
    Path("bundled").mkdir()
    assert styles_path("bundled") == Path("bundled")
    assert styles_path("~/bundled") == tmp_path / "bundled"


def test_a_list_of_folders_is_answered_with_what_is_wanted() -> None:
    with pytest.raises(CropError, match=r"It looks like a list: give each name by itself"):
        styles_path("one,two")


def test_a_gate_that_could_judge_nothing_is_refused(make_job: MakeJob, tmp_path: Path) -> None:
    """PP-OCR writes no Cyrillic: to pass such words unread must be asked for. Accents alone do not matter."""
    pytest.importorskip("rapidocr")
    words, polish = tmp_path / "ru.txt", tmp_path / "pl.txt"
    words.write_text("ёлка\nждать\nцифры\n", encoding="utf-8")
    polish.write_text("żółć\ngęś\nźdźbło\n", encoding="utf-8")
    readable = ("gate.ocr='ppocr'",)
    with pytest.raises(GenerationError, match=r"^0 of 200 labels can be judged by PP-OCR\S* \(rapidocr"):
        check_inputs(make_job(*readable, corpus=(str(words),), fonts=("all",)))
    let_pass = make_job(*readable, "gate.unjudged='pass'", corpus=(str(words),), fonts=("all",))
    assert check_inputs(let_pass).unjudged.total > 5
    polish_job = make_job(*readable, corpus=(str(polish),), fonts=("all",))
    assert check_inputs(polish_job).unjudged.total == 0
