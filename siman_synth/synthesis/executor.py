"""Running shards: in this process, or in several through joblib."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from siman_synth.errors import GenerationError
from siman_synth.synthesis.job import Job
from siman_synth.synthesis.shard_worker import ShardReport, make_shard, marker_file

_ROUNDS = 3


def run_shards(
    job: Job, shards: Sequence[int], folder: Path, usable: bytes | None, workers: int
) -> Iterator[ShardReport]:
    """Make shards and yield their reports as they finish, in any order.

    A worker that dies (killed, out of memory) costs the shards that were in the making;
    they are tried again, three rounds in all.

    Raises:
        GenerationError: workers died in every round.
    """
    if min(workers, len(shards)) <= 1:
        threads = torch.get_num_threads()
        try:
            for shard in shards:
                yield make_shard(job, shard, folder, usable)
        finally:
            torch.set_num_threads(threads)
        return
    pending = list(shards)
    for _ in range(_ROUNDS):
        reported = set()
        try:
            parallel = Parallel(n_jobs=min(workers, len(pending)), return_as="generator_unordered", batch_size=1)
            tasks = (delayed(make_shard)(job, shard, folder, usable) for shard in pending)
            for report in parallel(tasks):
                reported.add(report.shard)
                yield report
            return
        except TerminatedWorkerError:
            left = [shard for shard in pending if shard not in reported]
            # A shard may have been finished without its report having come through.
            pending = []
            for shard in left:
                marker = marker_file(folder, shard)
                if marker.exists():
                    yield ShardReport.from_json(marker.read_text(encoding="utf-8"))
                else:
                    pending.append(shard)
            if not pending:
                return
    raise GenerationError(
        f"Workers died {_ROUNDS} times; {len(pending)} shards are missing. The machine may be short of memory: "
        "use fewer --workers and pass --resume."
    )
