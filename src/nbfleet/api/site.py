"""Everything on the API's port: the operations, and beside them health, metrics, document and the pages of
another room."""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nbfleet import __version__
from nbfleet.api.app import RETRY_AFTER, Api
from nbfleet.api.auth import Authenticator
from nbfleet.api.call import Tools
from nbfleet.api.handlers import encode
from nbfleet.store.database import Unavailable
from nbfleet.store.identity import list_accounts
from nbfleet.telemetry import Metrics, new_request_id
from nbfleet.wire import errors, openapi
from nbfleet.wire.errors import ApiError

_METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages for people on the same port: some paths with their methods, and everything below `below`."""

    app: ASGIApp
    methods: Mapping[str, set[str]]
    below: str


class _Site:
    """Sends the few other paths through a router and everything else straight to the operations.

    A method that one of them does not have is refused where the operations are, in the same shape.
    """

    def __init__(
        self, api: ASGIApp, others: ASGIApp, methods: Mapping[str, set[str]], pages: Pages | None
    ) -> None:
        self._api = api
        self._others = others
        self._methods = methods
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in self._methods.get(scope["path"], ()):
            await self._others(scope, receive, _named(send) if scope["type"] == "http" else send)
        elif self._pages is not None and self._is_page(scope, self._pages):
            await self._pages.app(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    @staticmethod
    def _is_page(scope: Scope, pages: Pages) -> bool:
        path: str = scope["path"]
        return path.startswith(pages.below) or scope["method"] in pages.methods.get(path, ())


def _named(send: Send) -> Send:
    """Adds a request id to the answer."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (b"x-request-id", new_request_id().encode())]
        await send(message)

    return sending


async def _busy(_request: Request, _fault: Exception) -> Response:
    return _refusal(errors.overloaded(RETRY_AFTER))


async def _failed(_request: Request, _fault: Exception) -> Response:
    return _refusal(errors.internal())


def _refusal(fault: ApiError) -> Response:
    return Response(encode(fault.body()), fault.status, dict(fault.headers), "application/json")


def document_for(address: str) -> dict[str, Any]:
    """The served document; `address` is where clients reach the service."""
    return openapi.document(address, __version__)


def site(
    tools: Tools,
    authenticator: Authenticator,
    metrics: Metrics,
    document: dict[str, Any],
    pages: Pages | None = None,
) -> ASGIApp:
    """The application of the API's port."""

    async def healthz(_request: Request) -> Response:
        try:
            await tools.context.database.read(list_accounts)
        except Unavailable:
            return JSONResponse({"status": "store unavailable"}, 503)
        return JSONResponse({"status": "ok"})

    async def metrics_page(_request: Request) -> Response:
        return Response(metrics.exposition(), media_type=_METRICS_TYPE)

    async def openapi_json(_request: Request) -> Response:
        return JSONResponse(document)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        yield

    routes = [
        Route("/healthz", healthz),
        Route("/metrics", metrics_page),
        Route("/openapi.json", openapi_json),
    ]
    others = Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={Unavailable: _busy, Exception: _failed}
    )
    methods = {route.path: route.methods or set[str]() for route in routes}
    known = methods if pages is None else {**methods, **pages.methods}
    api: ASGIApp = Api(tools, authenticator, metrics, known)
    if tools.context.settings.validate_answers:
        from nbfleet.api.judge import judged  # noqa: PLC0415 - a debug aid, and a lot to import.

        api = judged(api, document)
    return _Site(api, others, methods, pages)
