"""Running shards: in this process, or in several through joblib."""

import errno
import os
import shutil
import signal
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

import torch
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from siman_synth.errors import GenerationError
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.shard_worker import ShardReport, make_shard, read_marker

_IDLE_ROUNDS = 3
_FULL_DISK_BYTES = 1 << 20


def run_shards(
    job: Job, shards: Sequence[int], folder: Path, usable: bytes | None, workers: int
) -> Generator[ShardReport, None, None]:
    """Make shards and yield their reports as they finish, in any order.

    A worker that dies (killed, out of memory) costs the shards that were in the making;
    they are tried again, as long as at least one shard in three rounds is finished.

    Raises:
        GenerationError: workers died three times and nothing was finished between.
        OSError: workers died because the disk is full.
    """
    if min(workers, len(shards)) <= 1:
        threads = torch.get_num_threads()
        try:
            for shard in shards:
                yield make_shard(job, shard, folder, usable)
        finally:
            torch.set_num_threads(threads)
        return
    pending = set(shards)
    idle_rounds = 0
    while pending:
        before = len(pending)
        try:
            with closing(_in_processes(job, sorted(pending), folder, usable, workers)) as reports:
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
            if shutil.disk_usage(folder).free < _FULL_DISK_BYTES:
                # LMDB maps its lock file; writing to a page without room is a bus error.
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            if idle_rounds == _IDLE_ROUNDS:
                raise GenerationError(
                    f"Workers died {_IDLE_ROUNDS} times without finishing anything; {len(pending)} shards "
                    "are missing. The machine may be short of memory: use fewer --workers and pass --resume."
                ) from error


def _in_processes(
    job: Job, shards: Sequence[int], folder: Path, usable: bytes | None, workers: int
) -> Generator[ShardReport, None, None]:
    parallel = Parallel(n_jobs=min(workers, len(shards)), return_as="generator_unordered", batch_size=1)
    leader = os.getpid()
    with _deaf_children():
        reports = parallel(delayed(_work)(leader, job, shard, folder, usable) for shard in shards)
    try:
        for report in reports:  # noqa: UP028 - "yield from" would close them where warnings show
            yield report
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
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(leader: int, job: Job, shard: int, folder: Path, usable: bytes | None) -> ShardReport:
    _end_with(leader)
    return make_shard(job, shard, folder, usable)


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
