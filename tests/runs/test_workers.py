"""Worker processes: what they answer, and that none outlives its leader, whenever that ends."""

import pickle
import signal
import sys
import time
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from siman_synth.errors import CropError, OutputError
from siman_synth.runs import worker as worker_module
from siman_synth.runs.executor import run_shards
from siman_synth.runs.inputs import check_inputs
from siman_synth.runs.shards import make_shard_for_leader
from siman_synth.runs.workers import WorkerDiedError, Workers
from tests.runs.processes import (
    PATIENCE_S,
    WORKER,
    Processes,
    alive,
    children,
    finish,
    generate_command,
    litter,
    markers,
    wait_until,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "error", [CropError("Crop 3 is cut.", "truncated"), OSError(28, "No space left"), KeyError(1)]
)
def test_an_error_comes_back_as_it_was_and_says_where(error: Exception) -> None:
    def fails(*_: object) -> None:
        raise error

    try:
        fails()
    except Exception as caught:
        answer = pickle.loads(pickle.dumps(worker_module._portable(caught)))
    assert type(answer) is type(error)
    assert answer.args == error.args
    assert "in fails" in "".join(answer.__notes__)


def test_an_error_that_cannot_travel_comes_back_as_its_traceback() -> None:
    class Local(Exception):
        pass

    try:
        raise Local("not here")
    except Local as caught:
        answer = worker_module._portable(caught)
    assert type(answer) is RuntimeError
    assert "not here" in str(answer)


def test_workers_answer_die_and_are_replaced(make_job: Any, tmp_path: Path) -> None:
    job = make_job()
    inputs = check_inputs(job)
    workers = Workers(1, partial(make_shard_for_leader, job, inputs.seen, tmp_path))
    try:
        assert workers.submit(1).result(PATIENCE_S).shard == 1
        (process,) = workers._alive
        process.kill()
        process.wait()
        with pytest.raises(WorkerDiedError):
            workers.submit(2).result(PATIENCE_S)
        assert workers.submit(2).result(PATIENCE_S).made == 6
        (tmp_path / "file").touch()
        elsewhere = Workers(1, partial(make_shard_for_leader, job, inputs.seen, tmp_path / "file"))
        with pytest.raises((OSError, OutputError)):
            elsewhere.submit(0).result(PATIENCE_S)
        elsewhere.close()
        waiting: Future[Any] = workers.submit(3)
    finally:
        (process,) = workers._alive
        workers.close()
    assert process.returncode == -signal.SIGKILL
    assert waiting.done()


def test_leaving_the_generator_leaves_no_worker(make_job: Any, tmp_path: Path) -> None:
    job = make_job()
    reports = run_shards(job, range(job.shard_count), tmp_path, check_inputs(job), 2)
    next(reports)
    assert children(WORKER)
    reports.close()
    assert not children(WORKER)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_leader_killed_at_any_moment_leaves_no_worker_and_no_litter(
    word_file: Path, crop_folder: Path, tiny_weights: Path, tmp_path: Path
) -> None:
    """From the moment a worker exists, before it has work, to the middle of the run."""
    rng = np.random.default_rng(9)
    processes = Processes()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    try:
        for moment in range(8):
            out = tmp_path / f"words{moment}"
            options = ("--n", "2000", "--workers", "2")
            command = generate_command(word_file, crop_folder, tiny_weights, out, *options)
            leader = processes.start(command, TMPDIR=str(temporary))
            assert wait_until(lambda: alive(leader.pid, WORKER), leader)  # noqa: B023
            if moment >= 2:
                time.sleep(float(rng.uniform(0, 2)))
            if moment >= 6:
                assert wait_until(lambda: markers(out), leader)  # noqa: B023
            leader.kill()
            _, errors = leader.communicate(timeout=PATIENCE_S)
            wait_until(lambda: not alive(leader.pid))  # noqa: B023
            assert errors == ""
            assert not list(Path("/dev/shm").glob(f"*-{leader.pid}-*"))
            assert litter(temporary) == []
    finally:
        processes.end()
    out = tmp_path / "words0"
    command = generate_command(word_file, crop_folder, tiny_weights, out, "--n", "20", "--workers", "2")
    assert finish(Processes().start([*command, "--overwrite"])) == ""
