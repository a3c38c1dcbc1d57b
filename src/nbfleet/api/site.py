"""Everything on the API's port: the operations, and beside them health, metrics, document and pages."""

import contextlib
from collections.abc import AsyncGenerator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from nbfleet import __version__
from nbfleet.api import pages
from nbfleet.api.app import Api
from nbfleet.api.auth import Authenticator
from nbfleet.api.call import Tools
from nbfleet.store.database import Unavailable
from nbfleet.store.identity import list_accounts
from nbfleet.telemetry import Metrics
from nbfleet.wire import openapi

_METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


class _Site:
    """Sends the published paths straight to the operations and the few others through a router."""

    def __init__(self, api: Api, others: ASGIApp) -> None:
        self._api = api
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OTHERS:
            await self._api(scope, receive, send)
        else:
            await self._others(scope, receive, send)


_OTHERS = frozenset({"/", "/healthz", "/metrics", "/openapi.json", "/docs", "/login"})


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
    return _Site(Api(tools, authenticator, metrics), Starlette(routes=routes, lifespan=lifespan))
