"""Clusters that run shards: Dask and Ray, reached through their own futures.

Not through their joblib backends: that of Dask waits for ever for a task whose worker died, and
that of Ray neither yields results as they come nor starts a dead worker anew.
"""

import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from siman_synth import stopping
from siman_synth.errors import ConfigError, GenerationError
from siman_synth.runs.cluster import Cluster
from siman_synth.runs.cluster_worker import Answer, Order, make_staged

LOCAL = "local"
_OLD_LOCAL = "loky"
_THIS_MACHINE = "auto"
_CONNECT_S = 5
_RETRIES = 3


def connected(backend: str = LOCAL, scheduler: str | None = None) -> AbstractContextManager[Cluster | None]:
    """Return a context manager that yields the cluster, or None for processes on this machine.

    Args:
        backend: "local", "dask" or "ray"; "loky" is an old name of "local".
        scheduler: address of a cluster that runs already; None takes the one of
            DASK_SCHEDULER_ADDRESS, or of RAY_ADDRESS, or the Ray cluster this machine belongs to.

    Raises:
        ConfigError: no such backend, or an address for one that needs none.
        GenerationError: the library is missing, or there is no such cluster.
    """
    if backend in (LOCAL, _OLD_LOCAL):
        if scheduler is not None:
            raise ConfigError("A scheduler is for dask and ray; local runs on this machine alone.")
        return nullcontext()
    if backend not in _CONNECT:
        raise ConfigError(f"No backend '{backend}'. Use {', '.join(BACKENDS)}.")
    return _CONNECT[backend](scheduler)


@contextmanager
def _dask(scheduler: str | None) -> Iterator[Cluster]:
    try:
        import dask
        from distributed import Client
    except ImportError as error:
        raise _missing("dask") from error
    address = scheduler or dask.config.get("scheduler-address", None)
    if address is None:
        raise GenerationError(
            "The backend dask needs a running scheduler. Name its address, such as tcp://HOST:8786, or set "
            "DASK_SCHEDULER_ADDRESS; on one machine use the backend 'local'."
        )
    # A client that could not connect is garbage in a circle. Were it collected while the next one starts,
    # both would wait for one lock of distributed's forever.
    gc.collect()
    try:
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except Exception as error:  # an address of nonsense fails in many ways
        raise _unreachable("Dask scheduler", address, error) from error
    # That a result is fetched again because its worker died is nothing that a user must know.
    with client, _only_errors("distributed.client"):
        for worker, threads in client.nthreads().items():
            if threads > 1:
                raise GenerationError(
                    f"Dask worker {worker} has {threads} threads, and a shard needs a process of its own. "
                    "Start workers with one thread each, several of them on a machine."
                )
        yield _Dask(client, address)


@contextmanager
def _only_errors(logger_name: str) -> Iterator[None]:
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


class _Dask:
    def __init__(self, client: Any, address: str) -> None:
        from distributed.scheduler import KilledWorker

        self.name = f"The Dask scheduler at {address}"
        # How often a task may kill its worker is the scheduler's distributed.scheduler.allowed-failures.
        self.deaths: tuple[type[BaseException], ...] = (KilledWorker,)
        self._client = client
        self._executor = client.get_executor(pure=False)

    def cores(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except OSError:  # the scheduler is gone; futures are told
            return 0

    def submit(self, order: Order, shard: int) -> Future[Answer]:
        future: Future[Answer] = self._executor.submit(make_staged, order, shard)
        return future

    def cancel(self, future: Future[Answer]) -> None:
        future.cancel()


@contextmanager
def _ray(scheduler: str | None) -> Iterator[Cluster]:
    try:
        import ray
    except ImportError as error:
        raise _missing("ray") from error
    # Ray would take the variable itself, and try for ten minutes and longer whether somebody answers.
    address = scheduler or os.environ.get("RAY_ADDRESS") or _THIS_MACHINE
    if "://" in address:
        raise ConfigError(
            f"Scheduler {address}: a run is led from a machine of the Ray cluster. "
            "Start it there, with HOST:6379 as scheduler or with none."
        )
    if ray.is_initialized():
        yield _Ray(ray, address)
        return
    try:
        if address != _THIS_MACHINE:
            _knock(address)
        with _sigterm_kept():
            ray.init(address, logging_level=logging.ERROR, log_to_driver=False)
    except Exception as error:  # an address of nonsense fails in many ways
        if address == _THIS_MACHINE and isinstance(error, ConnectionError):
            raise GenerationError(
                "The backend ray needs a running cluster, and this machine belongs to none. Start it, name "
                "its address, such as HOST:6379, or set RAY_ADDRESS; on one machine use the backend 'local'."
            ) from error
        raise _unreachable("Ray cluster", address, error) from error
    try:
        yield _Ray(ray, address)
    finally:
        ray.shutdown()


class _Ray:
    def __init__(self, ray: Any, address: str) -> None:
        errors = ray.exceptions
        self.name = (
            "The Ray cluster of this machine" if address == _THIS_MACHINE else f"The Ray cluster at {address}"
        )
        self.deaths: tuple[type[BaseException], ...] = (
            errors.WorkerCrashedError,
            errors.NodeDiedError,
            errors.OutOfMemoryError,
        )
        self._ray = ray
        self._make = ray.remote(num_cpus=1, max_retries=_RETRIES)(make_staged)

    def cores(self) -> int:
        return int(self._ray.cluster_resources().get("CPU", 0))

    def submit(self, order: Order, shard: int) -> Future[Answer]:
        future: Future[Answer] = self._make.remote(order, shard).future()
        return future

    def cancel(self, future: Future[Answer]) -> None:
        self._ray.cancel(future.object_ref, force=True)  # type: ignore[attr-defined]


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Keep Ray from answering SIGTERM in this process with a crash report; one that comes meanwhile waits."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    with stopping.blocked():
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, handler)


def _knock(address: str) -> None:
    """Ask for a connection: Ray itself would try for a minute.

    Raises:
        OSError: nobody listens.
        ValueError: it is no address.
    """
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit()):
        raise ValueError("an address is HOST:PORT")
    socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()


def _missing(library: str) -> GenerationError:
    return GenerationError(
        f"The backend {library} needs packages that are not installed: pip install 'siman-synth[{library}]'."
    )


def _unreachable(what: str, address: str, error: Exception) -> GenerationError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return GenerationError(f"No {what} at {address}: {reason.rstrip('.')}. Start it, or correct the address.")


_CONNECT: Mapping[str, Callable[[str | None], AbstractContextManager[Cluster]]] = {
    "dask": _dask,
    "ray": _ray,
}
BACKENDS = (LOCAL, *_CONNECT)
