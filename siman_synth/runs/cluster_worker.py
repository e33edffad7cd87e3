"""What a worker of a cluster does: check once that it sees what the leader sees, then make shards."""

import platform
import tempfile
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from siman_synth.config import first_difference
from siman_synth.errors import GenerationError, SimanError
from siman_synth.models.bundled import bundled_file
from siman_synth.runs.inputs import check_inputs
from siman_synth.runs.job import Job
from siman_synth.runs.markers import ShardReport
from siman_synth.runs.process import settle
from siman_synth.runs.run_folder import read_json
from siman_synth.runs.samples import Workshop
from siman_synth.runs.shards import make_shard

_one_at_a_time = threading.Lock()
"""What draws and paints is not made for threads, and some workers have several."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is told about a run, by names that hold on every machine."""

    job: Job
    identity: Path
    """The run's identity, written by the leader."""
    staging: Path
    """Where workers leave what they made; its name is this run's alone."""
    bundled_weights: str | None
    """Name of weights that the worker takes from its own installation; None: others."""


Answer = tuple[ShardReport, Path] | Exception
"""A shard and the folder it was made in, or the error: raised, it would come back wrapped."""


def make_staged(order: Order, shard: int) -> Answer:
    """Make a shard in a new folder below the staging folder; runs on a worker."""
    try:
        with _one_at_a_time:
            workshop = _opened(order)
            made_in = Path(tempfile.mkdtemp(prefix=f"{shard:06d}-", dir=order.staging))
            return make_shard(workshop, shard, made_in), made_in
    except (SimanError, OSError) as error:
        return error


@lru_cache(maxsize=1)
def _opened(order: Order) -> Workshop:
    """Check once a run that this worker would make what the leader expects.

    Raises:
        GenerationError: it does not see the run or an input, or what it sees differs.
    """
    settle()
    host = platform.node()
    job = order.job
    if order.bundled_weights is not None:
        job = replace(job, weights=bundled_file(order.bundled_weights))
    wanted = read_json(order.identity)
    if wanted is None or not order.staging.is_dir():
        raise GenerationError(
            f"The worker on {host} does not see {order.identity.parent}. It must lie in a folder that "
            "every machine has under the same name."
        )
    try:
        inputs = check_inputs(job)
    except SimanError as error:
        raise GenerationError(
            f"The worker on {host} cannot use the inputs: {error} "
            "Every machine must have them under the same names."
        ) from error
    if difference := first_difference(wanted, job.identity(inputs.contents)):
        raise GenerationError(
            f"The worker on {host} would make other samples: {difference}. Every machine must have the "
            "same inputs under the same names, and the same siman-synth."
        )
    return Workshop(job, inputs.opened)
