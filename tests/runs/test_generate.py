"""A run from end to end: what it leaves, when it refuses, how it resumes."""

import dataclasses
import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from siman_synth.errors import FullDiskError, GenerationError, OutputError
from siman_synth.runs import run as pipeline
from siman_synth.runs.generate import generate
from siman_synth.runs.inputs import CheckedInputs, check_inputs
from siman_synth.runs.job import Job
from siman_synth.runs.markers import marker_file, read_marker, shard_folder
from siman_synth.runs.result import GenerateResult
from siman_synth.runs.run_folder import RunPaths, disk_errors
from siman_synth.runs.samples import Workshop, worker_workshop
from siman_synth.runs.shards import make_shard
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.tally import Tally

MakeJob = Callable[..., Job]


def digest(out: Path) -> str:
    return hashlib.sha256((out / "data.mdb").read_bytes()).hexdigest()


def run(job: Job, out: Path, **options: bool | int) -> GenerateResult:
    return generate(job, out, show_progress=False, **options)  # type: ignore[arg-type]


def stop_after(shards: int, job: Job, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave what a run leaves that is stopped after some shards."""

    def some(job: Job, missing: list[int], folder: Path, inputs: CheckedInputs, *_: object) -> object:
        workshop = Workshop(job, inputs.opened)
        for shard in missing[:shards]:
            yield make_shard(workshop, shard, folder)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "run_shards", some)
        with pytest.raises(KeyboardInterrupt):
            run(job, out)


@pytest.fixture(scope="module")
def finished(make_job: MakeJob, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, GenerateResult]:
    out = tmp_path_factory.mktemp("finished") / "words"
    return out, run(make_job(), out)


Finished = tuple[Path, GenerateResult]


def test_leaves_the_data_set_alone_and_two_files_beside_it(finished: Finished) -> None:
    out, result = finished
    assert sorted(path.name for path in out.iterdir()) == ["data.mdb", "lock.mdb"]
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip
    assert (result.made, result.new_samples, result.dropped) == (24, 24, 0)
    summary = json.loads((out.parent / "words.summary.json").read_text())
    assert (summary["made"], summary["dropped"], summary["identity"]["seed"]) == (24, 0, 3)
    assert "shard_size = 6" in (out.parent / "words.config.toml").read_text()


def test_every_sample_has_image_label_size_and_metadata(finished: Finished, word_file: Path) -> None:
    words = set(word_file.read_text().splitlines())
    with LmdbReader.open(finished[0]) as reader:
        assert reader.raw(b"num-samples") == b"24"
        assert len(list(reader.all_keys())) == 4 * 24 + 2
        record = json.loads(reader.raw(b"siman-synth") or b"")
        assert (record["made"], record["identity"]["seed"]) == (24, 3)
        for number in range(1, 25):
            image = Image.open(io.BytesIO(reader.raw(b"image-%09d" % number) or b""))
            assert (image.format, image.mode, image.height) == ("JPEG", "RGB", 32)
            assert reader.raw(b"wh-%09d" % number) == b"%d_%d" % image.size
            label = (reader.raw(b"label-%09d" % number) or b"").decode()
            assert label in words
            meta = json.loads(reader.raw(b"meta-%09d" % number) or b"")
            assert meta.keys() == {"font", "style", "corpus", "seed", "index", "attempt", "layout", "boxes"}
            assert (meta["index"], meta["seed"], meta["attempt"]) == (number - 1, 3, 0)
            assert (meta["corpus"], meta["style"][:4]) == ("words.txt", "crop")
            assert len(meta["boxes"]) == len(label)


def test_samples_are_stored_as_png_when_told_to(make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job("finish.image_format=png", "height_px=48", count=3), tmp_path / "o")
    with LmdbReader.open(tmp_path / "o") as reader:
        assert {Image.open(io.BytesIO(sample.image)).format for sample in reader} == {"PNG"}
        assert {sample.height_px for sample in reader} == {48}


def test_the_same_job_gives_the_same_bytes_for_any_number_of_workers(
    finished: Finished, make_job: MakeJob, tmp_path: Path
) -> None:
    assert run(make_job(), tmp_path / "again").made == 24
    assert run(make_job(), tmp_path / "two", workers=2).made == 24
    assert digest(tmp_path / "again") == digest(tmp_path / "two") == digest(finished[0])


def test_another_batch_size_gives_the_same_words_and_almost_the_same_pixels(
    finished: Finished, make_job: MakeJob, tmp_path: Path
) -> None:
    run(make_job("execution.batch_size=1"), tmp_path / "o")
    with LmdbReader.open(finished[0]) as one, LmdbReader.open(tmp_path / "o") as other:
        assert [(s.label, s.meta) for s in one] == [(s.label, s.meta) for s in other]
    with pytest.raises(OutputError, match=r"config.execution.batch_size: 1 there, 4 here"):
        run(make_job(), tmp_path / "o", resume=True)


def test_another_seed_gives_other_samples(finished: Finished, make_job: MakeJob, tmp_path: Path) -> None:
    run(make_job(seed=4), tmp_path / "o")
    with LmdbReader.open(finished[0]) as one, LmdbReader.open(tmp_path / "o") as other:
        assert [s.label for s in one] != [s.label for s in other]


def test_a_shard_is_the_same_whenever_it_is_made(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job()
    for folder, order in (("a", (1, 2)), ("b", (2, 1))):
        (tmp_path / folder).mkdir()
        for shard in order:
            make_shard(worker_workshop(job, check_inputs(job).seen), shard, tmp_path / folder)
    for shard in (1, 2):
        one, other = (shard_folder(tmp_path / folder, shard) for folder in "ab")
        assert digest(one) == digest(other)
        assert read_marker(tmp_path / "a", shard) == read_marker(tmp_path / "b", shard)


# Existing outputs.


def test_refuses_an_existing_output(make_job: MakeJob, tmp_path: Path) -> None:
    job, out = make_job(count=2), tmp_path / "words"
    run(job, out)
    before = digest(out)
    with pytest.raises(OutputError) as caught:
        run(job, out)
    assert str(caught.value) == f"{out} exists already. Choose another output folder, or overwrite this one."
    out.with_name("words.run").mkdir()
    with pytest.raises(OutputError) as caught:
        run(job, out)
    assert str(caught.value) == (
        f"{out}.run holds an unfinished run. Resume it, or overwrite it to start over."
    )
    assert digest(out) == before


def test_an_empty_folder_is_taken(make_job: MakeJob, tmp_path: Path) -> None:
    assert run(make_job(count=2), tmp_path).made == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.mdb", "lock.mdb"]
    for beside in (".config.toml", ".summary.json"):
        tmp_path.with_name(tmp_path.name + beside).unlink()


def test_overwrite_replaces_a_data_set_and_an_unfinished_run(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "words"
    run(make_job(count=2), out)
    stop_after(1, make_job(seed=9), tmp_path / "other", monkeypatch)
    shutil.move(tmp_path / "other.run", tmp_path / "words.run")
    assert run(make_job(count=7), out, overwrite=True).new_samples == 7
    with LmdbReader.open(out) as reader:
        assert len(reader) == 7
    assert not (tmp_path / "words.run").exists()


@pytest.mark.parametrize("option", ["overwrite", "resume", "neither"])
def test_a_folder_that_holds_strangers_is_not_touched(option: str, make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "photos"
    out.mkdir()
    (out / "data.mdb").write_bytes(b"x")
    (out / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(OutputError) as caught:
        run(make_job(count=2), out, **({} if option == "neither" else {option: True}))
    assert str(caught.value) == (
        f"{out} holds other files (holiday.jpg), which are not removed. Choose another output folder."
    )
    assert len(list(out.iterdir())) == 2
    assert not (tmp_path / "photos.run").exists()


def test_overwrite_removes_nothing_when_an_input_is_wrong(make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "words"
    run(make_job(count=2), out)
    with pytest.raises(Exception, match="No corpus"):
        run(make_job(corpus=("typo.txt",)), out, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip


def test_a_data_set_is_not_replaced_by_one_in_its_own_styles(make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "words"
    run(make_job(count=4), out)
    with pytest.raises(OutputError) as caught:
        run(make_job("style.min_contrast=0", styles=str(out)), out, overwrite=True)
    assert (
        str(caught.value)
        == f"{out} is read by this run, which would replace it. Choose another output folder."
    )
    with LmdbReader.open(out) as reader:
        assert len(reader) == 4


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_is_not_replaced(kind: str, make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "words"
    if kind == "file":
        out.write_text("notes")
    else:
        (tmp_path / "elsewhere").mkdir()
        out.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="is not a folder"):
        run(make_job(), out, overwrite=True)
    assert out.exists()


def test_resume_and_overwrite_exclude_each_other(make_job: MakeJob, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Ask for one of them"):
        run(make_job(), tmp_path / "o", resume=True, overwrite=True)


def test_a_folder_without_a_name_is_spelled_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert RunPaths(Path(".")).run == tmp_path / "here.run"
    with pytest.raises(OutputError, match="a folder with a name is needed"):
        RunPaths(Path("/"))


def test_an_output_that_cannot_be_written_is_refused(make_job: MakeJob, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "words"
    with pytest.raises(OutputError) as caught:
        run(make_job(), out)
    assert str(caught.value) == f"Cannot write beside {out}: Not a directory. Choose another output folder."


# Resuming.


@pytest.mark.parametrize("shards", [0, 2, 4])
def test_resume_finishes_to_the_same_bytes(
    shards: int, finished: Finished, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "words"
    stop_after(shards, make_job(), out, monkeypatch)
    assert not out.exists()
    result = run(make_job(), out, resume=True)
    assert (result.made, result.new_samples) == (24, 24 - 6 * shards)
    assert digest(out) == digest(finished[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "words", "words.config.toml", "words.summary.json",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "damage", ["marker gone", "marker empty", "shard gone", "shard truncated", "shard of another length"]
)
def test_a_damaged_shard_is_made_again(
    damage: str, finished: Finished, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "words"
    stop_after(3, make_job(), out, monkeypatch)
    shards = RunPaths(out).shards
    if damage == "marker gone":
        marker_file(shards, 1).unlink()
    elif damage == "marker empty":
        marker_file(shards, 1).write_text("")
    elif damage == "shard gone":
        shutil.rmtree(shard_folder(shards, 1))
    elif damage == "shard truncated":
        (shard_folder(shards, 1) / "data.mdb").write_bytes(b"")
    else:
        text = marker_file(shards, 1).read_text()
        marker_file(shards, 1).write_text(text.replace('"made": 6', '"made": 5'))
    assert run(make_job(), out, resume=True).new_samples == 12
    assert digest(out) == digest(finished[0])


def test_leftovers_of_a_kill_are_cleared(
    finished: Finished, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "words"
    stop_after(2, make_job(), out, monkeypatch)
    paths = RunPaths(out)
    (paths.shards / "000002.partial-7").mkdir()
    (paths.shards / "000002.partial-7" / "data.mdb").write_bytes(b"half")
    (paths.shards / "000002.json.partial").write_text("{")
    shutil.copytree(shard_folder(paths.shards, 0), paths.merged)
    assert run(make_job(), out, resume=True).made == 24
    assert digest(out) == digest(finished[0])


def test_resume_on_a_finished_run_does_nothing(make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "words"
    run(make_job(count=3), out)
    written = (out / "data.mdb").stat().st_mtime_ns
    out.with_name("words.run").mkdir()  # killed just before this was removed
    result = run(make_job(count=3), out, resume=True)
    assert result.to_text() == f"3 samples in {out}\nall of them were made earlier"
    assert (out / "data.mdb").stat().st_mtime_ns == written
    assert not out.with_name("words.run").exists()


@pytest.mark.parametrize("state", ["finished", "stopped"])
def test_resume_with_other_settings_names_the_first_that_differs(
    state: str, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "words"
    if state == "finished":
        run(make_job(), out)
    else:
        stop_after(1, make_job(), out, monkeypatch)
    where = out if state == "finished" else RunPaths(out).run
    for changes, difference in (
        ({"seed": 5}, "seed: 3 there, 5 here"),
        ({"count": 25, "seed": 5}, "n: 24 there, 25 here"),
        (
            {"config": make_job("finish.full_chroma=0.1").config},
            "config.finish.full_chroma: 0.5 there, 0.1 here",
        ),
    ):
        with pytest.raises(OutputError) as caught:
            run(dataclasses.replace(make_job(), **changes), out, resume=True)
        assert str(caught.value) == (
            f"{where} belongs to a run with other settings: {difference}. "
            "Resume with the same ones, choose another output folder, or overwrite this one."
        )
    with pytest.raises(OutputError, match="fonts_fingerprint"):
        run(make_job(fonts=("roboto",)), out, resume=True)


def test_a_missing_summary_is_written_again_from_the_data_set(make_job: MakeJob, tmp_path: Path) -> None:
    out = tmp_path / "words"
    run(make_job(count=2), out)
    paths = RunPaths(out)
    before = json.loads(paths.summary.read_text())
    paths.summary.unlink()
    with pytest.raises(OutputError, match=r"seed: 3 there, 4 here"):
        run(make_job(count=2, seed=4), out, resume=True)
    assert not paths.summary.exists()
    assert run(make_job(count=2), out, resume=True).new_samples == 0
    after = json.loads(paths.summary.read_text())
    for name in ("identity", "fingerprint", "made", "dropped", "rejected", "skipped", "data_sha256", "files"):
        assert after[name] == before[name]


def test_two_processes_never_work_on_one_run(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "words"
    stop_after(1, make_job(), out, monkeypatch)
    hold = "import fcntl,sys; f=open(sys.argv[1],'ab'); fcntl.flock(f,2); print('held',flush=True); input()"
    command = [sys.executable, "-c", hold, str(RunPaths(out).lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for option in ({"resume": True}, {"overwrite": True}, {}):
            with pytest.raises(OutputError) as caught:
                run(make_job(), out, **option)
            assert str(caught.value) == (
                f"Another process is working on {out}.run. Wait until it ends, or choose another output."
            )
        other.communicate("\n")
    assert run(make_job(), out, resume=True).new_samples == 18


# Rejections and drops.


def test_a_word_that_no_font_draws_is_drawn_anew_and_counted(make_job: MakeJob, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("Harbour\nнет\u4e00\nStreet\n", encoding="utf-8")
    result = run(make_job(corpus=(str(words),), fonts=("oswald", "anton")), tmp_path / "o")
    assert (result.made, result.dropped) == (24, 0)
    assert result.skipped["characters"].counts == {"that no font draws": 1}
    assert result.rejected.counts.keys() == {"word that no font draws"}
    assert result.rejected.total > 3
    text = result.to_text()
    assert "skipped characters: 1 that no font draws ('\u4e00' (U+4E00))" in text
    assert "word that no font draws (" in text
    assert "Drop the word" not in text
    with LmdbReader.open(tmp_path / "o") as reader:
        assert {sample.label for sample in reader} == {"Harbour", "Street"}


def test_an_index_is_dropped_after_so_many_attempts(make_job: MakeJob, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("Harbour\n\u4e00\n", encoding="utf-8")
    job = make_job("execution.max_attempts=2", "execution.max_dropped=0.9", corpus=(str(words),), count=40)
    result = run(job, tmp_path / "o")
    assert 0 < result.dropped < 25
    assert result.made + result.dropped == 40
    assert f"{result.dropped} dropped, because every attempt failed" in result.to_text()
    with LmdbReader.open(tmp_path / "o") as reader:
        assert len(reader) == result.made
        assert max((sample.meta or {})["attempt"] for sample in reader) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_too_many_drops_fail_the_run(workers: int, make_job: MakeJob, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("Harbour\n" + "\u4e00\n" * 9, encoding="utf-8")
    job = make_job("execution.max_attempts=2", corpus=(str(words),), count=100)
    with pytest.raises(GenerationError) as caught:
        run(job, tmp_path / "o", workers=workers)
    message = str(caught.value)
    assert "samples were dropped, more than execution.max_dropped = 0.02 of 100 allows: " in message
    assert "word that no font draws (None of the" in message
    assert message.endswith(
        f"Mend the inputs or raise execution.max_dropped, and overwrite {tmp_path / 'o'}.run."
    )
    assert not (tmp_path / "o").exists()


def test_a_corpus_that_cannot_be_drawn_at_all_fails_before_the_run(make_job: MakeJob, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("\u4e00\u4e01\n\u4e8c\n", encoding="utf-8")
    with pytest.raises(GenerationError, match=r"None of the first 64 words can be drawn. The first: None of"):
        run(make_job(corpus=(str(words),)), tmp_path / "o")
    assert not (tmp_path / "o.run").exists()


def test_crops_that_turn_bad_in_a_large_pool_are_counted(
    make_job: MakeJob, crop_folder: Path, tmp_path: Path
) -> None:
    for path in crop_folder.iterdir():
        shutil.copy(path, tmp_path)
        (tmp_path / f"bad-{path.name}").write_bytes(path.read_bytes()[:400])
    result = run(make_job("style.scan_limit=0", styles=str(tmp_path)), tmp_path.with_name("o"))
    assert result.made == 24
    assert result.rejected.counts.keys() == {"crop: truncated"}


# Errors of the disk.


def test_a_full_disk_says_how_to_go_on(tmp_path: Path) -> None:
    paths = RunPaths(tmp_path / "words")
    full = f"The disk is full. Finished shards are kept in {paths.run}; free some space and resume the run."
    for error in (
        OSError(28, "No space left on device"),
        OSError(122, "Disk quota exceeded"),
        FullDiskError("The disk is full: x takes no more samples. Free some space."),
    ):
        with pytest.raises(OutputError) as caught, disk_errors(paths):
            raise error
        assert str(caught.value) == full
    mended = r"cannot go on: .*Read-only file system: 'x'.* and resume the run"
    with pytest.raises(OutputError, match=mended), disk_errors(paths):
        raise OSError(30, "Read-only file system", "x")
    with pytest.raises(OutputError, match=r"^Label"), disk_errors(paths):
        raise OutputError("Label 'x' is empty.")


def test_the_summary_tells_made_dropped_rejected_and_skipped() -> None:
    rejected, crops = Tally(), Tally()
    rejected.add("word: too wide", "'MMMM' in font 'x' would be 40 times as wide as high", count=2)
    crops.add("truncated", "a.jpg")
    result = GenerateResult(Path("words"), 9, 1, rejected, {"lines": Tally(), "crops": crops}, 2.0, 4)
    assert result.to_text().splitlines() == [
        "9 samples in words",
        "4 made now in 2.0 s, 2.0 images/s",
        "1 dropped, because every attempt failed",
        "rejected and resampled: 2 word: too wide ('MMMM' in font 'x' would be 40 times as wide as high, …)",
        "skipped crops: 1 truncated (a.jpg)",
    ]
