"""Running shards: in this process, in several on this machine, or on a cluster."""

import errno
import os
import shutil
from collections import Counter
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import SimpleQueue

import torch

from siman_synth import stopping
from siman_synth.errors import GenerationError
from siman_synth.runs.cluster import Cluster, WorkersDiedError, make_on_cluster
from siman_synth.runs.inputs import CheckedInputs, Seen
from siman_synth.runs.job import Job
from siman_synth.runs.markers import ShardReport
from siman_synth.runs.samples import Workshop
from siman_synth.runs.shards import make_shard, make_shard_for_leader
from siman_synth.runs.workers import WorkerDiedError, workers

_TRIES = 3
_FULL_DISK_BYTES = 1 << 20


def run_shards(
    job: Job,
    shards: Sequence[int],
    folder: Path,
    inputs: CheckedInputs,
    most: int | None = None,
    cluster: Cluster | None = None,
) -> Generator[ShardReport, None, None]:
    """Make shards and yield their reports as they finish, in any order.

    A worker that dies (killed, out of memory) costs the shard that it was making; it is tried again
    a bounded number of times.

    Args:
        job: the run.
        shards: which parts of it.
        folder: the run's shard folder.
        inputs: what the leader opened and found.
        most: worker processes, one if None; on a cluster the most shards in the making, all that it
            has room for if None.
        cluster: where to run, None for this machine.

    Raises:
        GenerationError: workers died again and again, or there are none.
        OSError: workers died because the disk is full.
        Stopped: a signal asked for the end; no worker is left.
    """
    try:
        if cluster is not None:
            yield from make_on_cluster(cluster, job, shards, folder, most)
        elif min(most or 1, len(shards)) > 1:
            yield from _in_processes(job, shards, folder, inputs.seen, min(most or 1, len(shards)))
        else:
            yield from _in_this_process(Workshop(job, inputs.opened), shards, folder)
    except WorkersDiedError as error:
        if _is_full(folder):
            # LMDB maps its lock file; writing to a page without room is a bus error.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise GenerationError(f"{error}, and resume the run.") from error


def _in_this_process(
    workshop: Workshop, shards: Sequence[int], folder: Path
) -> Generator[ShardReport, None, None]:
    threads = torch.get_num_threads()
    try:
        for shard in shards:
            stopping.check()
            yield make_shard(workshop, shard, folder)
    finally:
        torch.set_num_threads(threads)


def _in_processes(
    job: Job, shards: Sequence[int], folder: Path, seen: Seen, count: int
) -> Generator[ShardReport, None, None]:
    deaths: Counter[int] = Counter()
    flying: dict[Future[ShardReport], int] = {}
    landed: SimpleQueue[Future[ShardReport]] = SimpleQueue()
    with workers(count, partial(make_shard_for_leader, job, seen, folder)) as crew:

        def begin(shard: int) -> None:
            future = crew.submit(shard)
            flying[future] = shard
            future.add_done_callback(landed.put)

        for shard in shards:
            begin(shard)
        while flying:
            future = stopping.get(landed)
            shard = flying.pop(future)
            try:
                report = future.result()
            except WorkerDiedError as error:
                deaths[shard] += 1
                if deaths[shard] == _TRIES or _is_full(folder):
                    raise WorkersDiedError(
                        f"Workers died again and again while they made shard {shard}. "
                        "The machine may be short of memory: use fewer workers"
                    ) from error
                begin(shard)
            else:
                yield report


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < _FULL_DISK_BYTES
