"""Making one shard: its samples, an LMDB of them, and the marker that says it is finished."""

import os
from pathlib import Path

from siman_synth.files import content_hash, publish_folder
from siman_synth.runs.inputs import Seen
from siman_synth.runs.job import Job
from siman_synth.runs.markers import ShardReport, marker_file, shard_folder, write_marker
from siman_synth.runs.ours import delete_data_set
from siman_synth.runs.process import one_thread
from siman_synth.runs.samples import Workshop, make_samples, worker_workshop
from siman_synth.storage.lmdb_format import DATA_FILE
from siman_synth.storage.lmdb_writer import LmdbWriter

_REJECTS_SHOWN, _SHARDS_SHOWN = 4, 64
"""How many rejected pictures a shard keeps for the sheet of rejects, and how many shards do."""


def make_shard_for_leader(job: Job, seen: Seen, folder: Path, shard: int) -> ShardReport:
    """Make a shard in a process that does nothing else; see `make_shard`."""
    return make_shard(worker_workshop(job, seen), shard, folder)


def make_shard(workshop: Workshop, shard: int, folder: Path) -> ShardReport:
    """Make shard `shard` of the workshop's job in `folder` and leave its marker last.

    Raises:
        OutputError, OSError: the disk refused the samples.
        InputChangedError: what they are made from was changed since it was opened.
    """
    marker_file(folder, shard).unlink(missing_ok=True)
    with one_thread():
        made = make_samples(workshop, shard)
    # Before anything says that they are done: a font may have been replaced under an open face.
    workshop.inputs.require_unchanged()
    partial = folder / f"{shard:06d}.partial-{os.getpid()}"
    delete_data_set(partial)
    # A leader that has stopped has removed `folder` meanwhile.
    with LmdbWriter.create(partial, parents=False) as writer:
        for sample in made.samples:
            writer.write(sample)
    sha256 = content_hash(partial / DATA_FILE)
    final = shard_folder(folder, shard)
    delete_data_set(final)
    publish_folder(partial, final)
    shown = made.rejects[:_REJECTS_SHOWN] if shard < _SHARDS_SHOWN else ()
    report = ShardReport(
        shard, len(made.samples), made.dropped, made.rejected, tuple(shown), workshop.run, sha256
    )
    write_marker(folder, report)
    return report
