"""stats.jsonl after a kill, and before a checkpoint."""

import json
from pathlib import Path

import pytest

from siman_synth.training.stats import StatsWriter


def test_what_is_taken_again_and_what_a_kill_cut_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "stats.jsonl"
    lines = ['{"step": 1, "l2": 0.5}', '{"step": 2, "l2": 0.4}', '{"step": 3, "l2": 0.3}', "[]", '{"l2": 1}']
    path.write_bytes("\n".join(lines).encode() + b'\n\xff\x00\n{"step": 4, "l')
    writer = StatsWriter(tmp_path, 2)
    writer.write(3, {"l2": 0.25})
    writer.sync()
    writer.close()
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert found == [{"step": 1, "l2": 0.5}, {"step": 2, "l2": 0.4}, {"step": 3, "l2": 0.25}]


def test_the_rewritten_file_is_whole_or_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "stats.jsonl"
    path.write_text('{"step": 1}\n')

    def no_room(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(OSError, match="No space left"):
        StatsWriter(tmp_path, 0)
    assert path.read_text() == '{"step": 1}\n'
    assert [entry.name for entry in tmp_path.iterdir()] == ["stats.jsonl"]
