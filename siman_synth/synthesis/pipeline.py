"""A generation run from end to end: shards, resume, merge, summary.

While a run lasts, `OUT.run/` beside OUT holds its shards. When it is done OUT holds `data.mdb`
and `lock.mdb` alone, `OUT.config.toml` and `OUT.summary.json` lie beside it as plain files (and
`OUT.rejected.png` if the gate refused anything), and `OUT.run/` is gone: several readers open
every folder without subfolders below their root as an LMDB, so none may be left over.
"""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from siman_synth.config import fingerprint, to_toml
from siman_synth.errors import DatasetError, GenerationError, OutputError
from siman_synth.storage.contact_sheet import contact_sheet
from siman_synth.storage.lmdb_reader import LmdbReader
from siman_synth.storage.lmdb_writer import LmdbWriter
from siman_synth.synthesis.backends import LOKY, connected
from siman_synth.synthesis.executor import run_shards
from siman_synth.synthesis.finish import decode
from siman_synth.synthesis.inputs import CheckedInputs, check_inputs
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.run_folder import (
    RunPaths,
    begin,
    disk_errors,
    held,
    read_json,
    remove,
    require_free,
    require_same,
    write_whole,
)
from siman_synth.synthesis.shard_worker import ShardReport, read_marker, shard_folder
from siman_synth.tally import Tally

_MERGE_CHUNK = 1000
_REJECTS_ON_SHEET = 120


@dataclass(frozen=True, slots=True)
class GenerateResult:
    """How a run ended."""

    out: Path
    made: int
    dropped: int
    rejected: Tally
    """Attempts that failed and were drawn anew, by reason."""
    skipped: Mapping[str, Tally]
    """What was left out before the run: words, characters, fonts, crops."""
    seconds: float
    new_samples: int
    """Samples made by this call; the others were there already."""

    @property
    def images_per_second(self) -> float:
        """Samples made by this call a second, start-up and merge included."""
        return self.new_samples / max(self.seconds, 1e-9)

    def to_text(self) -> str:
        """Return the summary that ends a run."""
        lines = [f"{self.made} samples in {self.out}"]
        if self.new_samples:
            lines.append(
                f"{self.new_samples} made now in {self.seconds:.1f} s, {self.images_per_second:.1f} images/s"
            )
        else:
            lines.append("all of them were made earlier")
        if self.dropped:
            lines.append(f"{self.dropped} dropped, because every attempt failed")
        lines += [f"rejected and drawn anew: {line}" for line in self.rejected.lines()]
        lines += skipped_lines(self.skipped)
        return "\n".join(lines)


def skipped_lines(skipped: Mapping[str, Tally]) -> list[str]:
    """Return a line for each kind of input and reason that something was left out."""
    return [f"skipped {kind}: {line}" for kind, tally in skipped.items() for line in tally.lines()]


def generate(
    job: Job,
    out: Path,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    show_progress: bool | None = None,
    backend: str = LOKY,
    scheduler: str | None = None,
) -> GenerateResult:
    """Make `job.count` labeled samples in the LMDB `out`.

    Args:
        job: inputs, count, seed and settings; they alone decide the bytes.
        out: the data set's folder; it must not exist unless told otherwise.
        workers: processes, one if None; on a cluster the most shards in the making, all that it
            has room for if None. The bytes do not depend on it.
        resume: finish a run that was stopped; a finished one is left as it is.
        overwrite: remove what is there and begin anew, once the inputs were found usable.
        show_progress: True, False, or None to show a bar only on a terminal.
        backend: "loky" for processes on this machine, or a cluster: "dask" or "ray". Every
            machine of a cluster needs `out` and the inputs under the same names.
        scheduler: the cluster's address; None for the one that its environment variable names.

    Raises:
        SimanError: an input cannot be used, the output exists or belongs to another run, the
            disk is full, too many samples were dropped, workers died again and again, or there
            is no such cluster.
    """
    started = time.perf_counter()
    paths = RunPaths(out)
    require_free(paths, resume, overwrite)
    # The cluster first: opening the inputs may take minutes.
    with connected(backend, scheduler) as cluster:
        inputs = check_inputs(job)
        identity = job.identity(inputs.contents)
        if resume and paths.is_merged:
            return _finish_earlier(paths, identity)
        if overwrite and inputs.opened.styles.pool.path.resolve() == paths.out.resolve():
            raise OutputError(f"{paths.out} lends its styles to this run. Choose another --out.")

        with disk_errors(paths), held(paths):
            if overwrite:
                remove(paths)
            begin(paths, identity)
            done = {report.shard: report for report in _finished_shards(paths, job)}
            earlier = sum(report.made for report in done.values())
            dropped = sum(report.dropped for report in done.values())
            missing = [shard for shard in range(job.shard_count) if shard not in done]
            hidden = None if show_progress is None else not show_progress
            with (
                tqdm(total=job.count, initial=earlier, unit="image", disable=hidden) as bar,
                closing(run_shards(job, missing, paths.shards, inputs, workers, cluster)) as made,
            ):
                for report in made:
                    done[report.shard] = report
                    bar.update(report.made)
                    dropped += report.dropped
                    _require_few_dropped(job, paths, done, dropped)
            reports = [done[shard] for shard in range(job.shard_count)]
            _merge(paths, reports)
            _draw_rejects(paths, reports)
            result = _result(paths, reports, inputs, time.perf_counter() - started, earlier)
            _publish(paths, job, identity, result)
    return result


def _finish_earlier(paths: RunPaths, identity: dict[str, Any]) -> GenerateResult:
    """Return the result of a run that had been merged already, tidying what it left."""
    summary = read_json(paths.summary)
    if summary is None:
        raise OutputError(
            f"{paths.out} exists already, and {paths.summary.name}, which would say how it was made, "
            "is missing. Choose another --out, or pass --overwrite."
        )
    require_same(paths.out, summary["identity"], identity)
    shutil.rmtree(paths.run, ignore_errors=True)
    return GenerateResult(
        out=paths.out,
        made=summary["made"],
        dropped=summary["dropped"],
        rejected=Tally.from_json(summary["rejected"]),
        skipped={kind: Tally.from_json(values) for kind, values in summary["skipped"].items()},
        seconds=0.0,
        new_samples=0,
    )


def _finished_shards(paths: RunPaths, job: Job) -> Iterator[ShardReport]:
    """Yield the reports of the shards that need not be made again."""
    for shard in range(job.shard_count):
        report = read_marker(paths.shards, shard)
        if report is None:
            continue
        # A machine that lost its power may have kept a marker and lost what it vouches for.
        try:
            with LmdbReader.open(shard_folder(paths.shards, shard)) as reader:
                if len(reader) == report.made:
                    yield report
        except DatasetError:
            continue


def _require_few_dropped(job: Job, paths: RunPaths, done: dict[int, ShardReport], dropped: int) -> None:
    most = job.config.execution.max_dropped
    if dropped > most * job.count:
        reasons = Tally()
        for report in done.values():
            reasons.merge(report.rejected)
        raise GenerationError(
            f"{dropped} samples were dropped, more than execution.max_dropped = {most:g} of {job.count} "
            f"allows: {'; '.join(reasons.lines())}. Mend the inputs or raise execution.max_dropped, "
            f"and pass --overwrite to replace {paths.run}."
        )


def _merge(paths: RunPaths, reports: list[ShardReport]) -> None:
    with LmdbWriter.create(paths.merged, chunk=_MERGE_CHUNK) as writer:
        for report in reports:
            with LmdbReader.open(shard_folder(paths.shards, report.shard)) as reader:
                for sample in reader:
                    writer.write(sample)


def _result(
    paths: RunPaths, reports: list[ShardReport], inputs: CheckedInputs, seconds: float, earlier: int
) -> GenerateResult:
    rejected = Tally()
    for report in reports:
        rejected.merge(report.rejected)
    made = sum(report.made for report in reports)
    dropped = sum(report.dropped for report in reports)
    return GenerateResult(paths.out, made, dropped, rejected, inputs.skipped, seconds, made - earlier)


def _draw_rejects(paths: RunPaths, reports: Sequence[ShardReport]) -> None:
    """Leave a sheet of what the quality gate refused, so that a user can judge the gate."""
    rejects = [reject for report in reports for reject in report.rejects][:_REJECTS_ON_SHEET]
    paths.rejects.unlink(missing_ok=True)
    if rejects:
        captions = [f"{reject.label}: {reject.reason}" for reject in rejects]
        contact_sheet([decode(reject.image) for reject in rejects], captions).save(paths.rejects)


def _publish(paths: RunPaths, job: Job, identity: dict[str, Any], result: GenerateResult) -> None:
    """Give the merged data set its name. The rename is the moment at which a run is done."""
    summary = {
        "identity": identity,
        "fingerprint": fingerprint(identity),
        "made": result.made,
        "dropped": result.dropped,
        "rejected": result.rejected.to_json(),
        "skipped": {kind: tally.to_json() for kind, tally in result.skipped.items()},
        "seconds": round(result.seconds, 2),
        "images_per_second": round(result.images_per_second, 2),
    }
    write_whole(paths.config, to_toml(job.config))
    write_whole(paths.summary, json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    if paths.out.is_dir():
        paths.out.rmdir()
    paths.merged.replace(paths.out)
    # What is left is rubbish: not being able to remove it does not undo the run.
    shutil.rmtree(paths.run, ignore_errors=True)
