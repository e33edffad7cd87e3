"""The folder of a run: only what is provably the run's is touched."""

import json
from pathlib import Path

import pytest

from siman_synth.errors import OutputError
from siman_synth.files import locked
from siman_synth.training.folder import RunFolder

IDENTITY = {"contents": "abc"}


def folder(path: Path, kind: str = "test") -> RunFolder:
    return RunFolder(path, kind, frozenset({"weights", "stats.jsonl"}))


def begin(run: RunFolder, resume: bool = False, **history: object) -> object:
    with run.held(resume):
        return run.begin(IDENTITY, history, resume)


def with_checkpoint(path: Path) -> RunFolder:
    run = folder(path)
    begin(run, version="1")
    (run.checkpoints / "state-00000005.pt").touch()
    return run


def snapshot(path: Path) -> dict[str, bytes | str]:
    """Return all that lies in a folder, links as what they say."""
    return {
        str(entry.relative_to(path)): f"-> {entry.readlink()}" if entry.is_symlink() else entry.read_bytes()
        for entry in path.rglob("*")
        if entry.is_symlink() or entry.is_file()
    }


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["thesis.txt", "checkpoints/state-00000005.pt", "stats.jsonl", "lock"])
def test_a_folder_with_files_of_others_is_refused_and_stays(tmp_path: Path, name: str, resume: bool) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    before = snapshot(tmp_path)
    with pytest.raises(
        OutputError, match=r"holds other files \([\w.]+\), which a run must not touch\. Choose"
    ):
        begin(folder(tmp_path), resume)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("resume", [False, True])
def test_links_are_refused_wherever_they_lead(tmp_path: Path, resume: bool) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    out.symlink_to(elsewhere)
    with pytest.raises(OutputError, match="out is a link; a run writes into no linked folder"):
        begin(folder(out), resume)
    run = with_checkpoint(tmp_path / "run")
    for name in ("weights", "stats.jsonl", "lock", "siman-run.json"):
        target = tmp_path / f"target-{name}"
        target.write_text("mine")
        (run.path / name).unlink(missing_ok=True)
        (run.path / name).symlink_to(target)
        before = snapshot(tmp_path)
        with pytest.raises(OutputError, match=f"{name} is a link; a run writes through none"):
            begin(run, resume)
        assert snapshot(tmp_path) == before
        (run.path / name).unlink()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file is not a folder"):
        begin(folder(tmp_path / "file"))


def test_an_empty_folder_and_one_of_a_run_that_never_began_are_taken(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "siman-run.json.partial-77").write_text("{")
    assert begin(folder(tmp_path), version="1") == {"version": "1"}


def test_a_run_with_checkpoints_is_only_resumed_and_keeps_its_history(tmp_path: Path) -> None:
    run = with_checkpoint(tmp_path)
    with pytest.raises(OutputError, match=r"holds a run of state-00000005\. Resume it, or choose another"):
        begin(run)
    assert begin(run, resume=True, version="2") == {"version": "1"}
    (tmp_path / "notes.txt").write_text("mine")  # beside a run of ours files of others do no harm
    assert begin(run, resume=True) == {"version": "1"}
    assert (tmp_path / "notes.txt").read_text() == "mine"
    with run.held(True), pytest.raises(OutputError, match="contents: 'abc' there, 'xyz' here"):
        run.begin({"contents": "xyz"}, {}, True)


def test_a_run_without_checkpoints_has_nothing_to_lose(tmp_path: Path) -> None:
    run = folder(tmp_path)
    begin(run, version="1")
    with run.held(False):
        assert run.begin({"contents": "xyz"}, {"version": "2"}, False) == {"version": "2"}
    assert json.loads((tmp_path / "siman-run.json").read_text())["identity"] == {"contents": "xyz"}


def test_a_run_that_starts_from_weights_is_not_resumed_without_them(tmp_path: Path) -> None:
    run = folder(tmp_path)
    begin(run, init={"file": "w.safetensors"})
    with pytest.raises(OutputError, match=r"began from weights \(w\.safetensors\) and has no checkpoint yet"):
        begin(run, resume=True)
    begin(run, init={"file": "w.safetensors"})


def test_a_second_process_gets_a_sentence(tmp_path: Path) -> None:
    run = with_checkpoint(tmp_path)
    with locked(tmp_path / "lock", "the first"):
        for resume in (True, False):
            with pytest.raises(OutputError, match="Another process is working on"):
                begin(run, resume)


@pytest.mark.parametrize("text", ["", "{", "\0" * 300, "[]", '{"kind": "test"}', "null"])
def test_a_damaged_marker_is_nobodys(tmp_path: Path, text: str) -> None:
    run = with_checkpoint(tmp_path)
    (tmp_path / "siman-run.json").write_text(text)
    with pytest.raises(OutputError, match=r"siman-run\.json is damaged, so nobody knows whose run this is"):
        begin(run, resume=True)


def test_another_kind_of_run_is_refused(tmp_path: Path) -> None:
    with_checkpoint(tmp_path)
    with pytest.raises(OutputError, match=r"holds a run of another kind \(test\)"):
        begin(folder(tmp_path, "recognizer"), resume=True)
