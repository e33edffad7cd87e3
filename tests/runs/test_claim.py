"""What a run may take for its output: nothing that is not provably ours is ever replaced or removed."""

import errno
import json
import os
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siman_synth.errors import OutputError
from siman_synth.escaping import printable
from siman_synth.models.bundled import weights_file
from siman_synth.runs.claim import require_free
from siman_synth.runs.generate import generate
from siman_synth.runs.job import Job
from siman_synth.runs.ours import RUN
from siman_synth.runs.result import GenerateResult
from siman_synth.runs.run_folder import RunPaths, begin, held
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from tests.read_only import read_only

MakeJob = Callable[..., Job]
OPTIONS: tuple[dict[str, bool], ...] = ({}, {"resume": True}, {"overwrite": True})


def run(job: Job, out: Path, **options: bool) -> GenerateResult:
    return generate(job, out, show_progress=False, **options)  # type: ignore[arg-type]


def snapshot(folder: Path) -> dict[str, bytes | str]:
    """Return every file, link and folder below a folder, with what it holds."""
    found: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        else:
            found[name] = "folder" if path.is_dir() else path.read_bytes()
    return found


def refused(job: Job, out: Path, **options: bool) -> str:
    """Assert that a run is refused and that nothing is touched; return why."""
    before = snapshot(out.parent)
    with pytest.raises(OutputError) as caught:
        run(job, out, **options)
    assert snapshot(out.parent) == before
    return str(caught.value)


@pytest.fixture(scope="module")
def made(make_job: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished data set `words` of two samples; copy it before changing it."""
    folder = tmp_path_factory.mktemp("made")
    run(make_job(count=2), folder / "words")
    return folder


@pytest.fixture
def data_set(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "made")
    return tmp_path / "made" / "words"


# OUT.run.


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    "stranger",
    [
        "thesis.txt",
        "shards/notes.txt",
        "shards/000000.lmdb/a.txt",
        "merged/x/y.png",
        ".hidden",
        "shards/empty/",
    ],
)
def test_a_folder_with_strangers_is_not_touched(
    stranger: str, options: dict[str, bool], make_job: MakeJob, tmp_path: Path
) -> None:
    out = tmp_path / "exp"
    path = tmp_path / "exp.run" / stranger
    path.parent.mkdir(parents=True)
    path.mkdir() if stranger.endswith("/") else path.write_text("x")
    assert "holds other files" in refused(make_job(count=2), out, **options)


@pytest.mark.parametrize("options", OPTIONS[1:], ids=str)
def test_strangers_in_a_run_of_ours_are_named_and_kept(
    options: dict[str, bool], make_job: MakeJob, tmp_path: Path
) -> None:
    job, out = make_job(count=2), tmp_path / "exp"
    leave_run(job, out)
    (tmp_path / "exp.run" / "shards" / "thesis.txt").write_text("x")
    assert refused(job, out, **options) == (
        f"{out}.run holds other files (shards/thesis.txt), which are not removed. "
        "Choose another output folder."
    )


@pytest.mark.parametrize("options", OPTIONS[1:], ids=str)
@pytest.mark.parametrize("identity", [None, "", "{}", '{"seed": 1}', "[" * 10_000])
def test_a_folder_that_does_not_say_whose_it_is_is_not_touched(
    identity: str | None, options: dict[str, bool], make_job: MakeJob, tmp_path: Path
) -> None:
    run_folder = tmp_path / "exp.run"
    (run_folder / "shards" / "000000.lmdb").mkdir(parents=True)
    (run_folder / "shards" / "000000.lmdb" / "data.mdb").write_text("mine")
    if identity is not None:
        (run_folder / "identity.json").write_text(identity)
    assert "holds no identity.json that says whose it is" in refused(
        make_job(count=2), tmp_path / "exp", **options
    )


@pytest.mark.parametrize("options", OPTIONS[1:], ids=str)
def test_what_a_run_leaves_that_was_killed_at_once_is_taken(
    options: dict[str, bool], make_job: MakeJob, tmp_path: Path
) -> None:
    (tmp_path / "exp.run").mkdir()
    (tmp_path / "exp.run" / "lock").touch()
    (tmp_path / "exp.run" / "identity.json.partial-77").write_text("{")
    assert run(make_job(count=2), tmp_path / "exp", **options).made == 2
    assert not (tmp_path / "exp.run").exists()


def test_a_lock_with_something_in_it_is_not_ours(make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "exp.run").mkdir()
    (tmp_path / "exp.run" / "lock").write_text("the combination of my lock")
    assert "holds other files (lock)" in refused(make_job(count=2), tmp_path / "exp", resume=True)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(
    "link",
    ["exp", "exp.run", "exp.run/lock", "exp.run/shards", "exp.run/identity.json", "exp.run/merged",
     "exp.run/shards/000000.lmdb", "exp.config.toml", "exp.summary.json", "exp.rejected.png"],
)  # fmt: skip
@pytest.mark.parametrize("target", ["folder", "file", "nothing"])
def test_links_are_refused_and_what_is_behind_them_stays(
    link: str, target: str, options: dict[str, bool], make_job: MakeJob, tmp_path: Path
) -> None:
    job, out = make_job(count=2), tmp_path / "exp"
    behind = tmp_path / "behind"
    if target == "folder":
        behind.mkdir()
        (behind / "data.mdb").write_text("x")
        (behind / "thesis.txt").write_text("x")
    elif target == "file":
        behind.write_text("x")
    if link.startswith("exp.run/"):
        leave_run(job, out)
        found = tmp_path / link
        shutil.rmtree(found) if found.is_dir() else found.unlink(missing_ok=True)
    (tmp_path / link).symlink_to(behind)
    refused(job, out, **options)


def test_a_linked_folder_above_is_followed(make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "here").symlink_to(tmp_path / "disk")
    assert run(make_job(count=2), tmp_path / "here" / "exp").made == 2
    assert (tmp_path / "disk" / "exp" / "data.mdb").exists()


def test_a_file_that_appears_during_a_run_stays(make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "exp"
    leave_run(make_job(count=2), out)
    run_folder = tmp_path / "exp.run"
    assert not RUN.strangers(run_folder)
    (run_folder / "shards" / "thesis.txt").write_text("x")
    (run_folder / "shards" / "linked").symlink_to(tmp_path)
    RUN.delete(run_folder)
    assert sorted(snapshot(run_folder)) == ["shards", "shards/linked", "shards/thesis.txt"]


NAMES = st.one_of(
    st.text("abc01.-_ /", min_size=1, max_size=12),
    st.sampled_from(
        ["identity.json", "lock.txt", "shards/000001.json.bak", "shards/00001.json", "shards/000001.lmdb/x",
         "shards/000001", "merged.txt", "merged/data.mdb.1", "beside/config.toml~",
         "shards/staging.partial-x/a",         "shards/000001.partial-7/data.mdb/deeper", "data.mdb"]
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(NAMES)
def test_nothing_but_what_runs_make_is_ever_removed(name: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run_folder = Path(folder, "exp.run")
        path = run_folder / name.strip("/. ") if name.strip("/. ") else run_folder / "x"
        path.parent.mkdir(parents=True)
        path.write_text("thesis")
        named_as_ours = not RUN.strangers(run_folder)
        RUN.delete(run_folder)
        assert path.exists() != named_as_ours
        assert not named_as_ours or name in ("identity.json", "lock")


# Beside OUT.


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("suffix", [".config.toml", ".summary.json", ".rejected.png"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_files_beside_out_are_not_replaced(
    kind: str, suffix: str, options: dict[str, bool], make_job: MakeJob, tmp_path: Path
) -> None:
    out = tmp_path / "exp"
    path = tmp_path / f"exp{suffix}"
    path.mkdir() if kind == "folder" else path.write_text('{"mine": 1}')
    assert refused(make_job(count=2), out, **options) == (
        f"{path} is in the way: it is not of a data set that was made at {out}, so it is not replaced. "
        "Move it away, or choose another output folder."
    )


def test_what_lies_beside_a_data_set_is_its_own_or_is_refused(data_set: Path, make_job: MakeJob) -> None:
    paths, job = RunPaths(data_set), make_job(count=2)
    paths.config.write_text(paths.config.read_text() + "# mine\n[style]\n")
    assert "words.config.toml is in the way" in refused(job, data_set, overwrite=True)
    paths.config.unlink()
    paths.rejects.write_bytes(b"PNG")
    assert "words.rejected.png is in the way" in refused(job, data_set, overwrite=True)
    assert "words.rejected.png is in the way" in refused(job, data_set, resume=True)
    paths.rejects.unlink()
    summary = json.loads(paths.summary.read_text())
    summary["identity"]["seed"] = 77
    paths.summary.write_text(json.dumps(summary))
    assert "words.summary.json is in the way" in refused(job, data_set, overwrite=True)
    assert "words.summary.json is in the way" in refused(job, data_set, resume=True)
    paths.summary.unlink()
    assert run(job, data_set, overwrite=True).new_samples == 2


def test_the_recipe_may_be_the_settings_of_the_data_set_that_is_replaced(
    data_set: Path, make_job: MakeJob
) -> None:
    paths = RunPaths(data_set)
    mine = data_set.with_name("my-recipe.toml")
    os.link(paths.config, mine)  # a second name of the same file keeps what it holds
    before = mine.read_bytes()
    assert run(make_job("height_px=48", count=2), data_set, overwrite=True).made == 2
    assert tomllib.loads(paths.config.read_text())["height_px"] == 48
    assert mine.read_bytes() == before


def test_another_data_set_is_not_ours_to_replace(make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "mjsynth"
    with LmdbWriter.create(out) as writer:
        writer.write(Sample(b"\xff\xd8image", "word", 4, 4))
    for options in OPTIONS[1:]:
        assert "holds a data set that was not made here" in refused(make_job(count=2), out, **options)
    (out / "data.mdb").write_bytes(b"x" * 100)
    for options in OPTIONS[1:]:
        assert "cannot be told to be ours" in refused(make_job(count=2), out, **options)


def test_a_data_set_of_an_earlier_version_is_told_by_its_summary(data_set: Path, make_job: MakeJob) -> None:
    from siman_synth.storage.lmdb_reader import LmdbReader

    with LmdbReader.open(data_set) as reader:
        samples = list(reader)
    shutil.rmtree(data_set)
    with LmdbWriter.create(data_set) as writer:
        for sample in samples:
            writer.write(sample)
    assert run(make_job(count=3), data_set, overwrite=True).made == 3


def test_what_is_left_of_a_removed_data_set_is_named_and_overwritten(
    data_set: Path, make_job: MakeJob
) -> None:
    shutil.rmtree(data_set)
    job = make_job(count=2)
    assert "or overwrite this" in refused(job, data_set)
    assert run(job, data_set, overwrite=True).made == 2


def test_a_changed_data_set_is_not_called_done(data_set: Path, make_job: MakeJob) -> None:
    file = data_set / "data.mdb"
    data = bytearray(file.read_bytes())
    place = data.index(b"JFIF") + 300
    data[place] ^= 4
    file.write_bytes(data)
    message = refused(make_job(count=2), data_set, resume=True)
    assert message.startswith(f"{file} is not what its run wrote: it was changed or damaged since.")
    assert run(make_job(count=2), data_set, overwrite=True).made == 2


# Inputs that lie where the run writes.


def test_an_input_is_never_replaced(data_set: Path, make_job: MakeJob) -> None:
    paths = RunPaths(data_set)
    for changes in (
        {"styles": str(data_set)},
        {"styles": str(data_set / "data.mdb")},
        {"corpus": (str(paths.config),)},
    ):
        message = refused(make_job("style.min_contrast=0", count=2, **changes), data_set, overwrite=True)
        assert message.endswith("is read by this run, which would replace it. Choose another output folder.")


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_an_input_inside_the_folder_of_the_run_is_a_stranger(
    options: dict[str, bool], make_job: MakeJob, tmp_path: Path
) -> None:
    (tmp_path / "exp.run").mkdir()
    words = tmp_path / "exp.run" / "words.txt"
    words.write_text("Harbour\n")
    message = refused(make_job(corpus=(str(words),), count=2), tmp_path / "exp", **options)
    assert "holds other files (words.txt)" in message


@pytest.mark.slow
def test_out_inside_the_styles_lends_none(make_job: MakeJob, crop_folder: Path, tmp_path: Path) -> None:
    styles = Path(shutil.copytree(crop_folder, tmp_path / "crops"))
    strict = ("gate.ink=true", "gate.min_contrast=130", "execution.max_dropped=0.9")
    job = make_job(*strict, styles=str(styles), count=12, weights=weights_file())
    out = styles / "words"
    first = run(job, out)
    assert first.rejected.total
    assert (styles / "words.rejected.png").exists()
    assert run(job, out, resume=True).new_samples == 0
    again = run(job, out, overwrite=True)
    assert again.new_samples == first.made
    third = run(job, tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "data.mdb").read_bytes() == (out / "data.mdb").read_bytes()
    assert third.skipped["crops"].counts["sheet of rejected words beside a data set"] == 1


# Names and folders.


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("x" * 250, "the name is too long"),
        ("é" * 125, "the name is too long"),
        ("x" * 300 + "/words", "the name is too long"),
        ("/".join(["d" * 200] * 25), "the name is too long"),
        ("a\0b", "the name holds a character that names cannot hold"),
        ("\ud800", "the name holds a character that names cannot hold"),
    ],
    ids=["long", "long in bytes", "long folder", "long path", "NUL", "surrogate"],
)
def test_an_impossible_name_is_said_before_anything_is_opened(
    name: str, reason: str, make_job: MakeJob, tmp_path: Path
) -> None:
    with pytest.raises(OutputError) as caught:
        run(make_job(corpus=("there is no such corpus",)), tmp_path / name)
    shown = printable(tmp_path / name)
    assert str(caught.value) == f"Cannot write beside {shown}: {reason}. Choose another output folder."
    assert not list(tmp_path.iterdir())


def test_the_longest_possible_name_is_taken(make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / ("x" * (255 - len(".summary.json")))
    assert run(make_job(count=2), out).made == 2
    assert len(list(tmp_path.iterdir())) == 3


def test_a_trailing_slash_and_dots_do_not_matter(make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(count=2), Path(f"{tmp_path}/exp/"))
    assert "exists already" in refused(make_job(count=2), Path(f"{tmp_path}/./exp/."))


def test_a_read_only_folder_is_said_at_the_start_and_a_finished_run_there_is_finished(
    made: Path, tmp_path: Path, make_job: MakeJob
) -> None:
    disk = tmp_path / "disk"
    shutil.copytree(made, disk)
    with read_only(disk):
        with pytest.raises(OutputError) as caught:
            run(make_job(corpus=("there is no such corpus",)), disk / "other")
        assert str(caught.value) == (
            f"Cannot write beside {disk / 'other'}: it cannot be written to. Choose another output folder."
        )
        assert run(make_job(count=2), disk / "words", resume=True).new_samples == 0
        with pytest.raises(OutputError, match="cannot be written to"):
            run(make_job(count=2), disk / "words", overwrite=True)


def test_nothing_is_left_of_a_run_that_was_refused(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "exp"
    paths = RunPaths(out)
    with held(paths):
        assert paths.run.exists()
    assert not paths.run.exists()

    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("siman_synth.runs.generate.begin", failing)
    with pytest.raises(OutputError, match="Input/output error"):
        run(make_job(count=2), out)
    assert not list(tmp_path.iterdir())


def test_a_lock_that_its_holder_removed_is_not_held(tmp_path: Path) -> None:
    """The loser of a race has opened a file that the winner then removes: it must not go on with it."""
    from siman_synth import files

    path = tmp_path / "lock"
    real = files._lock  # type: ignore[attr-defined]

    def slow(descriptor: int, what: str) -> None:
        path.unlink()
        real(descriptor, what)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_lock", slow)
        with (
            pytest.raises(OutputError, match="has just ended its work on the run"),
            files.locked(path, "the run"),
        ):
            pytest.fail("held a lock that nobody else can see")


def leave_run(job: Job, out: Path) -> None:
    """Leave the folder of a run that was killed before its first shard."""
    from siman_synth.runs.inputs import check_inputs

    paths = RunPaths(out)
    paths.run.mkdir(parents=True)
    paths.lock.touch()
    begin(paths, job.identity(check_inputs(job).contents))
    require_free(paths, resume=True, overwrite=False)
