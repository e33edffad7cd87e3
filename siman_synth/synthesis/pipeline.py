"""A generation run from end to end: shards, resume, merge, summary.

While a run lasts, `OUT.run/` beside OUT holds its shards. When it is done OUT holds
`data.mdb` and `lock.mdb` alone, `OUT.config.toml` and `OUT.summary.json` lie beside it as
plain files, and `OUT.run/` is gone: several readers open every folder without subfolders
below their root as an LMDB, so none may be left over.
"""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from siman_synth.config import first_difference, fingerprint, to_toml
from siman_synth.errors import GenerationError, OutputError
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.synthesis.executor import run_shards
from siman_synth.synthesis.inputs import Inputs, open_inputs
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.shard_worker import ShardReport, marker_file, shard_folder
from siman_synth.tally import Tally

_MERGE_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class GenerateResult:
    """How a run ended."""

    out: Path
    made: int
    dropped: int
    rejected: Tally
    skipped: Tally
    """What corpora, fonts and styles left out before the run."""
    seconds: float
    new_samples: int
    """Samples made by this call; the others were there already."""

    @property
    def images_per_second(self) -> float:
        """Samples made by this call a second, start-up and merge included."""
        return self.new_samples / max(self.seconds, 1e-9)

    def to_text(self) -> str:
        """Return the summary that ends a run."""
        lines = [
            f"{self.made} samples in {self.out}",
            f"{self.new_samples} made now in {self.seconds:.1f} s, {self.images_per_second:.1f} images/s",
        ]
        if self.dropped:
            lines.append(f"{self.dropped} dropped after every attempt failed")
        lines += [f"rejected and drawn anew: {line}" for line in self.rejected.lines()]
        lines += [f"skipped: {line}" for line in self.skipped.lines()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class RunPaths:
    """Where a run keeps what."""

    out: Path

    @property
    def run(self) -> Path:
        """The folder that exists while a run lasts."""
        return self.out.with_name(self.out.name + ".run")

    @property
    def shards(self) -> Path:
        """Finished shards and their markers."""
        return self.run / "shards"

    @property
    def merged(self) -> Path:
        """The data set before it gets its name."""
        return self.run / "merged"

    @property
    def identity(self) -> Path:
        """What decides the bytes of the run."""
        return self.run / "identity.json"

    @property
    def config(self) -> Path:
        """The resolved settings of the finished data set."""
        return self.out.with_name(self.out.name + ".config.toml")

    @property
    def summary(self) -> Path:
        """The counts and the identity of the finished data set."""
        return self.out.with_name(self.out.name + ".summary.json")


def generate(
    job: Job,
    out: Path,
    workers: int = 1,
    resume: bool = False,
    overwrite: bool = False,
    show_progress: bool | None = None,
) -> GenerateResult:
    """Make `job.count` labeled samples in the LMDB `out`.

    Args:
        job: inputs, count, seed and settings; they alone decide the bytes.
        out: the data set's folder; it must not exist unless told otherwise.
        workers: processes. The bytes do not depend on it.
        resume: finish a run that was stopped; a finished one is left as it is.
        overwrite: remove what is there and begin anew.
        show_progress: True, False, or None to show a bar only on a terminal.

    Raises:
        SimanError: an input cannot be used, the output exists or belongs to another run, the
            disk is full, or too many samples were dropped.
    """
    started = time.perf_counter()
    paths = RunPaths(out)
    if overwrite:
        _remove(paths)
    _require_free(paths, resume)
    inputs = open_inputs(job)
    identity = job.identity(inputs.contents)
    if finished := _finish_earlier(paths, identity, resume):
        return finished
    _begin(paths, identity)

    done = dict(_finished_shards(paths, job))
    earlier = sum(report.made for report in done.values())
    missing = [shard for shard in range(job.shard_count) if shard not in done]
    usable = inputs.styles.usable_bytes
    hidden = None if show_progress is None else not show_progress
    with tqdm(total=job.count, initial=earlier, unit="image", disable=hidden) as bar:
        for report in run_shards(job, missing, paths.shards, usable, workers):
            done[report.shard] = report
            bar.update(report.made)
            _require_few_dropped(job, done)
    reports = [done[shard] for shard in range(job.shard_count)]
    _merge(paths, reports)
    result = _result(paths, reports, inputs, time.perf_counter() - started, earlier)
    _publish(paths, job, identity, result)
    return result


def _remove(paths: RunPaths) -> None:
    if paths.out.is_dir():
        strangers = {entry.name for entry in paths.out.iterdir()} - {"data.mdb", "lock.mdb"}
        if strangers:
            raise OutputError(
                f"{paths.out} holds more than a data set ({min(strangers)}…). It is not removed; choose another --out."
            )
        shutil.rmtree(paths.out)
    shutil.rmtree(paths.run, ignore_errors=True)
    paths.summary.unlink(missing_ok=True)
    paths.config.unlink(missing_ok=True)


def _require_free(paths: RunPaths, resume: bool) -> None:
    if resume:
        return
    if paths.run.exists():
        raise OutputError(
            f"{paths.run} holds an unfinished run. Pass --resume to finish it, or --overwrite to begin anew."
        )
    if paths.out.exists() and (not paths.out.is_dir() or any(paths.out.iterdir())):
        raise OutputError(f"{paths.out} exists already. Choose another --out, or pass --overwrite.")


def _finish_earlier(paths: RunPaths, identity: dict[str, Any], resume: bool) -> GenerateResult | None:
    """Return the result of a run that had been merged already, tidying what it left."""
    if not resume or not (paths.out / "data.mdb").exists():
        return None
    summary = _read_json(paths.summary) or {}
    _require_same(paths.out, summary.get("identity", {}), identity)
    shutil.rmtree(paths.run, ignore_errors=True)
    return GenerateResult(
        out=paths.out,
        made=summary["made"],
        dropped=summary["dropped"],
        rejected=Tally.from_json(summary["rejected"]),
        skipped=Tally.from_json(summary["skipped"]),
        seconds=0.0,
        new_samples=0,
    )


def _begin(paths: RunPaths, identity: dict[str, Any]) -> None:
    found = _read_json(paths.identity)
    if found is not None:
        _require_same(paths.run, found, identity)
    try:
        paths.shards.mkdir(parents=True, exist_ok=True)
        for stale in paths.shards.glob("*.partial*"):
            shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        partial = paths.identity.with_suffix(".partial")
        partial.write_text(json.dumps(identity, indent=1), encoding="utf-8")
        partial.replace(paths.identity)
    except OSError as error:
        raise OutputError(f"Cannot write beside {paths.out}: {error.strerror}. Choose another --out.") from error


def _require_same(where: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    difference = first_difference(found, wanted)
    if difference is not None:
        raise OutputError(
            f"{where} belongs to a run with other settings: {difference}. "
            "Resume with the same ones, choose another --out, or pass --overwrite."
        )


def _finished_shards(paths: RunPaths, job: Job) -> Iterator[tuple[int, ShardReport]]:
    for shard in range(job.shard_count):
        marker = marker_file(paths.shards, shard)
        if marker.exists():
            yield shard, ShardReport.from_json(marker.read_text(encoding="utf-8"))


def _require_few_dropped(job: Job, done: dict[int, ShardReport]) -> None:
    dropped = sum(report.dropped for report in done.values())
    if dropped > job.config.execution.max_dropped * job.count:
        reasons = Tally()
        for report in done.values():
            reasons.merge(report.rejected)
        raise GenerationError(
            f"{dropped} samples were dropped, more than execution.max_dropped = "
            f"{job.config.execution.max_dropped:g} of {job.count} allows: {'; '.join(reasons.lines())}"
        )


def _merge(paths: RunPaths, reports: list[ShardReport]) -> None:
    shutil.rmtree(paths.merged, ignore_errors=True)
    with LmdbWriter.create(paths.merged, chunk=_MERGE_CHUNK) as writer:
        for report in reports:
            with LmdbReader.open(shard_folder(paths.shards, report.shard)) as reader:
                for sample in reader:
                    writer.write(sample)


def _result(
    paths: RunPaths, reports: list[ShardReport], inputs: Inputs, seconds: float, earlier: int
) -> GenerateResult:
    rejected, skipped = Tally(), Tally()
    for report in reports:
        rejected.merge(report.rejected)
    for tally in (inputs.mixture.skipped, inputs.fonts.skipped, inputs.styles.skipped):
        skipped.merge(tally)
    made = sum(report.made for report in reports)
    dropped = sum(report.dropped for report in reports)
    return GenerateResult(paths.out, made, dropped, rejected, skipped, seconds, made - earlier)


def _publish(paths: RunPaths, job: Job, identity: dict[str, Any], result: GenerateResult) -> None:
    """Give the merged data set its name. The rename is the moment at which a run is done."""
    paths.config.write_text(to_toml(job.config), encoding="utf-8")
    summary = {
        "identity": identity,
        "fingerprint": fingerprint(identity),
        "made": result.made,
        "dropped": result.dropped,
        "rejected": result.rejected.to_json(),
        "skipped": result.skipped.to_json(),
        "seconds": round(result.seconds, 2),
        "images_per_second": round(result.images_per_second, 2),
    }
    paths.summary.write_text(json.dumps(summary, indent=1, ensure_ascii=False), encoding="utf-8")
    if paths.out.is_dir():
        paths.out.rmdir()
    paths.merged.replace(paths.out)
    shutil.rmtree(paths.run)


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None
