"""A generation run from end to end: shards, resume, merge, summary.

While a run lasts, `OUT.run/` beside OUT holds its shards. When it is done OUT holds `data.mdb`
and `lock.mdb` alone, `OUT.config.toml` and `OUT.summary.json` lie beside it as plain files (and
`OUT.rejected.png` if the gate rejected anything), and `OUT.run/` is gone: several readers open
every folder without subfolders below their root as an LMDB, so none may be left over.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from siman_synth import stopping
from siman_synth.errors import ConfigError
from siman_synth.files import whole_file
from siman_synth.imaging.codec import decode
from siman_synth.imaging.contact_sheet import contact_sheet
from siman_synth.models.device import resolve_device
from siman_synth.runs.backends import LOCAL, connected
from siman_synth.runs.claim import remove_earlier, require_apart, require_free
from siman_synth.runs.earlier import finish_earlier, made_earlier
from siman_synth.runs.inputs import check_inputs
from siman_synth.runs.job import Job, require_job
from siman_synth.runs.markers import ShardReport
from siman_synth.runs.ours import RUN
from siman_synth.runs.published import prepare, publish
from siman_synth.runs.result import GenerateResult
from siman_synth.runs.run import Run
from siman_synth.runs.run_folder import RunPaths, begin, disk_errors, held

_REJECTS_ON_SHEET = 120


def generate(
    job: Job,
    out: str | Path,
    workers: int | None = None,
    resume: bool = False,
    overwrite: bool = False,
    show_progress: bool | None = None,
    backend: str = LOCAL,
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
        backend: "local" for processes on this machine, or a cluster: "dask" or "ray". Every
            machine of a cluster needs `out` and the inputs under the same names.
        scheduler: the cluster's address; None for the one that its environment variable names.

    Raises:
        SimanError: an input cannot be used, the output exists or belongs to another run, the
            disk is full, too many samples were dropped, workers died again and again, or there
            is no such cluster.
    """
    started = time.perf_counter()
    _check_call(job, out, workers)
    paths = RunPaths(Path(out))
    require_free(paths, resume, overwrite)
    # The cluster first: opening the inputs may take minutes.
    with connected(backend, scheduler) as cluster:
        if cluster is None:
            resolve_device(job.device)
        inputs = check_inputs(job)
        identity = job.identity(inputs.contents)
        require_apart(paths, inputs.opened)
        record = require_free(paths, resume, overwrite)
        if resume and record and not os.path.lexists(paths.run) and paths.summary.exists():
            return made_earlier(paths, record, identity)  # also where nothing can be written
        with stopping.stops_at_checks(), disk_errors(paths), held(paths):
            # Again, now that nobody else changes it: another process may have come first.
            record = require_free(paths, resume, overwrite, is_held=True)
            if overwrite:
                remove_earlier(paths)
            elif record:
                return finish_earlier(paths, job, record, identity, inputs)
            begin(paths, identity)
            run = Run(job, paths, inputs, identity, workers, cluster)
            with run.progress(show_progress):
                run.find_finished()
                run.make_missing()
                merged = run.merge()
            _draw_rejects(paths, run.reports(), [font.path for font in inputs.opened.fonts.fonts])
            result = replace(run.result(merged), seconds=time.perf_counter() - started)
            prepare(paths, job, result, merged, paths.merged)
            publish(paths)
            # What is left is rubbish: not being able to remove it does not undo the run.
            RUN.remove(paths.run)
    return result


def _check_call(job: Job, out: str | Path, workers: int | None) -> None:
    require_job(job, "generate", count=1000)
    if out == "":
        raise ConfigError("The output's name is empty. Give a folder to make.")
    if workers is not None and (type(workers) is not int or workers < 1):
        raise ConfigError(f"workers must be a whole number of 1 or more, or None, found {workers!r}.")


def _draw_rejects(paths: RunPaths, reports: Sequence[ShardReport], fonts: Sequence[Path]) -> None:
    """Draw a sheet of what the quality gate rejected, so that a user can judge the gate."""
    rejects = [reject for report in reports for reject in report.rejects][:_REJECTS_ON_SHEET]
    if rejects:
        captions = [f"{reject.label}: {reject.reason}" for reject in rejects]
        sheet = contact_sheet([decode(reject.image) for reject in rejects], captions, fonts=fonts)
        paths.beside.mkdir(exist_ok=True)
        with whole_file(paths.beside / "rejected.png") as partial:
            sheet.save(partial, "PNG")
