"""Which files the names of a job mean."""

from pathlib import Path

import pytest

from siman_synth.errors import CropError
from siman_synth.runs.inputs import styles_path


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
