"""Which weights a name means."""

from pathlib import Path

import pytest

from siman_synth.models.bundled import RUN_WEIGHTS, weights_file


def test_a_file_a_run_or_the_bundled_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_file() == weights_file("bundled")
    assert weights_file().is_file()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RUN_WEIGHTS).touch()
    assert weights_file("run") == Path("run") / RUN_WEIGHTS
    assert weights_file("~/run") == tmp_path / "run" / RUN_WEIGHTS
    assert weights_file("~/mine.safetensors") == tmp_path / "mine.safetensors"
    (tmp_path / "bundled").touch()
    assert weights_file("bundled") == Path("bundled")
