"""Opening what the studio shows, and serving it until it is stopped."""

import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from siman_synth.config import load_config
from siman_synth.errors import OutputError
from siman_synth.extras import require
from siman_synth.fitting.model import Model
from siman_synth.render.fonts import FontLibrary
from siman_synth.runs.inputs import BUNDLED_STYLES, styles_path
from siman_synth.runs.process import settle
from siman_synth.several import Names, several
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.synthesis.synthesizer import Synthesizer
from siman_synth.web.index import SampleIndex
from siman_synth.web.pictures import open_shelf
from siman_synth.web.reports import METRICS_FILE, reports_of
from siman_synth.web.server import Studio, create_app
from siman_synth.web.writing import Wish, Writer


def open_studio(
    styles: Names | None = None,
    dataset: str | Path | None = None,
    weights: str | Path | None = None,
    reports: Sequence[Path] = (),
    device: str = "cpu",
    model: str | Path | None = None,
) -> Studio:
    """Open style crops, a network, and what is to be looked at.

    A report that lies beside the data set is shown with the others. With the folder of a fit as `model`
    its crops, fonts, recipe and weights are taken where nothing else is given.

    Raises:
        SimanError: one of them cannot be read.
    """
    require("web", "siman-synth studio", ("starlette", "uvicorn"))
    settle()
    fitted = None if model is None else Model.open(model)
    if fitted is not None:
        styles, weights = styles or fitted.styles, weights or fitted.weights
    shelf = open_shelf([styles_path(str(one)) for one in several(styles or BUNDLED_STYLES)])
    fonts = FontLibrary.open("all" if fitted is None else fitted.fonts)
    config = None if fitted is None else load_config(GenerateConfig, fitted.recipe)
    writer = Writer(shelf, Synthesizer.load(weights, device, fonts, config), fonts, fitted, weights)
    writer.write(Wish(("Warm", "up")))  # or the first visitor would wait for what is read but once
    files = reports_of(reports)
    index = None
    if dataset is not None:
        index = SampleIndex(Path(dataset))
        beside = Path(f"{Path(dataset).absolute()}.report") / METRICS_FILE
        if beside.is_file() and beside not in files:
            files.append(beside)
    return Studio(writer, index, files)


def serve(studio: Studio, host: str, port: int, announce: Callable[[str], None]) -> None:
    """Serve the studio until a signal stops it; `announce` gets the address with its token.

    Raises:
        OutputError: the port is taken.
    """
    import uvicorn

    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OutputError(
            f"Cannot listen at {host}, port {port}: {error.strerror}. Choose another address or port."
        ) from error
    bound = listener.getsockname()[1]
    token = secrets.token_urlsafe(24)
    names = {host, "127.0.0.1", "localhost"}
    app = create_app(studio, token, frozenset(f"{name}:{bound}" for name in names))
    studio.shelf.start()
    if studio.index is not None:
        studio.index.start()
    shown = "127.0.0.1" if host in ("0.0.0.0", "") else host
    announce(f"http://{shown}:{bound}/?token={token}")
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, ws="none")
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        studio.shelf.close()
        if studio.index is not None:
            studio.index.close()
        listener.close()
