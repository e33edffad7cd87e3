"""Contents decide, not names and sizes: before a run, when it is resumed, and while it lasts."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest

from siman_synth.errors import InputChangedError, OutputError, SimanError
from siman_synth.runs import run as making
from siman_synth.runs.generate import generate
from siman_synth.runs.inputs import CheckedInputs, Inputs, check_inputs
from siman_synth.runs.job import Job
from siman_synth.runs.run_folder import RunPaths
from siman_synth.runs.samples import Workshop, worker_workshop
from siman_synth.runs.shards import make_shard
from siman_synth.storage.lmdb_format import Sample
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.watched import WatchedFile
from tests.drawn_crops import drawn_crop

MakeJob = Callable[..., Job]
KINDS = ("styles", "styles in an LMDB", "corpus", "fonts", "weights")


class Scene:
    """Inputs of a run in a folder of their own, and what changes one without changing name or size."""

    def __init__(self, folder: Path, make_job: MakeJob, weights: Path) -> None:
        self.folder = folder
        self._make_job = make_job
        fonts = Path(__file__).parents[2] / "fonts"
        for name in ("crops", "fonts", "lmdb"):
            (folder / name).mkdir()
        for name, slug in (("a", "roboto"), ("b", "oswald")):
            shutil.copy(min((fonts / slug).glob("*.ttf")), folder / "fonts" / f"{name}.ttf")
        shutil.copy(weights, folder / "weights.safetensors")
        (folder / "words.txt").write_text("Harbour\nStreet\nGarage\n")
        self._write_crops(0)
        self._write_lmdb(0)

    def job(self, kind: str = "styles") -> Job:
        return self._make_job(
            styles=str(self.folder / ("lmdb" if "LMDB" in kind else "crops")),
            fonts=(str(self.folder / "fonts"),),
            weights=self.folder / "weights.safetensors",
            corpus=(str(self.folder / "words.txt"),),
            count=12,
        )

    def change(self, kind: str) -> None:
        """Change an input in place: same names, same sizes, same times, other contents."""
        files = {
            "styles": sorted((self.folder / "crops").iterdir()),
            "styles in an LMDB": [self.folder / "lmdb" / "data.mdb"],
            "corpus": [self.folder / "words.txt"],
            "fonts": sorted((self.folder / "fonts").iterdir()),
            "weights": [self.folder / "weights.safetensors"],
        }[kind]
        before = [(file.stat(), file.read_bytes()) for file in files]
        if kind == "styles":
            self._write_crops(50)
        elif kind == "styles in an LMDB":
            self._write_lmdb(50)
        for file, (status, data) in zip(files, before, strict=True):
            if file.suffix == ".txt":
                file.write_bytes(data.swapcase())
            elif file.suffix in (".ttf", ".safetensors"):
                file.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
            assert file.stat().st_size == status.st_size
            assert file.read_bytes() != data

    def _write_crops(self, first: int) -> None:
        for number in range(24):
            (self.folder / "crops" / f"crop{number:02d}.png").write_bytes(padded_png(first + number))

    def _write_lmdb(self, first: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with LmdbWriter.create(Path(folder, "lmdb")) as writer:
                for number in range(24):
                    writer.write(Sample(padded_png(first + number), None, 100, 32))
            # In place: a reader that has mapped the file sees it.
            (self.folder / "lmdb" / "data.mdb").write_bytes(Path(folder, "lmdb", "data.mdb").read_bytes())


def padded_png(seed: int) -> bytes:
    """Return a crop of 8,000 bytes; decoders ignore what follows its end."""
    _, data = cv2.imencode(".png", drawn_crop(seed))
    assert len(data) < 8000
    return bytes(data.tobytes()).ljust(8000, b"\0")


@pytest.fixture
def scene(tmp_path: Path, make_job: MakeJob, tiny_weights: Path) -> Scene:
    (tmp_path / "in").mkdir()
    return Scene(tmp_path / "in", make_job, tiny_weights)


def run(job: Job, out: Path, **options: bool | int) -> object:
    return generate(job, out, show_progress=False, **options)  # type: ignore[arg-type]


def make_some(
    shards: int, job: Job, out: Path, patch: pytest.MonkeyPatch, between: Callable[[], None] | None = None
) -> None:
    """Make some shards in one process; then change something, and make one more as a later worker would."""

    def some(job: Job, missing: list[int], folder: Path, inputs: CheckedInputs, *_: object) -> object:
        workshop = Workshop(job, inputs.opened)
        for shard in missing[:shards]:
            yield make_shard(workshop, shard, folder)
        if between is None:
            raise KeyboardInterrupt
        between()
        yield make_shard(Workshop(job, Inputs.open(job, inputs.seen)), missing[shards], folder)

    with patch.context() as within:
        within.setattr(making, "run_shards", some)
        run(job, out)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("state", ["stopped", "finished"])
def test_resume_with_other_contents_is_refused_and_says_which(
    state: str, kind: str, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, out = scene.job(kind), tmp_path / "words"
    if state == "finished":
        run(job, out)
    else:
        with pytest.raises(KeyboardInterrupt):
            make_some(1, job, out, monkeypatch)
    scene.change(kind)
    name = kind.split()[0]
    with pytest.raises(OutputError, match=rf"belongs to a run with other settings: {name}_fingerprint: "):
        run(job, out, resume=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_opens_later_uses_no_other_contents(
    kind: str, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, out = scene.job(kind), tmp_path / "words"
    with pytest.raises(SimanError, match="was changed") as caught:
        make_some(1, job, out, monkeypatch, lambda: scene.change(kind))
    assert isinstance(caught.value, InputChangedError)
    assert not out.exists()
    assert [path.name for path in RunPaths(out).shards.glob("*.json")] == ["000000.json"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_has_opened_its_inputs_notices_changes(kind: str, scene: Scene, tmp_path: Path) -> None:
    job = scene.job(kind)
    workshop = Workshop(job, Inputs.open(job, check_inputs(job).seen))
    scene.change(kind)
    os.utime(scene.folder / "words.txt")
    with pytest.raises((InputChangedError, OutputError), match="was changed"):
        make_shard(workshop, 0, tmp_path)
    assert not list(tmp_path.glob("*.json"))


def test_a_crop_that_vanishes_is_no_bad_crop(scene: Scene, tmp_path: Path) -> None:
    job = scene.job()
    workshop = Workshop(job, Inputs.open(job, check_inputs(job).seen))
    for crop in (scene.folder / "crops").iterdir():
        crop.unlink()
    with pytest.raises(InputChangedError, match=r"^Crop crop\d\d.png of .* was changed while it was in use"):
        make_shard(workshop, 0, tmp_path)


def test_crops_that_come_or_go_are_noticed_by_a_later_worker(scene: Scene) -> None:
    job = scene.job()
    seen = check_inputs(job).seen
    extra = scene.folder / "crops" / "crop99.png"
    shutil.copy(scene.folder / "crops" / "crop00.png", extra)
    with pytest.raises(InputChangedError, match="holds 25 crops, and held 24 when the run began"):
        Inputs.open(job, seen)
    (scene.folder / "crops" / "crop00.png").unlink()  # as many, under other numbers
    with pytest.raises(InputChangedError, match="was changed while it was in use"):
        _ = Inputs.open(job, seen).styles[0]


def test_files_that_are_touched_or_replaced_by_their_equals_do_not_matter(
    scene: Scene, tmp_path: Path
) -> None:
    job = scene.job()
    workshop = Workshop(job, Inputs.open(job, check_inputs(job).seen))
    for file in (scene.folder / "words.txt", scene.folder / "fonts" / "a.ttf"):
        os.utime(file, (1, 1))
        shutil.copy(file, file.with_suffix(".copy"))
        file.with_suffix(".copy").replace(file)
    assert make_shard(workshop, 0, tmp_path).made == 6


@pytest.mark.slow
def test_workers_in_processes_compare_too(scene: Scene, tmp_path: Path) -> None:
    """The real workers: one that is given what the leader found refuses inputs that were changed since."""
    job = scene.job()
    inputs = check_inputs(job)
    scene.change("corpus")
    (tmp_path / "shards").mkdir()
    from siman_synth.runs.executor import run_shards

    with pytest.raises(InputChangedError, match="corpus"):
        list(run_shards(job, [0, 1], tmp_path / "shards", inputs, 2))
    assert not list((tmp_path / "shards").iterdir())


def test_versions_are_part_of_the_identity(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, out = make_job(count=2), tmp_path / "words"
    identity = job.identity({})
    assert identity["versions"].keys() == {
        "freetype", "harfbuzz", "lmdb", "numpy", "opencv", "pillow", "torch", "unicode",
    }  # fmt: skip
    assert all(isinstance(version, str) and version for version in identity["versions"].values())
    run(job, out)
    monkeypatch.setattr(cv2, "__version__", "4.0.0")
    with pytest.raises(OutputError, match=r"versions.opencv: '[0-9.]+' there, '4\.0\.0' here"):
        run(job, out, resume=True)


def test_a_workshop_is_kept_for_equal_contents_alone(scene: Scene) -> None:
    job = scene.job()
    first = worker_workshop(job, check_inputs(job).seen)
    assert worker_workshop(job, check_inputs(job).seen) is first
    scene.change("styles")
    assert worker_workshop(job, check_inputs(job).seen) is not first


def test_a_watched_file_tells_same_from_changed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    watched = WatchedFile(file)
    assert len(watched.sha256) == 64
    watched.require_same()
    os.utime(file, (1, 1))
    watched.require_same()
    file.write_text("two")
    with pytest.raises(InputChangedError, match=f"^{file} was changed while it was in use"):
        watched.require_same()
    file.unlink()
    with pytest.raises(InputChangedError):
        watched.require_same()
    opened = WatchedFile(file)
    file.write_text("came later")
    with pytest.raises(InputChangedError):
        _ = opened.sha256
