"""Fonts of the user's that OCR looks at: codes that pass for letters are left out, letters are not."""

import json
import os
import string
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fontTools.ttLib import TTFont

from siman_synth.ocr.ppocr import PpOcr
from siman_synth.render.fonts import FontLibrary
from siman_synth.resources import resource_folder
from siman_synth.runs import font_reading
from siman_synth.runs.font_reading import UNREADABLE, share_misread, unreadable_fonts
from siman_synth.runs.inputs import Inputs, check_inputs
from siman_synth.runs.job import Job

MakeJob = Callable[..., Job]
PLAIN = "open-sans/OpenSans_400Regular.ttf"


@pytest.fixture
def fonts(tmp_path: Path) -> Path:
    """A folder of one good font, and one in which every letter and digit is drawn as another."""
    folder = tmp_path / "fonts"
    folder.mkdir()
    font = TTFont(resource_folder("fonts") / PLAIN)
    font.save(folder / "good.ttf")
    for alphabet in (string.ascii_uppercase, string.ascii_lowercase, string.digits):
        order = np.random.default_rng(0).permutation(len(alphabet))
        names = [font.getBestCmap()[ord(letter)] for letter in alphabet]
        for table in font["cmap"].tables:
            for place, letter in enumerate(alphabet):
                if ord(letter) in table.cmap:
                    table.cmap[ord(letter)] = names[order[place]]
    font["post"].formatType = 3.0  # without names, whose glyphs they are cannot be told
    font.save(folder / "coded.ttf")
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "siman-synth" / "font-readings.json"


CODED = ("fonts/coded",)


def test_a_coded_alphabet_is_told_from_letters_once(
    fonts: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR is not installed: pip install siman-synth[readability]")
    library = FontLibrary.open([fonts])
    assert unreadable_fonts(library) == CODED
    kept = json.loads(cache.read_text())
    assert sorted(value > 0.5 for value in kept.values()) == [False, True]
    monkeypatch.setattr(font_reading, "share_misread", None)  # what was read is not read again
    assert unreadable_fonts(FontLibrary.open([fonts])) == CODED


@pytest.mark.parametrize("content", ["", "[1]", '{"a": "b"}', "\x00"])
def test_a_damaged_cache_is_not_believed(fonts: Path, cache: Path, content: str) -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR is not installed: pip install siman-synth[readability]")
    cache.parent.mkdir(parents=True)
    cache.write_text(content)
    assert unreadable_fonts(FontLibrary.open([fonts])) == CODED


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written(fonts: Path, cache: Path) -> None:
    cache.parent.parent.mkdir(mode=0o500)
    assert unreadable_fonts(FontLibrary.open([fonts])) == CODED


def test_runs_leave_it_out_and_workers_too(make_job: MakeJob, fonts: Path, cache: Path) -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR is not installed: pip install siman-synth[readability]")
    job = make_job(fonts=(str(fonts),))
    checked = check_inputs(job)
    assert [font.path.name for font in checked.opened.fonts.fonts] == ["good.ttf"]
    assert checked.skipped["fonts"].counts == {UNREADABLE: 1}
    worker = Inputs.open(job, checked.seen)
    assert worker.fonts.fonts == checked.opened.fonts.fonts
    assert worker.fonts.fingerprint() == checked.contents["fonts"]


def test_without_ocr_it_is_said(
    make_job: MakeJob, fonts: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)
    checked = check_inputs(make_job(fonts=(str(fonts), "roboto")))
    assert list(checked.skipped["a look at"].lines()) == [
        '2 font that OCR would look at (pip install "siman-synth[readability]") (coded.ttf, good.ttf)'
    ]
    assert check_inputs(make_job()).skipped["a look at"].total == 0  # bundled fonts alone


@pytest.mark.slow
def test_bundled_fonts_are_read() -> None:
    pytest.importorskip("rapidocr", reason="PP-OCR is not installed: pip install siman-synth[readability]")
    library, ocr = FontLibrary.open(), PpOcr.load()
    misread = {font.id: share_misread(library, font, ocr) for font in library.fonts}
    assert {font: share for font, share in misread.items() if share > 0.3} == {}
