"""Running shards: in this process, in several through joblib, or on a cluster."""

import errno
import os
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import lru_cache
from multiprocessing import resource_tracker
from pathlib import Path

import torch
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from siman_synth.errors import GenerationError
from siman_synth.synthesis.cluster import Cluster, WorkersDiedError, make_on_cluster
from siman_synth.synthesis.inputs import CheckedInputs, Seen
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.shard_worker import ShardReport, Workshop, make_shard, read_marker, worker_workshop

_IDLE_ROUNDS = 3
_FULL_DISK_BYTES = 1 << 20


def run_shards(
    job: Job,
    shards: Sequence[int],
    folder: Path,
    inputs: CheckedInputs,
    workers: int | None = None,
    cluster: Cluster | None = None,
) -> Generator[ShardReport, None, None]:
    """Make shards and yield their reports as they finish, in any order.

    A worker that dies (killed, out of memory) costs the shards that were in the making; they
    are tried again a bounded number of times.

    Args:
        job: the run.
        shards: which parts of it.
        folder: the run's shard folder.
        inputs: what the leader opened and found.
        workers: processes, one if None; on a cluster the most shards in the making, all that it
            has room for if None.
        cluster: where to run, None for this machine.

    Raises:
        GenerationError: workers died again and again, or there are none.
        OSError: workers died because the disk is full.
    """
    try:
        if cluster is not None:
            yield from make_on_cluster(cluster, job, shards, folder, workers)
        elif min(workers or 1, len(shards)) > 1:
            yield from _in_rounds(job, shards, folder, inputs.seen, workers or 1)
        else:
            yield from _in_this_process(Workshop(job, inputs.opened), shards, folder)
    except WorkersDiedError as error:
        if shutil.disk_usage(folder).free < _FULL_DISK_BYTES:
            # LMDB maps its lock file; writing to a page without room is a bus error.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise GenerationError(f"{error}, and pass --resume.") from error


def _in_this_process(
    workshop: Workshop, shards: Sequence[int], folder: Path
) -> Generator[ShardReport, None, None]:
    threads = torch.get_num_threads()
    try:
        for shard in shards:
            yield make_shard(workshop, shard, folder)
    finally:
        torch.set_num_threads(threads)


def _in_rounds(
    job: Job, shards: Sequence[int], folder: Path, seen: Seen, workers: int
) -> Generator[ShardReport, None, None]:
    """Begin a new round when a worker died, as long as one shard in three rounds is finished."""
    pending = set(shards)
    idle_rounds = 0
    while pending:
        before = len(pending)
        try:
            with closing(_in_processes(job, sorted(pending), folder, seen, workers)) as reports:
                for report in reports:
                    pending.discard(report.shard)
                    yield report
        except TerminatedWorkerError as error:
            # A shard may have been finished without its report having come through.
            for shard in sorted(pending):
                if found := read_marker(folder, shard):
                    pending.discard(shard)
                    yield found
            idle_rounds = 0 if len(pending) < before else idle_rounds + 1
            if idle_rounds == _IDLE_ROUNDS or shutil.disk_usage(folder).free < _FULL_DISK_BYTES:
                raise WorkersDiedError(
                    f"Workers died {_IDLE_ROUNDS} times without finishing anything; {len(pending)} shards "
                    "are missing. The machine may be short of memory: use fewer --workers"
                ) from error


def _in_processes(
    job: Job, shards: Sequence[int], folder: Path, seen: Seen, workers: int
) -> Generator[ShardReport, None, None]:
    parallel = Parallel(n_jobs=min(workers, len(shards)), return_as="generator_unordered", batch_size=1)
    leader = os.getpid()
    with ExitStack() as stack:
        with _deaf_children():
            reports = parallel(delayed(_work)(leader, job, shard, folder, seen) for shard in shards)
            stack.enter_context(_closed_quietly(reports))
        for report in reports:  # noqa: UP028 - "yield from" would close them where warnings show
            yield report


@contextmanager
def _closed_quietly(reports: Generator[ShardReport, None, None]) -> Iterator[None]:
    try:
        yield
    finally:
        with warnings.catch_warnings():
            # joblib's advice about tasks that it cancels: this run is being stopped.
            warnings.simplefilter("ignore", UserWarning)
            reports.close()


@contextmanager
def _deaf_children() -> Iterator[None]:
    """Let processes that start meanwhile inherit a blocked SIGINT.

    A terminal sends Ctrl-C to every process. Ending the workers is the leader's task; one that is
    still importing would die of it with a traceback. The leader hears it when the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # Started by the first worker, it would unblock SIGINT again (in Python 3.11), before that worker starts.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(leader: int, job: Job, shard: int, folder: Path, seen: Seen) -> ShardReport:
    _end_with(leader)
    return make_shard(worker_workshop(job, seen), shard, folder)


@lru_cache(maxsize=1)
def _end_with(leader: int) -> None:
    """Let this worker end with the process that leads it.

    A leader that is killed cannot tell its workers, and they would go on making what they were
    given, beside those of the resumed run.
    """

    def watch() -> None:
        while os.getppid() == leader:
            time.sleep(0.2)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
