"""A data set that was finished before this call: compared, mended and tidied."""

import os
from collections.abc import Mapping
from typing import Any

from siman_synth.errors import OutputError
from siman_synth.files import content_hash
from siman_synth.runs.inputs import CheckedInputs
from siman_synth.runs.job import Job
from siman_synth.runs.ours import RUN
from siman_synth.runs.published import Summary, place_side_files, prepare
from siman_synth.runs.result import GenerateResult, Record
from siman_synth.runs.run_folder import RunPaths, read_identity, require_same
from siman_synth.storage.lmdb_format import DATA_FILE


def finish_earlier(
    paths: RunPaths, job: Job, record: Record, identity: Mapping[str, Any], inputs: CheckedInputs
) -> GenerateResult:
    """Return the result of a run that had been merged already, mending and tidying what it left."""
    if found := read_identity(paths.identity):
        require_same(paths.run, found, identity)
    require_same(paths.out, record.identity, identity)
    if Summary.read(paths.summary) is None and Summary.read(paths.beside / "summary.json") is None:
        skipped, rejected = inputs.skipped, record.rejected
        result = GenerateResult(paths.out, record.made, record.dropped, rejected, skipped, 0.0, 0)
        prepare(paths, job, result, record, paths.out)
        if os.path.lexists(paths.config):
            (paths.beside / "config.toml").unlink()
    place_side_files(paths)
    result = made_earlier(paths, record, identity)
    RUN.remove(paths.run)
    return result


def made_earlier(paths: RunPaths, record: Record, identity: Mapping[str, Any]) -> GenerateResult:
    """Return the result of a finished run from its summary, once the data set was found to be its own.

    Raises:
        OutputError: it belongs to another run, or was changed since.
    """
    require_same(paths.out, record.identity, identity)
    summary = Summary.read(paths.summary)
    if summary is None or summary.record.identity != record.identity:
        raise OutputError(f"{paths.summary} was changed by another process. Look at it, and start again.")
    data_file = paths.out / DATA_FILE
    if summary.data_sha256 not in (None, content_hash(data_file)):
        raise OutputError(
            f"{data_file} is not what its run wrote: it was changed or damaged since. Overwrite it to "
            "make it again, or choose another output folder."
        )
    return GenerateResult(paths.out, record.made, record.dropped, record.rejected, summary.skipped, 0.0, 0)
