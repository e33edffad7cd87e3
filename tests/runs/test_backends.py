"""Shards on Dask and Ray: real schedulers and workers on this machine, real deaths, equal bytes."""

import json
import logging
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from siman_synth.cli import main
from siman_synth.errors import ConfigError, GenerationError, OutputError, SimanError
from siman_synth.files import delete_in_use
from siman_synth.models.bundled import weights_file
from siman_synth.runs import cluster as cluster_module
from siman_synth.runs import shards
from siman_synth.runs.backends import connected
from siman_synth.runs.cluster import order_for
from siman_synth.runs.cluster_worker import make_staged
from siman_synth.runs.generate import generate
from siman_synth.runs.inputs import check_inputs
from siman_synth.runs.job import Job
from siman_synth.runs.run_folder import RunPaths, begin
from siman_synth.runs.samples import MadeSamples, Workshop, make_samples
from tests.runs.processes import (
    PATIENCE_S,
    SAMPLES,
    Processes,
    alive,
    digest,
    finish,
    generate_command,
    markers,
    wait_until,
)

MakeJob = Callable[..., Job]
Command = Callable[..., list[str]]
HOST = "127.0.0.1"


@pytest.fixture
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.end()


@pytest.fixture(scope="module")
def command(word_file: Path, crop_folder: Path, tiny_weights: Path) -> Command:
    """Return a function that gives the command of a run of 60 samples."""

    def command(out: Path, *options: str, samples: int = SAMPLES) -> list[str]:
        options = ("--n", str(samples), *options)
        return generate_command(word_file, crop_folder, tiny_weights, out, *options)

    return command


@pytest.fixture(scope="module")
def expected(command: Command, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run of 60 samples in one process gives."""
    out = tmp_path_factory.mktemp("expected") / "words"
    processes = Processes()
    finish(processes.start(command(out, "--workers", "1")))
    return digest(out)


# Without a cluster.


def test_what_cannot_be_asked_for() -> None:
    for backend, scheduler, message in (
        (
            "local",
            "tcp://a:1",
            "A scheduler is for dask and ray; local runs on this machine alone.",
        ),
        ("spark", None, "No backend 'spark'. Use local, dask, ray."),
    ):
        with pytest.raises(ConfigError) as caught:
            connected(backend, scheduler)
        assert str(caught.value) == message
    result = CliRunner().invoke(main, ["generate", "--n", "1", "--out", "x", "--scheduler", "tcp://a:1"])
    assert result.exit_code == 2
    assert "--scheduler is for --backend dask and ray; local runs on this machine alone." in result.output


@pytest.mark.parametrize(("backend", "module"), [("dask", "distributed"), ("ray", "ray")])
def test_a_missing_extra_says_how_to_get_it(
    backend: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(GenerationError) as caught, connected(backend, "tcp://a:1"):
        pass
    assert str(caught.value) == (
        f"The backend {backend} needs packages that are not installed: pip install 'siman-synth[{backend}]'."
    )


def test_names_hold_on_every_machine(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("words.txt", "prices"):
        (tmp_path / name).write_text("Harbour")
    for name in ("crops", "roboto", "mine"):
        (tmp_path / name).mkdir()
    shutil.copy(next((Path(__file__).parents[2] / "fonts").rglob("*.ttf")), tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    job = make_job(
        corpus=("words.txt", "words.txt:3", "prices", "default:2"),
        fonts=("roboto", "mine", "all"),
        styles="crops",
        weights=Path("mine.safetensors"),
    )
    order = order_for(job, Path("out.run/shards"))
    assert order.job.corpus == (f"{tmp_path}/words.txt", f"{tmp_path}/words.txt:3", "prices", "default:2")
    assert order.job.fonts == ("roboto", f"{tmp_path}/mine", "all")
    assert (order.job.styles, order.job.weights) == ((f"{tmp_path}/crops",), tmp_path / "mine.safetensors")
    assert (order.identity, order.staging.parent) == (
        tmp_path / "out.run" / "identity.json", tmp_path / "out.run" / "shards",
    )  # fmt: skip
    assert order.bundled_weights is None
    bundled = order_for(replace(job, styles=("bundled",), weights=weights_file()), Path("out.run/shards"))
    assert bundled.job.styles == ("bundled",)
    assert bundled.bundled_weights == "small"
    light = order_for(replace(job, weights=weights_file("light")), Path("out.run/shards"))
    assert light.bundled_weights == "light"


def test_a_worker_refuses_a_run_that_it_sees_otherwise(make_job: MakeJob, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("Harbour\nStreet")
    job = make_job(corpus=(str(words),))
    paths = RunPaths(tmp_path / "out")
    order = order_for(job, paths.shards)
    worker = f"The worker on {platform.node()}"
    assert str(make_staged(order, 0)) == (
        f"{worker} does not see {paths.run}. It must lie in a folder that every machine has under the "
        "same name."
    )
    paths.run.mkdir()
    begin(paths, job.identity(check_inputs(job).contents))
    order.staging.mkdir()
    words.write_text("Harbour\nGarage")
    answer = make_staged(order, 0)
    assert str(answer).startswith(f"{worker} would make other samples: corpus_fingerprint: ")
    assert str(answer).endswith("the same inputs under the same names, and the same siman-synth.")
    words.unlink()
    answer = make_staged(order, 0)
    assert isinstance(answer, GenerationError)
    assert str(answer).startswith(f"{worker} cannot use the inputs: No corpus '{words}'")


def test_a_worker_that_goes_on_brings_back_no_folder_that_its_leader_removed(
    make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    paths = RunPaths(tmp_path / "out")
    order = order_for(job, paths.shards)
    paths.run.mkdir()
    begin(paths, job.identity(check_inputs(job).contents))
    order.staging.mkdir()

    def made_while_the_leader_stops(workshop: Workshop, shard: int) -> MadeSamples:
        made = make_samples(workshop, shard)
        delete_in_use(order.staging, order.staging.with_name("doomed"))
        return made

    monkeypatch.setattr(shards, "make_samples", made_while_the_leader_stops)
    assert isinstance(make_staged(order, 0), OutputError)
    assert list(paths.shards.iterdir()) == []


# Dask.


class DaskCluster:
    """A scheduler and workers, each in a process of its own, which lie in a folder of their own."""

    def __init__(self, processes: Processes, folder: Path, **environment: str) -> None:
        self._processes, self._folder, self._environment = processes, folder, environment
        file = folder / "scheduler.json"
        options = ("--host", HOST, "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self.scheduler = self._start("scheduler", *options)
        assert wait_until(lambda: file.exists() and file.read_text(), self.scheduler)
        self.address: str = json.loads(file.read_text())["address"]

    def worker(self, *options: str) -> subprocess.Popen[str]:
        """Start a worker of one thread that nobody starts again."""
        options = (self.address, "--no-nanny", "--no-dashboard", *(options or ("--nthreads", "1")))
        return self._start("worker", *options, "--local-directory", str(self._folder))

    def options(self) -> tuple[str, ...]:
        """Return what `generate` is told."""
        return ("--backend", "dask", "--scheduler", self.address)

    def _start(self, kind: str, *options: str) -> subprocess.Popen[str]:
        # Elsewhere than the leader, so that relative names would fail.
        code = f"import os; os.chdir({str(self._folder)!r}); from distributed.cli.dask_{kind} import main"
        command = [sys.executable, "-c", f"{code}; main()", *options]
        return self._processes.start(command, heard=False, **self._environment)


@pytest.fixture
def dask(processes: Processes, tmp_path: Path) -> DaskCluster:
    pytest.importorskip("distributed")
    folder = tmp_path / "dask"
    folder.mkdir()
    return DaskCluster(processes, folder, DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="1")


@pytest.mark.slow
def test_dask_with_a_killed_worker_gives_the_bytes_of_one_process(
    dask: DaskCluster, processes: Processes, command: Command, expected: str, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    workers = [dask.worker(), dask.worker()]
    leader = processes.start(command(out, *dask.options()))
    assert wait_until(lambda: markers(out), leader)
    workers[0].kill()
    assert finish(leader) == ""
    assert digest(out) == expected
    assert not Path(f"{out}.run").exists()
    # The surviving worker makes another run, of other words behind the same name.
    words = tmp_path / "words.txt"
    for text in ("Harbour", "Street"):
        words.write_text(text)
        run = command(out, "--corpus", str(words), "--overwrite", samples=20)
        finish(processes.start([*run, *dask.options()]))
    finish(processes.start([*run, "--out", f"{out}-alone", "--workers", "1"]))
    assert digest(out) == digest(tmp_path / "words-alone")


@pytest.mark.slow
def test_dask_speaks_of_errors_alone_while_a_run_lasts(dask: DaskCluster) -> None:
    logger = logging.getLogger("distributed.client")
    before = logger.level
    with connected("dask", dask.address):
        assert not logger.isEnabledFor(logging.WARNING)
        assert logger.isEnabledFor(logging.ERROR)
    assert logger.level == before


@pytest.mark.slow
def test_dask_stopped_by_ctrl_c_and_resumed_here(
    dask: DaskCluster, processes: Processes, command: Command, expected: str, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    dask.worker()
    leader = processes.start(command(out, *dask.options(), "--workers", "1"))
    assert wait_until(lambda: markers(out), leader)
    os.killpg(leader.pid, signal.SIGINT)
    _, errors = leader.communicate(timeout=PATIENCE_S)
    assert leader.returncode == 130
    assert errors.strip() == (
        f"Stopped. Finished shards are in {out}.run; run the same command with --resume to go on."
    )
    assert not list(Path(f"{out}.run").glob("shards/staging*"))
    finish(processes.start(command(out, "--resume", "--workers", "1")))
    assert digest(out) == expected


@pytest.mark.slow
def test_a_shard_that_kills_its_dask_workers_is_given_up(
    dask: DaskCluster, processes: Processes, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    staged = Path(f"{out}.run/shards")
    leader = processes.start(command(out, *dask.options(), samples=10))
    for _ in range(2):  # this scheduler allows one death
        worker = dask.worker()
        before = len(list(staged.glob("*/000000-*")))
        assert wait_until(lambda: len(list(staged.glob("*/000000-*"))) > before, leader)  # noqa: B023
        worker.kill()
    _, errors = leader.communicate(timeout=PATIENCE_S)
    assert leader.returncode == 1
    assert errors == (
        "Error: Workers died again and again while they made shard 0. They may be short of memory: "
        "start fewer on a machine, and resume the run.\n"
    )


@pytest.mark.slow
def test_a_dask_scheduler_that_ends_or_was_never_there(
    dask: DaskCluster, processes: Processes, command: Command, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    dask.worker()
    leader = processes.start(command(out, *dask.options(), samples=2000))
    assert wait_until(lambda: markers(out), leader)
    dask.scheduler.kill()
    _, errors = leader.communicate(timeout=PATIENCE_S)
    assert leader.returncode == 1
    gone = f"Error: The Dask scheduler at {dask.address} is gone. Start it again, and resume the run."
    assert errors.splitlines()[-1] == gone
    with pytest.raises(GenerationError) as caught, connected("dask", dask.address):
        pass
    assert str(caught.value).startswith(f"No Dask scheduler at {dask.address}: ")


@pytest.mark.slow
def test_dask_workers_that_are_missing_or_have_threads(
    dask: DaskCluster, make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "PATIENCE_S", 0.5)
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", dask.address)
    with pytest.raises(GenerationError) as caught:
        generate(make_job(), tmp_path / "words", backend="dask", scheduler=dask.address)
    assert str(caught.value) == (
        f"The Dask scheduler at {dask.address} has had no worker for 0.5 s. Start workers, and "
        "resume the run."
    )
    dask.worker("--nthreads", "2")

    def refused() -> str:
        try:
            with connected("dask", dask.address):
                return ""
        except GenerationError as error:
            return str(error)

    wait_until(refused)
    message = "has 2 threads, and a shard needs a process of its own. Start workers with one thread each"
    assert message in refused()


# Ray.


def answers(port: int) -> bool:
    with socket.socket() as door:
        return door.connect_ex((HOST, port)) == 0


@pytest.fixture(scope="module")
def ray_address() -> Iterator[tuple[str, int]]:
    """A Ray cluster of one node with two cores: its address and its session."""
    pytest.importorskip("ray")
    processes = Processes()
    # Not in tmp_path: sockets have short names.
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        port, unused = one.getsockname()[1], other.getsockname()[1]
    options = [
        *("start", "--head", "--block", "--node-ip-address", HOST, "--port", str(port), "--num-cpus", "2"),
        *("--include-dashboard", "false", "--disable-usage-stats", "--ray-client-server-port", str(unused)),
        *("--object-store-memory", "100000000", "--temp-dir", folder),
    ]
    # Ray's workers are nice, which on a busy machine is for ever.
    command = [sys.executable, "-m", "ray.scripts.scripts", *options]
    cluster = processes.start(command, heard=False, RAY_worker_niceness="0")
    try:
        assert wait_until(lambda: answers(port), cluster)
        yield f"{HOST}:{port}", cluster.pid
    finally:
        processes.end()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "message"),
    [
        (f"{HOST}:1", f"No Ray cluster at {HOST}:1: [Errno 111] Connection refused. Start it"),
        ("local", "No Ray cluster at local: an address is HOST:PORT. Start it, or correct the address."),
        ("", "The backend ray needs a running cluster, and this machine belongs to none. Start it, name"),
    ],
)
def test_where_the_environment_says_no_ray_cluster_is(
    variable: str, message: str, processes: Processes, command: Command, tmp_path: Path
) -> None:
    """The first of Ray's tests: a cluster of theirs would be found."""
    pytest.importorskip("ray")
    leader = processes.start(command(tmp_path / "words", "--backend", "ray"), RAY_ADDRESS=variable)
    _, errors = leader.communicate(timeout=60)
    assert leader.returncode == 1
    assert errors.startswith(f"Error: {message}")


@pytest.mark.slow
def test_ray_with_a_killed_worker_gives_the_bytes_of_one_process(
    ray_address: tuple[str, int], processes: Processes, command: Command, expected: str, tmp_path: Path
) -> None:
    out = tmp_path / "words"
    address, session = ray_address
    leader = processes.start(command(out, "--backend", "ray", "--scheduler", address))
    assert wait_until(lambda: markers(out) and alive(session, b"ray::make_staged"), leader)
    os.kill(alive(session, b"ray::make_staged")[0], signal.SIGKILL)
    assert finish(leader) == ""
    assert digest(out) == expected
    assert not Path(f"{out}.run").exists()
    wait_until(lambda: not alive(session, b"ray::make_staged"))


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ray_stopped_and_resumed_here(
    sent: signal.Signals,
    ray_address: tuple[str, int],
    processes: Processes,
    command: Command,
    expected: str,
    tmp_path: Path,
) -> None:
    out = tmp_path / "words"
    address, session = ray_address
    leader = processes.start(command(out, "--backend", "ray", "--scheduler", address, "--workers", "1"))
    assert wait_until(lambda: markers(out), leader)
    os.killpg(leader.pid, sent)
    _, errors = leader.communicate(timeout=PATIENCE_S)
    assert leader.returncode == 130
    assert errors.strip() == (
        f"Stopped. Finished shards are in {out}.run; run the same command with --resume to go on."
    )
    wait_until(lambda: not alive(session, b"ray::make_staged"))
    finish(processes.start(command(out, "--resume", "--workers", "1")))
    assert digest(out) == expected


@pytest.mark.slow
def test_a_shard_that_kills_its_ray_workers_is_given_up(
    ray_address: tuple[str, int], processes: Processes, command: Command, tmp_path: Path
) -> None:
    address, session = ray_address
    leader = processes.start(
        command(tmp_path / "words", "--backend", "ray", "--scheduler", address, samples=10)
    )
    killed: set[int] = set()
    while leader.poll() is None:
        for worker in alive(session, b"ray::make_staged"):
            os.kill(worker, signal.SIGKILL)
            killed.add(worker)
        time.sleep(0.02)  # a new one loads its libraries for longer
    assert leader.returncode == 1
    assert leader.stderr is not None
    assert leader.stderr.read() == (
        "Error: Workers died again and again while they made shard 0. They may be short of memory: "
        "start fewer on a machine, and resume the run.\n"
    )
    assert len(killed) == 4


@pytest.mark.slow
def test_a_ray_cluster_that_is_not_there() -> None:
    pytest.importorskip("ray")
    for address, message in (
        (f"{HOST}:1", f"No Ray cluster at {HOST}:1: [Errno 111] Connection refused. Start it"),
        (
            "nonsense",
            "No Ray cluster at nonsense: an address is HOST:PORT. Start it, or correct the address.",
        ),
        (f"ray://{HOST}:1", f"Scheduler ray://{HOST}:1: a run is led from a machine of the Ray cluster."),
    ):
        with pytest.raises(SimanError) as caught, connected("ray", address):
            pass
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize("backend", ["dask", "ray"])
@pytest.mark.parametrize("address", ["::::", "ucx://x:1", "127.0.0.1:99999999999999999999", "\udce9\x1b:1"])
def test_an_address_of_nonsense_is_told(backend: str, address: str) -> None:
    pytest.importorskip("distributed" if backend == "dask" else backend)
    with pytest.raises((ConfigError, GenerationError)) as caught, connected(backend, address):
        pass
    message = str(caught.value)
    assert message.startswith(("No Dask scheduler at", "No Ray cluster at", "Scheduler "))
    assert not set("\udce9\x1b\n") & set(message)


REFUSED_TWICE = """
import gc
from distributed import utils
from siman_synth.errors import SimanError
from siman_synth.runs.backends import connected

def refused():
    try:
        with connected("dask", "::::"):
            pass
    except SimanError:
        print("told")

first = utils._CollectErrorThread.__init__

def collecting(*given, **named):
    gc.collect()
    first(*given, **named)

gc.disable()  # what is garbage then stays until a thread of distributed's is made, under its lock
refused()
utils._CollectErrorThread.__init__ = collecting
refused()
"""


def test_a_client_that_could_not_connect_does_not_hang_the_next() -> None:
    pytest.importorskip("distributed")
    command = [sys.executable, "-c", REFUSED_TWICE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout.split() == ["told", "told"], done.stderr
