"""Running shards on machines that share a folder: what is in the making, what came, who publishes.

A worker makes a shard in a folder of its own below the run's staging folder. The leader, who
holds the run's lock, moves it to its place. So a worker that was given up but is still alive
cannot write into this run's shards, nor into those of the next run.
"""

import uuid
from collections.abc import Generator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from siman_synth import stopping
from siman_synth.files import delete_in_use, publish_folder, sync_folder
from siman_synth.models.bundled import bundled_name
from siman_synth.render.font_files import find_fonts
from siman_synth.runs.cluster_worker import Answer, Order
from siman_synth.runs.job import Job
from siman_synth.runs.markers import ShardReport, marker_file, shard_folder
from siman_synth.runs.ours import delete_data_set
from siman_synth.tally import Tally
from siman_synth.text.catalogue import bundled_catalogue
from siman_synth.text.patterns import PATTERNS

PATIENCE_S = 300.0
"""How long a run waits for workers when there is none."""


class Cluster(Protocol):
    """Workers somewhere that run `make_staged`."""

    name: str
    """What messages call it, with its address."""
    deaths: tuple[type[BaseException], ...]
    """What a shard's future raises once workers died of it more often than they may."""

    def cores(self) -> int:
        """Return how many shards it can make at the same time; it may grow and shrink."""
        ...

    def submit(self, order: Order, shard: int) -> Future[Answer]:
        """Have a shard made; when its worker dies, made again, a bounded number of times."""
        ...

    def cancel(self, future: Future[Answer]) -> None:
        """Have a shard made no more."""
        ...


class WorkersDiedError(Exception):
    """Workers died again and again, or there are none."""


def make_on_cluster(
    cluster: Cluster, job: Job, shards: Sequence[int], folder: Path, most: int | None
) -> Generator[ShardReport, None, None]:
    """Make shards on a cluster and yield their reports as they finish, in any order.

    Args:
        cluster: where.
        job: the run.
        shards: which parts of it.
        folder: the run's shard folder, which every worker must see under the same name.
        most: how many shards may be in the making; None for twice what the cluster has room
            for, so that no worker waits and a cluster that grows on demand does grow.

    Raises:
        WorkersDiedError: a shard was given up, or no worker is left.
        GenerationError: a worker sees other inputs or another run than this process.
    """
    order = order_for(job, folder)
    order.staging.mkdir()
    waiting = list(reversed(shards))
    flying: dict[Future[Answer], int] = {}
    landed: SimpleQueue[Future[Answer]] = SimpleQueue()
    try:
        while waiting or flying:
            room = most or 2 * max(cluster.cores(), 1)
            while waiting and len(flying) < room:
                future = cluster.submit(order, waiting[-1])
                flying[future] = waiting.pop()
                future.add_done_callback(landed.put)
            try:
                future = stopping.get(landed, PATIENCE_S)
            except Empty:
                if cluster.cores() == 0:
                    raise WorkersDiedError(
                        f"{cluster.name} has had no worker for {PATIENCE_S:g} s. Start workers"
                    ) from None
                continue
            yield _published(_answer(cluster, future, flying.pop(future)), folder)
    finally:
        for future in flying:
            cluster.cancel(future)
        delete_in_use(order.staging, _new_staging(folder))


def _answer(cluster: Cluster, future: Future[Answer], shard: int) -> tuple[ShardReport, Path]:
    try:
        answer = future.result()
    except CancelledError:
        raise WorkersDiedError(f"{cluster.name} is gone. Start it again") from None
    except cluster.deaths as error:
        raise WorkersDiedError(
            f"Workers died again and again while they made shard {shard}. "
            "They may be short of memory: start fewer on a machine"
        ) from error
    if isinstance(answer, Exception):
        raise answer
    return answer


def _published(answer: tuple[ShardReport, Path], folder: Path) -> ShardReport:
    """Move a finished shard to its place, the marker last."""
    report, made_in = answer
    final = shard_folder(folder, report.shard)
    delete_data_set(final)
    publish_folder(shard_folder(made_in, report.shard), final)
    marker_file(made_in, report.shard).replace(marker_file(folder, report.shard))
    sync_folder(folder)
    made_in.rmdir()
    return report


def order_for(job: Job, folder: Path) -> Order:
    """Return an order in which no name depends on the current folder or on where Python lies."""
    folder = folder.resolve()
    absolute = replace(
        job,
        corpus=tuple(map(_absolute_corpus, job.corpus)),
        styles=tuple(str(Path(one).resolve()) if Path(one).exists() else one for one in job.styles),
        fonts=tuple(map(_absolute_fonts, job.fonts)),
        weights=job.weights.resolve(),
    )
    bundled = bundled_name(absolute.weights)
    return Order(absolute, folder.parent / "identity.json", _new_staging(folder), bundled)


def _new_staging(folder: Path) -> Path:
    # The name says "partial" so that a resumed run removes it.
    return folder / f"staging.partial-{uuid.uuid4().hex}"


def _absolute_corpus(spec: str) -> str:
    if Path(spec).is_file():
        name, suffix = spec, ""
    else:
        name, colon, weight = spec.rpartition(":")
        suffix = colon + weight
    if not Path(name).is_file() or name in PATTERNS or name in bundled_catalogue().corpora:
        return spec
    return f"{Path(name).resolve()}{suffix}"


def _absolute_fonts(spec: str) -> str:
    path = Path(spec)
    # A bundled family wins over a folder of its name.
    named = path.exists() and any(font.path.is_relative_to(path) for font in find_fonts([spec], Tally()))
    return str(path.resolve()) if named else spec
