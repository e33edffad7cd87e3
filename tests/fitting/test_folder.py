"""The folder of a fit: only what is provably a fit's is taken, resumed or removed."""

import errno
from pathlib import Path

import pytest

from siman_synth.errors import OutputError
from siman_synth.files import RUN_MARKER
from siman_synth.fitting.folder import RECIPE, FitFolder

IDENTITY = {"seed": 0, "crops": "abc"}


@pytest.fixture
def begun(tmp_path: Path) -> FitFolder:
    folder = FitFolder(tmp_path / "mine")
    with folder.held(False, False, IDENTITY):
        (folder.path / RECIPE).write_text("height_px = 32\n")
    return folder


def refusal(folder: FitFolder, resume: bool = False, overwrite: bool = False) -> str:
    with pytest.raises(OutputError) as caught:
        folder.require_free(resume, overwrite)
    return str(caught.value)


def test_a_fit_is_neither_forgotten_nor_removed_unasked(begun: FitFolder) -> None:
    assert refusal(begun) == (
        f"{begun.path} holds a fit. Resume it, overwrite it, or choose another output folder."
    )
    with begun.held(True, False, IDENTITY):
        assert (begun.path / RECIPE).exists()
    with begun.held(False, True, {"seed": 1}):
        assert not (begun.path / RECIPE).exists()
    with (
        pytest.raises(OutputError, match="begun otherwise: seed: 1 there, 2 here"),
        begun.held(True, False, {"seed": 2}),
    ):
        pass


def test_what_a_search_keeps_is_its_own(begun: FitFolder) -> None:
    begun.search.mkdir(exist_ok=True)
    for name in ("guide.npz", "checked.npz", "repainted.npz", "round-000.npz", "trials.json"):
        (begun.search / name).write_bytes(b"")
    begun.require_free(resume=True, overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_files_of_others_are_not_touched(begun: FitFolder, tmp_path: Path, overwrite: bool) -> None:
    (begun.path / "thesis.txt").write_text("precious")
    assert "holds other files (thesis.txt), which a fit must not touch" in refusal(begun, True, overwrite)
    other = tmp_path / "other"
    other.mkdir()
    (other / RECIPE).write_text("a recipe of somebody\n")
    assert f"holds other files ({RECIPE})" in refusal(FitFolder(other), False, overwrite)
    assert (other / RECIPE).read_text() == "a recipe of somebody\n"


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["thesis.txt", "round-001.npz", "notes"])
def test_files_of_others_among_those_of_the_search_are_not_touched(
    begun: FitFolder, tmp_path: Path, name: str, overwrite: bool
) -> None:
    path = begun.search / name
    if name == "notes":
        path.mkdir()
    elif name == "thesis.txt":
        path.write_text("precious")
    else:
        path.symlink_to(tmp_path)
    assert f"holds other files (search/{name}), which a fit must not touch" in refusal(begun, True, overwrite)


def test_what_a_search_wrote_is_its_own(begun: FitFolder) -> None:
    for name in ("guide.npz", "checked.npz", "round-000.npz", "trials.json", "trials.json.partial-7"):
        (begun.search / name).touch()
    begun.require_free(True, False)
    begun.require_free(False, True)


def test_links_files_and_other_runs_are_refused(begun: FitFolder, tmp_path: Path) -> None:
    link, file = tmp_path / "link", tmp_path / "file"
    link.symlink_to(begun.path)
    file.write_text("x")
    assert "is a link" in refusal(FitFolder(link), True)
    assert "is not a folder" in refusal(FitFolder(file), True)
    (begun.path / RECIPE).unlink()
    (begun.path / RECIPE).symlink_to(file)
    assert "is a link; a fit writes through none" in refusal(begun, True)
    (begun.path / RECIPE).unlink()
    (begun.path / RUN_MARKER).write_text('{"kind": "pretraining", "identity": {}}')
    assert "holds a run of another kind (pretraining)" in refusal(begun, True, True)
    (begun.path / RUN_MARKER).write_text("{")
    assert "is damaged, so nobody knows whose folder this is" in refusal(begun, True, True)


@pytest.mark.parametrize("resume", [True, False])
def test_two_processes_do_not_share_a_folder(begun: FitFolder, resume: bool) -> None:
    with (
        begun.held(True, False, IDENTITY),
        pytest.raises(OutputError, match="Another process is working on"),
        begun.held(resume, False, IDENTITY),
    ):
        pass


def test_a_full_disk_is_told_with_what_is_kept(begun: FitFolder) -> None:
    with pytest.raises(OutputError) as caught, begun.held(True, False, IDENTITY):
        raise OSError(errno.ENOSPC, "full")
    assert str(caught.value) == (
        f"The disk is full. What was done is kept in {begun.path}; free some space and resume the fit."
    )
