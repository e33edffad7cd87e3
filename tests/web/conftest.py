"""A studio with drawn crops, tiny weights and a small data set, and its server in a thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn

from siman_synth.web.serve import open_studio
from siman_synth.web.server import Studio, create_app
from tests.exports.conftest import labeled  # noqa: F401

TOKEN = "token-of-the-tests"


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    (folder / "metrics.json").write_text('{"readability": {"right": 0.97}, "name": "x", "n": 3}')
    return folder


@pytest.fixture(scope="session")
def studio(crop_folder: Path, tiny_weights: Path, labeled: Path, report: Path) -> Iterator[Studio]:  # noqa: F811
    made = open_studio(crop_folder, labeled, tiny_weights, [report])
    assert made.index is not None
    made.shelf._look_at_all()
    made.index._index_all()
    yield made
    made.shelf.close()
    made.index.close()


@pytest.fixture(scope="session")
def address(studio: Studio) -> Iterator[str]:
    """The address of a real server that serves the studio."""
    with served(studio) as found:
        yield found


@contextmanager
def served(studio: Studio) -> Iterator[str]:
    """Serve a studio in a thread; yield its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = create_app(studio, TOKEN, frozenset({f"127.0.0.1:{port}"}))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)
    listener.close()
