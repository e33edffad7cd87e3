"""The page's server: who may ask, what is answered."""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from siman_synth.errors import SimanError
from siman_synth.files import REJECTED_SUFFIX, beside
from siman_synth.fitting.folder import REPORT
from siman_synth.fitting.model import Model
from siman_synth.synthesis.config import GenerateConfig
from siman_synth.web.index import Filter, SampleIndex
from siman_synth.web.photos import MOST_UPLOAD_BYTES, EditWish, PhotoTable
from siman_synth.web.pictures import CropShelf
from siman_synth.web.reports import compared
from siman_synth.web.writing import (
    DAMAGES,
    LAYOUTS,
    Wish,
    Writer,
    options_of,
    snippet_of,
    style_list,
    toml_of,
)

COOKIE = "siman_studio"
MOST_BODY_BYTES = 64 * 1024
UPLOADS = "/api/photos"
"""Where a photo is posted: the one address that takes other bytes than JSON, and more of them."""
REJECTED = "/api/rejected.png"
FIT_REPORT = "/api/fit/report.html"
"""The report of the model's fit: a page with its style inside, which runs nothing and is shown in a frame."""
_MOST_A_PAGE = 120
_MOST_PICTURE_BYTES = 64_000_000
_STATIC = Path(__file__).parent / "static"
_FILES = {
    "": ("index.html", "text/html; charset=utf-8"),
    "studio.css": ("studio.css", "text/css; charset=utf-8"),
    "studio.js": ("studio.js", "text/javascript; charset=utf-8"),
    "edit.js": ("edit.js", "text/javascript; charset=utf-8"),
}
"""All files that are served, by the name in the address: nothing else on the disk has one."""

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; frame-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(slots=True)
class Studio:
    """What the page shows."""

    writer: Writer
    index: SampleIndex | None = None
    reports: list[Path] = field(default_factory=list)
    photos: PhotoTable = field(init=False)

    def __post_init__(self) -> None:
        # As `siman-synth edit` does, which knows no recipe.
        synthesizer = self.writer.synthesizer.like(config=GenerateConfig())
        self.photos = PhotoTable(synthesizer, self.writer.fonts if self.writer.model else None)

    @property
    def model(self) -> Model | None:
        """What a fit left, if the words are written with it."""
        return self.writer.model

    @property
    def shelf(self) -> CropShelf:
        """The style crops."""
        return self.writer.shelf


class Guard:
    """Lets in who knows the token, from this page alone, with a body of bounded size."""

    def __init__(self, app: ASGIApp, token: str, hosts: frozenset[str]) -> None:
        self._app = app
        self._token = token
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        request = Request(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                set_already = {key for key, _ in message.get("headers", [])}
                ours = ((key.lower().encode(), value.encode()) for key, value in _HEADERS.items())
                message["headers"] = [
                    *message.get("headers", []),
                    *(header for header in ours if header[0] not in set_already),
                ]
            await send(message)

        answer = self._refusal(request)
        if answer is not None:
            await answer(scope, receive, with_headers)
            return
        try:
            body = await _bounded_body(request, receive)
        except ValueError as error:
            await PlainTextResponse(str(error), 413)(scope, receive, with_headers)
            return
        await self._app(scope, body, with_headers)

    def _refusal(self, request: Request) -> Response | None:
        # A page elsewhere may have its name lead to this machine: the name it asks for tells.
        if request.headers.get("host", "") not in self._hosts:
            return PlainTextResponse(
                "This address is not the studio's. Use the printed one, or have it listen at yours.", 421
            )
        given = request.query_params.get("token")
        if given is not None and request.method == "GET" and request.url.path == "/":
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                return PlainTextResponse("The token in the address is wrong. Use the address printed.", 403)
            answer = RedirectResponse("/", 303)
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", path="/")
            return answer
        known = request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(known.encode(), self._token.encode()):
            return PlainTextResponse("Open the address that siman-synth studio printed: it has a token.", 403)
        if request.method not in ("GET", "HEAD"):
            origin = request.headers.get("origin", "")
            if origin.partition("://")[2] not in self._hosts:
                return PlainTextResponse("Only the studio's own page may ask for this.", 403)
            # Neither kind is one that a page elsewhere may send without asking first.
            kind = "application/octet-stream" if request.url.path == UPLOADS else "application/json"
            if request.headers.get("content-type", "").partition(";")[0] != kind:
                return PlainTextResponse(f"{kind} is expected.", 415)
        return None


async def _bounded_body(request: Request, receive: Receive) -> Receive:
    """Read the whole body, refusing more than its limit, and return how the application gets it."""
    most = MOST_UPLOAD_BYTES if request.url.path == UPLOADS else MOST_BODY_BYTES
    parts: list[bytes] = []
    size, more = 0, request.method not in ("GET", "HEAD")
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > most:
            raise ValueError(f"At most {most} bytes are taken.")
    data, given = b"".join(parts), False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": data, "more_body": False}

    return again


def create_app(studio: Studio, token: str, hosts: frozenset[str]) -> ASGIApp:
    """Return the application.

    Args:
        studio: what is shown.
        token: who knows it is let in.
        hosts: names, with port, by which browsers may call the server.
    """
    handlers: dict[str, Callable[[Studio, Request], Awaitable[Response]]] = {
        "/api/state": _state,
        "/api/styles": _styles,
        "/api/styles/{index:int}.jpg": _style,
        "/api/samples": _samples,
        "/api/samples/{index:int}": _sample,
        "/api/reports": _reports,
        REJECTED: _rejected,
        FIT_REPORT: _fit_report,
        "/api/photos/{key}/words": _photo_words,
        "/api/photos/{key}/before.jpg": _photo_before,
        "/api/photos/{key}/after.jpg": _photo_after,
        "/api/photos/{key}/file": _photo_file,
    }
    posts = {
        "/api/write": _write,
        "/api/read": _read,
        UPLOADS: _photo,
        "/api/photos/{key}/edit": _photo_edit,
        "/api/photos/{key}/keep": _photo_keep,
    }
    routes = [
        Route(path, _told(studio, handler), methods=["POST" if path in posts else "GET"])
        for path, handler in (handlers | posts).items()
    ]
    routes += [Route(f"/{name}", _static(file, kind)) for name, (file, kind) in _FILES.items()]
    return Guard(Starlette(routes=routes), token, hosts)


def _told(
    studio: Studio, handler: Callable[[Studio, Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    """Turn what goes wrong into one sentence that the page shows."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(studio, request)
        except SimanError as error:
            return JSONResponse({"problem": str(error)}, 400)
        except IndexError:
            return JSONResponse({"problem": "There is no such picture."}, 404)

    return answer


def _static(file: str, kind: str) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_: Request) -> Response:
        return Response((_STATIC / file).read_bytes(), media_type=kind)

    return answer


async def _state(studio: Studio, _: Request) -> Response:
    index = studio.index
    return JSONResponse(
        {
            "families": studio.writer.families,
            "layouts": LAYOUTS,
            "damages": list(DAMAGES),
            "weights": studio.writer.weights_name,
            "styles": len(studio.shelf),
            "sorting": studio.shelf.sorting(),
            "pool": studio.shelf.pool.place,
            "dataset": None if index is None else str(index.words.path),
            "index": None if index is None else index.state(),
            "rejected": None if _rejected_file(studio) is None else REJECTED,
            "choices": {} if index is None else index.choices,
            "reports": len(studio.reports),
            "model": None if studio.model is None else str(studio.model.recipe.parent),
            "fit_report": None if _report_file(studio) is None else FIT_REPORT,
        }
    )


async def _styles(studio: Studio, request: Request) -> Response:
    start, count = _range(request)
    contains = request.query_params.get("contains", "")[:100]
    return JSONResponse(await run_in_threadpool(studio.shelf.page, start, count, contains))


async def _style(studio: Studio, request: Request) -> Response:
    picture = await run_in_threadpool(studio.shelf.thumbnail, request.path_params["index"])
    return Response(picture, media_type="image/jpeg")


async def _samples(studio: Studio, request: Request) -> Response:
    index = _index(studio)
    start, count = _range(request)
    chosen = Filter.of(request.query_params)
    page = await run_in_threadpool(index.page, chosen, start, count)
    return JSONResponse(page | {"state": index.state()})


async def _sample(studio: Studio, request: Request) -> Response:
    data = await run_in_threadpool(_index(studio).image, request.path_params["index"])
    for start, kind in ((b"\xff\xd8", "image/jpeg"), (b"\x89PNG", "image/png"), (b"GIF8", "image/gif")):
        if data.startswith(start):
            return Response(data, media_type=kind)
    # Whatever else it is, no browser may take it for a page.
    return Response(data, media_type="application/octet-stream")


async def _reports(studio: Studio, _: Request) -> Response:
    return JSONResponse(await run_in_threadpool(compared, studio.reports))


async def _rejected(studio: Studio, _: Request) -> Response:
    path = _rejected_file(studio)
    if path is None:
        raise SimanError("There is no picture of rejected words beside the data set.")
    return Response(await run_in_threadpool(path.read_bytes), media_type="image/png")


def _rejected_file(studio: Studio) -> Path | None:
    """Return the picture that `generate` left beside the data set, None if there is none to be shown."""
    if studio.index is None:
        return None
    path = beside(studio.index.words.path, REJECTED_SUFFIX)
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_PICTURE_BYTES:
        return None
    return path


async def _fit_report(studio: Studio, _: Request) -> Response:
    path = _report_file(studio)
    if path is None:
        raise SimanError("There is no report of a fit. Start the studio with the folder of one as its model.")
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; sandbox"
    )
    page = await run_in_threadpool(path.read_bytes)
    return Response(page, media_type="text/html; charset=utf-8", headers={"Content-Security-Policy": policy})


def _report_file(studio: Studio) -> Path | None:
    path = None if studio.model is None else studio.model.recipe.with_name(REPORT)
    return path if path is not None and path.is_file() and not path.is_symlink() else None


async def _write(studio: Studio, request: Request) -> Response:
    wish = Wish.of(await _json(request), len(studio.shelf))
    written, seconds = await run_in_threadpool(studio.writer.write, wish)
    pool = studio.shelf.pool
    chosen = wish.styles or (studio.writer.first_style,)
    names = [pool.name(index) for index in chosen]
    return JSONResponse(
        {
            "seconds": seconds,
            "words": [
                {
                    "text": entry.text,
                    "style": pool.name(entry.style),
                    "problem": entry.problem,
                    "image": base64.b64encode(entry.png).decode() if entry.png else None,
                    "kind": "image/jpeg" if entry.png.startswith(b"\xff\xd8") else "image/png",
                    "font": entry.word.plan.font if entry.word else None,
                    "boxes": [box.to_json() for box in entry.word.boxes] if entry.word else None,
                }
                for entry in written
            ],
            "options": options_of(wish, studio.writer),
            "toml": toml_of(wish),
            "python": snippet_of(wish, written, names, studio.writer),
            "style_list": style_list([pool.origin(index) for index in chosen]),
        }
    )


async def _read(studio: Studio, request: Request) -> Response:
    index = _index(studio)
    values = await _json(request)
    if isinstance(values, dict) and values.get("stop"):
        index.stop_reading()
    else:
        await run_in_threadpool(index.start_reading)
    return JSONResponse(index.state())


async def _photo(studio: Studio, request: Request) -> Response:
    name = request.query_params.get("name", "")
    return JSONResponse(await run_in_threadpool(studio.photos.add, await request.body(), name))


async def _photo_words(studio: Studio, request: Request) -> Response:
    return JSONResponse(await run_in_threadpool(studio.photos.words, request.path_params["key"]))


async def _photo_edit(studio: Studio, request: Request) -> Response:
    wish = EditWish.of(await _json(request))
    return JSONResponse(await run_in_threadpool(studio.photos.edit, request.path_params["key"], wish))


async def _photo_keep(studio: Studio, request: Request) -> Response:
    await run_in_threadpool(studio.photos.keep, request.path_params["key"])
    return JSONResponse({})


async def _photo_before(studio: Studio, request: Request) -> Response:
    return await _preview(studio, request, edited=False)


async def _photo_after(studio: Studio, request: Request) -> Response:
    return await _preview(studio, request, edited=True)


async def _preview(studio: Studio, request: Request, edited: bool) -> Response:
    picture = await run_in_threadpool(studio.photos.preview, request.path_params["key"], edited)
    return Response(picture, media_type="image/jpeg")


async def _photo_file(studio: Studio, request: Request) -> Response:
    data, name = await run_in_threadpool(studio.photos.file, request.path_params["key"])
    return Response(
        data,
        media_type="image/png" if name.endswith("png") else "image/jpeg",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _index(studio: Studio) -> SampleIndex:
    if studio.index is None:
        raise SimanError("No data set was given. Start the studio with a data set.")
    return studio.index


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as error:
        raise SimanError("What was sent is not JSON.") from error


def _range(request: Request) -> tuple[int, int]:
    try:
        start = int(request.query_params.get("start", 0))
        count = int(request.query_params.get("count", 60))
    except ValueError as error:
        raise SimanError("start and count must be whole numbers.") from error
    return max(0, min(start, 10**12)), max(1, min(count, _MOST_A_PAGE))
