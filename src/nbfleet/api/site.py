"""Everything on the API's port: the operations, and beside them health, metrics, document and pages."""

import contextlib
from collections.abc import AsyncGenerator, Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nbfleet import __version__
from nbfleet.api import pages
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


class _Site:
    """Sends the few other paths through a router and everything else straight to the operations.

    A method that a page does not have is refused where the operations are, in the same shape.
    """

    def __init__(self, api: ASGIApp, others: ASGIApp, methods: Mapping[str, set[str]]) -> None:
        self._api = api
        self._others = others
        self._methods = methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._others(scope, receive, send)
        elif scope["method"] in self._methods.get(scope["path"], ()):
            await self._others(scope, receive, _named(send))
        else:
            await self._api(scope, receive, send)


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


def site(tools: Tools, authenticator: Authenticator, metrics: Metrics, address: str) -> ASGIApp:
    """The application of the API's port; `address` is where clients reach it."""
    document = openapi.document(address, __version__)

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
        *pages.routes(tools.context, document),
    ]
    others = Starlette(
        routes=routes, lifespan=lifespan, exception_handlers={Unavailable: _busy, Exception: _failed}
    )
    methods = {route.path: route.methods or set[str]() for route in routes}
    api: ASGIApp = Api(tools, authenticator, metrics, methods)
    if tools.context.settings.validate_answers:
        from nbfleet.api.judge import judged  # noqa: PLC0415 - a debug aid, and a lot to import.

        api = judged(api, document)
    return _Site(api, others, methods)
