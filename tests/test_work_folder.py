"""A folder of work in progress: nothing of the user's is touched, nothing damaged is believed."""

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siman_synth.errors import FullDiskError, OutputError
from siman_synth.own_names import OwnNames
from siman_synth.sealed import read_sealed, sealed, unsealed, write_sealed
from siman_synth.work_folder import RESULT_NAMES, WorkFolder

NAMES = OwnNames(
    folders=re.compile(r"part-\d"),
    files=re.compile(rf"part-\d/data|\d\.json|{RESULT_NAMES}"),
    whole=re.compile(r"tree"),
)
IDENTITY = {"seed": 3, "sizes": (1, 2)}


@pytest.fixture
def work(tmp_path: Path) -> WorkFolder:
    return WorkFolder(tmp_path / "out", tmp_path / "out.work", "export", NAMES, "data or options")


def begun(work: WorkFolder) -> None:
    with work.held(False, IDENTITY):
        (work.path / "part-1").mkdir()
        (work.path / "part-1" / "data").write_bytes(b"ours")
        (work.path / "tree" / "deep").mkdir(parents=True)
        (work.path / "tree" / "deep" / "picture.png").write_bytes(b"ours")


def everything(folder: Path) -> dict[str, bytes | str]:
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def refused(work: WorkFolder, resume: bool) -> str:
    before = everything(work.out.parent)
    with pytest.raises(OutputError) as caught, work.held(resume, IDENTITY):
        raise AssertionError
    assert everything(work.out.parent) == before
    return str(caught.value)


def test_work_is_resumed_and_leaves_nothing(work: WorkFolder) -> None:
    begun(work)
    assert "holds an export that was stopped" in refused(work, resume=False)
    with work.held(True, IDENTITY):
        work.remove()
    assert not work.path.exists()


def test_work_that_goes_on_is_not_called_stopped(work: WorkFolder) -> None:
    with work.held(False, IDENTITY):
        (work.path / "part-1").mkdir()
        for resume in (False, True):
            assert refused(work, resume).startswith("Another process is working on ")


def test_work_of_other_inputs_is_not_resumed(work: WorkFolder) -> None:
    begun(work)
    with (
        pytest.raises(OutputError, match="an export with other data or options"),
        work.held(True, {"seed": 4}),
    ):
        raise AssertionError


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", ["thesis.txt", "tree.txt", "part-1", "part-12/data", "lock"])
def test_a_folder_of_the_user_is_not_taken(work: WorkFolder, name: str, resume: bool) -> None:
    (work.path / name).parent.mkdir(parents=True)
    (work.path / name).write_text("mine")
    assert "holds other files" in refused(work, resume)


@pytest.mark.parametrize("resume", [False, True])
def test_folders_called_as_ours_are_not_taken_without_an_identity(work: WorkFolder, resume: bool) -> None:
    (work.path / "tree").mkdir(parents=True)
    (work.path / "tree" / "thesis.txt").write_text("mine")
    assert ("holds no identity.json" if resume else "was stopped") in refused(work, resume)


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("linked", ["", "part-1", "tree", "identity.json", "lock"])
def test_nothing_behind_a_link_is_touched(
    work: WorkFolder, linked: str, resume: bool, tmp_path: Path
) -> None:
    begun(work)
    path = work.path / linked if linked else work.path
    target = tmp_path / "elsewhere"
    path.rename(target)
    path.symlink_to(target)
    assert re.search("is a link|holds other files", refused(work, resume))


def test_strangers_that_come_meanwhile_stay(work: WorkFolder) -> None:
    with work.held(False, IDENTITY):
        (work.path / "part-1").mkdir()
        (work.path / "part-1" / "data").write_bytes(b"ours")
        (work.path / "part-1" / "thesis.txt").write_text("mine")
        work.remove()
    assert everything(work.path) == {"part-1": "folder", "part-1/thesis.txt": b"mine"}


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"\xff\xfe", b'{"seed": 3, "sizes": [1, 2]}', b"[" * 100_000]
)
def test_a_damaged_identity_is_nobodys(work: WorkFolder, content: bytes) -> None:
    begun(work)
    (work.path / "identity.json").write_bytes(content)
    assert "says whose it is" in refused(work, resume=True)


def test_what_was_killed_before_it_said_whose_it_is(work: WorkFolder) -> None:
    work.path.mkdir()
    (work.path / "lock").touch()
    (work.path / "identity.json.partial-77").write_text("{")
    with work.held(False, IDENTITY):
        work.remove()
    assert not work.path.exists()


@pytest.mark.parametrize("kind", ["file", "link", "full"])
def test_an_output_that_exists_is_refused(work: WorkFolder, kind: str) -> None:
    if kind == "file":
        work.out.write_text("mine")
    elif kind == "link":
        work.out.symlink_to("nowhere")
    else:
        work.out.mkdir()
        (work.out / "thesis.txt").write_text("mine")
    assert refused(work, False) == f"{work.out} exists already. Choose another output folder, or remove it."
    assert "exists already, and nothing that could be resumed lies beside it" in refused(work, True)


def published(work: WorkFolder, kills: bool) -> None:
    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, work.held(False, IDENTITY):
        if kills:
            patch.setattr(WorkFolder, "remove", killed)
        (work.path / "tree").mkdir()
        (work.path / "tree" / "made.txt").write_text("made")
        (work.path / "1.json").write_text("ours")
        work.publish(work.path / "tree", {"train": 5})


def test_what_is_published_leaves_nothing_else(work: WorkFolder) -> None:
    published(work, kills=False)
    assert everything(work.out.parent) == {"out": "folder", "out/made.txt": b"made"}


@pytest.mark.parametrize("gone", [(), ("1.json",), ("1.json", "identity.json")])
def test_killed_when_all_was_done_but_the_tidying(work: WorkFolder, gone: tuple[str, ...]) -> None:
    with pytest.raises(KeyboardInterrupt):
        published(work, kills=True)
    for name in gone:
        (work.path / name).unlink()
    assert "exists already" in refused(work, resume=False)
    with work.held(True, IDENTITY):
        assert work.result() == {"train": 5}
        work.remove()
    assert everything(work.out.parent) == {"out": "folder", "out/made.txt": b"made"}


def test_another_folder_in_the_place_of_what_was_made_is_refused(work: WorkFolder) -> None:
    with pytest.raises(KeyboardInterrupt):
        published(work, kills=True)
    work.out.rename(work.out.with_name("moved"))
    work.out.mkdir()
    (work.out / "thesis.txt").write_text("mine")
    assert "exists already" in refused(work, resume=True)


VALUES = st.dictionaries(
    st.text(max_size=3).filter(lambda key: key != "check"),
    st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=3)),
)


@given(VALUES)
def test_sealed_values_are_read_back(values: dict[str, Any]) -> None:
    assert unsealed(sealed(values)) == values


@given(VALUES, st.data())
def test_any_damage_is_noticed(values: dict[str, Any], data: st.DataObject) -> None:
    text = bytearray(sealed(values).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    try:
        found = unsealed(bytes(text))
    except ValueError:
        return
    # White space, and an escape in other letters, say the same.
    assert found == values


def test_sealed_files(tmp_path: Path) -> None:
    path = tmp_path / "marker.json"
    assert read_sealed(path) is None
    write_sealed(path, {"sizes": (1, 2)})
    assert read_sealed(path) == {"sizes": [1, 2]}
    path.write_text(json.dumps({"sizes": [1, 2]}))
    assert read_sealed(path) is None


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), FullDiskError("The disk is full: x. Free some.")]
)
def test_a_full_disk_is_told_with_what_is_kept(work: WorkFolder, error: Exception) -> None:
    with pytest.raises(OutputError) as caught, work.held(False, IDENTITY):
        raise error
    assert str(caught.value) == (
        f"The disk is full. What was done is kept in {work.path}; free some space and resume the export."
    )
    with pytest.raises(OSError, match="other"), work.held(True, IDENTITY):
        raise OSError(errno.EIO, "other")
