"""What a run may not do to a user's files, and what a signal or a full disk leaves of it."""

import importlib
import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from siman_synth.crops.cache import CropCache
from siman_synth.crops.pool import CropPool
from siman_synth.errors import OutputError
from siman_synth.files import locked
from siman_synth.models.checkpoint import load_generator
from siman_synth.pretraining.previews import Previews
from siman_synth.training.checkpoints import Checkpoints
from tests.pretraining.tiny_run import Run, Tiny, assert_equal_runs, steps_saved


@pytest.fixture
def crops(crop_folder: Path, tmp_path: Path) -> Path:
    """A copy of the drawn crops, to be changed."""
    return Path(shutil.copytree(crop_folder, tmp_path / "crops"))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_other_crops_are_refused_on_resume(tiny: Tiny, run: Run, crops: Path, tmp_path: Path) -> None:
    run(tiny("training.steps=1"), tmp_path / "run", crops=crops)
    whole = (crops / "crop00.png").read_bytes()
    (crops / "crop00.png").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # of the same size
    before = everything(tmp_path / "run")
    with pytest.raises(
        OutputError, match=r"has other settings or inputs: contents of the crops: '\w+' there"
    ):
        run(tiny(), tmp_path / "run", resume=True, crops=crops)
    assert everything(tmp_path / "run") == before
    (crops / "crop00.png").write_bytes(whole)
    assert run(tiny(), tmp_path / "run", resume=True, crops=crops).steps == 10


def test_the_checkpoint_knows_the_crops_too(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    """A checkpoint that was copied from another run is not believed."""
    run(tiny("training.steps=1"), tmp_path / "one")
    run(tiny("training.steps=2", "augmentation.blur=0.1"), tmp_path / "other")
    shutil.copy(
        tmp_path / "one/checkpoints/state-00000001.pt", tmp_path / "other/checkpoints/state-00000009.pt"
    )
    with pytest.raises(OutputError, match=r"augmentation\.blur: 0\.4 there, 0\.1 here"):
        run(tiny("augmentation.blur=0.1"), tmp_path / "other", resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_an_output_among_the_crops_is_refused(
    tiny: Tiny, run: Run, crops: Path, tmp_path: Path, resume: bool
) -> None:
    (tmp_path / "alias").symlink_to(crops)
    for out in (crops / "run", crops / "deep" / "run", crops, tmp_path / "alias" / "run"):
        with pytest.raises(
            OutputError, match=r"so that its pictures would become crops|other files|is a link"
        ):
            run(tiny(), out, resume=resume, crops=crops)
    assert len(list(crops.iterdir())) == 24


def test_pictures_of_an_earlier_run_are_no_crops(
    tiny: Tiny, run: Run, crop_folder: Path, crops: Path, tmp_path: Path
) -> None:
    run(tiny("training.steps=5"), crops.parent / "earlier")
    shutil.move(crops.parent / "earlier", crops / "earlier")
    pool = CropPool.open(crops)
    assert len(pool) == 24
    assert list(pool.skipped.lines()) == ["1 folder of a training run (earlier)"]
    lines: list[str] = []
    run(tiny("training.steps=1"), tmp_path / "run", crops=crops, say=lines.append)
    assert lines[:2] == [
        "24 crops for training, 1 skipped",
        "  skipped: 1 folder of a training run (earlier)",
    ]


def test_a_second_process_gets_a_sentence(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with locked(tmp_path / "run" / "lock", "the first"):
        for resume in (False, True):
            with pytest.raises(
                OutputError, match=r"^Another process is working on .*run\. Wait until it ends"
            ):
                run(tiny(), tmp_path / "run", resume=resume)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["lock"]


@contextmanager
def largest_file(bytes_: int) -> Iterator[None]:
    """Let no file grow beyond a size, which fails as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def leftovers(out: Path) -> list[str]:
    return [path.name for path in out.rglob("*") if "partial" in path.name]


def test_a_full_disk_at_a_checkpoint_is_a_sentence_and_loses_nothing(
    tiny: Tiny, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tiny(), tmp_path / "whole")
    real, out = Checkpoints.save, tmp_path / "run"

    def full_at_ten(self: Checkpoints, step: int, *more: object) -> Path:
        with largest_file(20_000 if step == 10 else resource.RLIM_INFINITY):
            return real(self, step, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Checkpoints, "save", full_at_ten)
    with pytest.raises(
        OutputError,
        match=r"^The disk is full\. state-00000005\.pt is kept in .*run; free some space and resume",
    ):
        run(tiny(), out)
    assert leftovers(out) == []
    monkeypatch.undo()
    run(tiny(), out, resume=True)
    assert_equal_runs(out, tmp_path / "whole", 10)


@pytest.mark.parametrize("limit", [0, 100, 1000, 10_000, 50_000, 100_000])
def test_a_full_disk_anywhere_leaves_nothing_half_written(
    tiny: Tiny, run: Run, tmp_path: Path, limit: int
) -> None:
    out = tmp_path / "run"
    with (
        pytest.raises(OutputError, match=r"^The disk is full\. .* in .*run; free some space"),
        largest_file(limit),
    ):
        run(tiny(), out)
    assert leftovers(out) == []
    assert run(tiny(), out, resume=True).steps == 10


def test_a_damaged_checkpoint_is_passed_over_and_the_numbers_are_the_same(
    tiny: Tiny, run: Run, tmp_path: Path
) -> None:
    run(tiny(), tmp_path / "whole")
    run(tiny(), tmp_path / "run")
    newest = tmp_path / "run" / "checkpoints" / "state-00000010.pt"
    newest.write_bytes(newest.read_bytes()[:1000] + bytes(50_000))
    lines: list[str] = []
    run(tiny(), tmp_path / "run", resume=True, say=lines.append)
    assert any(line.startswith(f"Checkpoint {newest} is damaged (") for line in lines)
    assert_equal_runs(tmp_path / "run", tmp_path / "whole", 10)


def before(target: object, name: str, monkeypatch: pytest.MonkeyPatch, call: int, number: int) -> None:
    """Send this process a signal before the `call`-th call of a function."""
    real: Callable[..., object] = getattr(target, name)
    calls = iter(range(1, 1000))

    def wrapped(*arguments: object, **named: object) -> object:
        if next(calls) == call:
            signal.raise_signal(number)
        return real(*arguments, **named)

    monkeypatch.setattr(target, name, wrapped)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("target", "name", "call", "steps"),
    [
        (CropPool, "fingerprint", 1, 0),
        (CropPool, "decode", 7, 0),
        (CropCache, "open", 1, 1),
        ("siman_synth.pretraining.step", "train_step", 3, 3),
        (Previews, "make", 1, 6),
        (Checkpoints, "save", 1, 6),
        ("siman_synth.training.checkpoints", "sync_folder", 1, 6),
        ("siman_synth.pretraining.run", "export", 1, 6),  # the snapshot before the checkpoint of step 5
        ("siman_synth.pretraining.run", "export", 4, 10),
    ],
)
def test_a_signal_anywhere_stops_cleanly_and_resume_is_uninterrupted(
    tiny: Tiny,
    run: Run,
    whole_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: object,
    name: str,
    call: int,
    steps: int,
    number: int,
) -> None:
    out = tmp_path / "run"
    before(
        importlib.import_module(target) if isinstance(target, str) else target,
        name,
        monkeypatch,
        call,
        number,
    )
    result = run(tiny(), out)
    monkeypatch.undo()
    assert result.interrupted
    assert result.steps == steps
    assert leftovers(out) == []
    assert steps_saved(out)[-1:] == ([steps] if steps else [])
    if result.weights is not None:
        assert load_generator(result.weights).provenance["step"] == steps
    assert not run(tiny(), out, resume=True).interrupted
    assert_equal_runs(out, whole_run, 10)


@pytest.fixture(scope="module")
def whole_run(tiny: Tiny, crop_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from siman_synth.pretraining.run import pretrain

    out = tmp_path_factory.mktemp("whole") / "run"
    pretrain(tiny(), crop_folder, out, device="cpu", show_progress=False)
    return out


def test_names_that_are_not_utf8(tiny: Tiny, run: Run, crop_folder: Path, tmp_path: Path) -> None:
    """Names of any bytes, in crops, output, cache and weights to start from: run, resumed, started from."""
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    shutil.copytree(crop_folder, odd)
    (odd / "crop00.png").rename(odd / os.fsdecode(b"\xe9t\xe9.png"))
    out = tmp_path / os.fsdecode(b"run\xff")
    lines: list[str] = []
    run(
        tiny("training.steps=5"), out, crops=odd, cache=tmp_path / os.fsdecode(b"cache\xfe"), say=lines.append
    )
    assert run(tiny(), out, resume=True, crops=odd).steps == 10
    for file in ("siman.safetensors", "checkpoints/state-00000010.pt"):
        run(tiny("training.steps=1"), tmp_path / file.split("/")[0], crops=odd, init=out / file)
    assert "24 crops for training, 0 skipped" in lines


def test_a_file_where_the_run_needs_a_folder_is_a_sentence(tiny: Tiny, run: Run, tmp_path: Path) -> None:
    run(tiny("training.steps=1"), tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "panels")
    (tmp_path / "run" / "panels").write_text("mine")
    with pytest.raises(OutputError, match="panels is a file, and the run needs a folder there"):
        run(tiny(), tmp_path / "run", resume=True)
    assert (tmp_path / "run" / "panels").read_text() == "mine"
